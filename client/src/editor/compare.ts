import { javascript } from "@codemirror/lang-javascript";
import { syntaxHighlighting } from "@codemirror/language";
import { MergeView } from "@codemirror/merge";
import { EditorState, type Extension } from "@codemirror/state";
import { EditorView, lineNumbers } from "@codemirror/view";
import { codeColours, codeTheme } from "./code-look.ts";

/** Shows two versions side by side, to read. Returns how to take it away. */
export function openCompare(host: HTMLElement, mine: string, disk: string): () => void {
  const extensions = (label: string): Extension[] => [
    lineNumbers(),
    javascript({ typescript: true }),
    syntaxHighlighting(codeColours),
    codeTheme,
    EditorState.readOnly.of(true),
    EditorView.contentAttributes.of({ "aria-label": label }),
  ];
  const view = new MergeView({
    parent: host,
    a: { doc: mine, extensions: extensions("Your version") },
    b: { doc: disk, extensions: extensions("The version on disk") },
    collapseUnchanged: { margin: 3 },
  });
  return () => view.destroy();
}
