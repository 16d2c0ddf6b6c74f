import type { JSX } from "preact";
import { CompareDialog } from "../editor/conflict-bar.tsx";
import { EditorRegion } from "../editor/editor-region.tsx";
import { LessonRegion } from "../lesson/lesson-region.tsx";
import { ConnectionBanner } from "../panes/banner.tsx";
import { BottomTabs } from "../panes/bottom-tabs.tsx";
import { Header } from "../panes/header.tsx";
import { KeysSheet } from "../panes/keys-sheet.tsx";
import { Layout } from "../panes/layout.tsx";
import { LessonMenu } from "../panes/lesson-menu.tsx";
import { LiveRegion } from "../panes/live-region.tsx";
import { Notices } from "../panes/notices.tsx";
import { QuestionDialog } from "../panes/question-dialog.tsx";
import { useShortcuts } from "../panes/shortcuts.ts";
import { StatusBar } from "../panes/status-bar.tsx";
import { QueueRegion } from "../queue/queue-region.tsx";
import type { TerminalFeeds } from "../state/terminal-feed.ts";
import { Terminals } from "../terminal/terminals.tsx";
import { TextDialog } from "../terminal/text-dialog.tsx";
import { usePage } from "../ui/page-context.ts";

/** Everything on the screen, put together. */
export function App({ feeds, isTouch }: { feeds: TerminalFeeds; isTouch: boolean }): JSX.Element {
  const { store } = usePage();
  useShortcuts();
  const isNarrow = store.viewport.value === "narrow";
  return (
    <div class="app">
      <a class="skip-link" href="#region-lesson">
        Skip to the lesson
      </a>
      <Header />
      <ConnectionBanner />
      <Notices />
      <Layout
        lesson={<LessonRegion />}
        queue={<QueueRegion />}
        editor={<EditorRegion />}
        terminals={<Terminals feeds={feeds} isTouch={isTouch} />}
      />
      {isNarrow ? <BottomTabs /> : <StatusBar />}
      <Overlay />
      <LiveRegion />
    </div>
  );
}

function Overlay(): JSX.Element | null {
  const { store } = usePage();
  const dialog = store.dialog.value;
  switch (dialog?.kind) {
    case undefined:
      return null;
    case "keys":
      return <KeysSheet />;
    case "lessons":
      return <LessonMenu />;
    case "text":
      return <TextDialog pane={dialog.pane} />;
    case "compare":
      return <CompareDialog path={dialog.path} />;
    case "question":
      return <QuestionDialog key={dialog.question.title} dialog={dialog} />;
  }
}
