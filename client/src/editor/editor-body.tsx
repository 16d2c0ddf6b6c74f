import { effect } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { FileBuffer } from "../state/file-buffer.ts";
import type { Shown, Store } from "../state/store.ts";
import { Code } from "../ui/code.tsx";
import { languageOf } from "../ui/highlight.ts";
import { usePage } from "../ui/page-context.ts";
import type { CodeEditor } from "./code-editor.ts";

export interface EditorBodyProps {
  readonly buffer: FileBuffer;
  readonly describedBy: string;
}

/** Readable at once, editable as soon as CodeMirror has loaded; both look the same. */
export function EditorBody({ buffer, describedBy }: EditorBodyProps): JSX.Element {
  const { store } = usePage();
  const host = useRef<HTMLDivElement>(null);
  const { editor, trouble } = useCodeEditor(host, describedBy);
  const isNarrow = store.viewport.value === "narrow";
  const shown = store.shown.value;
  useEffect(() => editor?.wrapLines(isNarrow), [editor, isNarrow]);
  useEffect(() => {
    if (editor !== undefined && shown !== null && shown.path === buffer.path) reveal(editor, shown);
  }, [editor, shown, buffer.path]);
  return (
    <div class="editor-body" role="tabpanel" aria-label={buffer.path} id="editor-panel">
      {trouble ? (
        <p class="editor-trouble">The editor could not be loaded: reload the page to edit here.</p>
      ) : null}
      {editor === undefined ? <StandIn buffer={buffer} /> : null}
      <div class="editor-host" ref={host} hidden={editor === undefined} />
    </div>
  );
}

function reveal(editor: CodeEditor, { from, to, focus }: Shown): void {
  if (from !== null) editor.reveal(from, to ?? from);
  if (focus) editor.focus();
}

function StandIn({ buffer }: { buffer: FileBuffer }): JSX.Element {
  const lines = buffer.text.split("\n").length;
  return (
    <div class="stand-in" tabIndex={0} role="group" aria-label={`Code of ${buffer.path}, loading the editor`}>
      <pre class="stand-in-numbers" aria-hidden="true">
        {Array.from({ length: lines }, (_, index) => index + 1).join("\n")}
      </pre>
      <pre class="stand-in-code">
        <Code code={buffer.text} language={languageOf(buffer.path)} />
      </pre>
    </div>
  );
}

/** Loads the editor after the first paint, so that the lesson can be read before its 150 KB have arrived. */
function useCodeEditor(
  host: { current: HTMLDivElement | null },
  describedBy: string,
): { editor: CodeEditor | undefined; trouble: boolean } {
  const { store, actions } = usePage();
  const [editor, setEditor] = useState<CodeEditor>();
  const [trouble, setTrouble] = useState(false);
  useEffect(() => {
    let isGone = false;
    let opened: CodeEditor | undefined;
    let stop = (): void => {};
    const open = async (): Promise<void> => {
      const { openCodeEditor } = await import("./code-editor.ts");
      if (isGone || host.current === null) return;
      opened = openCodeEditor(host.current, {
        onTyped: (path, text) => actions.typed(path, text),
        onSave: () => void actions.saveNow(),
        describedBy,
      });
      stop = follow(store, opened);
      setEditor(opened);
    };
    const timer = setTimeout(() => void open().catch(() => setTrouble(true)));
    return () => {
      isGone = true;
      clearTimeout(timer);
      stop();
      opened?.destroy();
    };
  }, []);
  return { editor, trouble };
}

/**
 * Keeps the editor on the active file, in the same tick in which the store changes: a key typed between a change on disk and
 * a later render would be taken for an answer to the new text.
 */
function follow(store: Store, editor: CodeEditor): () => void {
  return effect(() => {
    const buffer = store.buffers.value.get(store.activeFile.value ?? "");
    if (buffer !== undefined) editor.show(buffer.path, buffer.text, buffer.revision);
  });
}
