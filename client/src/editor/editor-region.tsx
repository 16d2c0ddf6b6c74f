import type { JSX } from "preact";
import { usePage } from "../ui/page-context.ts";
import { ConflictBar } from "./conflict-bar.tsx";
import { EditorBody } from "./editor-body.tsx";
import { EditorTabs } from "./editor-tabs.tsx";

const KEYS_ID = "editor-keys";

/** The region named `Editor`: the learner's files, on their own disk. */
export function EditorRegion(): JSX.Element {
  const { store } = usePage();
  const path = store.activeFile.value;
  const buffer = path === null ? undefined : store.buffers.value.get(path);
  return (
    <section class="region editor-region" aria-label="Editor" id="region-editor" tabIndex={-1}>
      <EditorTabs />
      {buffer?.save.phase === "conflict" ? <ConflictBar path={buffer.path} /> : null}
      {buffer?.save.phase === "failed" ? <p class="editor-trouble">{buffer.save.message}</p> : null}
      <p id={KEYS_ID} class="sr-only">
        Tab indents once you have typed or clicked here. Escape, then Tab leaves the editor. Control+S saves
        now.
      </p>
      {buffer === undefined ? (
        <EditorEmpty />
      ) : (
        <EditorBody key={store.lesson.value?.slug} buffer={buffer} describedBy={KEYS_ID} />
      )}
    </section>
  );
}

function EditorEmpty(): JSX.Element {
  const { store } = usePage();
  const isLoaded = store.buffers.value.size > 0 || store.lesson.value?.files.length === 0;
  return <p class="editor-empty">{isLoaded ? "This lesson edits no file." : "Your files open here."}</p>;
}
