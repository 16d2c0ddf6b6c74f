import type { Extension } from "@codemirror/state";
import { EditorView } from "@codemirror/view";

/**
 * Tab indents only after a click or a key typed since the focus came: who arrives by Tab leaves by Tab. Esc, then
 * Tab leaves at any time (CodeMirror's own rule).
 */
export function tabRule(): Extension {
  return EditorView.domEventHandlers({
    focus: (_event, view) => {
      view.setTabFocusMode(true);
    },
    pointerdown: (_event, view) => {
      // The focus event comes after this one and must not undo it.
      queueMicrotask(() => view.setTabFocusMode(false));
      setTimeout(() => view.hasFocus && view.setTabFocusMode(false));
    },
    beforeinput: (_event, view) => {
      view.setTabFocusMode(false);
    },
  });
}
