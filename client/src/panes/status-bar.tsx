import type { JSX } from "preact";
import type { Connection } from "../state/connection.ts";
import { allLessons } from "../state/course.ts";
import { lessonsDone } from "../state/progress.ts";
import { Mark, type MarkTone } from "../ui/mark.tsx";
import { usePage } from "../ui/page-context.ts";

export function StatusBar(): JSX.Element {
  const { store } = usePage();
  const { tone, words } = connectionWords(store.connection.value);
  const welcome = store.welcome.value;
  const course = store.course.value;
  const total = course === null ? null : allLessons(course).length;
  return (
    <footer class="status-bar numbers">
      <span class="status-item">
        <Mark tone={tone} /> {words}
      </span>
      {welcome === null ? null : (
        <span class="status-item" title="How the panes get a real terminal on this machine">
          terminals: {welcome.pty}
        </span>
      )}
      {total === null ? null : (
        <span class="status-item">
          {lessonsDone(store.progress.value)} of {total} lessons done
        </span>
      )}
      <span class="status-space" />
      <span class="status-item status-keys">
        <kbd>Esc</kbd> <kbd>Esc</kbd> leaves a terminal · <kbd>F6</kbd> next region · <kbd>?</kbd> keys
      </span>
    </footer>
  );
}

function connectionWords(connection: Connection): { tone: MarkTone; words: string } {
  switch (connection.phase) {
    case "connecting":
      return { tone: "waiting", words: "connecting" };
    case "open": {
      const { latencyMs } = connection;
      return {
        tone: "on",
        words: latencyMs === null ? "connected" : `connected, ${Math.max(1, Math.round(latencyMs))} ms`,
      };
    }
    case "waiting":
      return { tone: "failed", words: "not connected" };
    case "refused":
      return { tone: "failed", words: "refused" };
  }
}
