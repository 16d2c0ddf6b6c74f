import { type Extension, StateEffect, StateField } from "@codemirror/state";
import { Decoration, type DecorationSet, EditorView } from "@codemirror/view";

/** Positions of the first and the last line to mark; null takes the mark away. */
export const showLines = StateEffect.define<{ from: number; to: number } | null>();

const lineMark = Decoration.line({ class: "cm-shown" });

/** The lines that a link of the lesson points at. */
export const shownLines: StateField<DecorationSet> = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(marks, transaction) {
    for (const effect of transaction.effects) {
      if (!effect.is(showLines)) continue;
      if (effect.value === null) return Decoration.none;
      return markLines(transaction.state.doc, effect.value.from, effect.value.to);
    }
    return marks.map(transaction.changes);
  },
  provide: (field) => EditorView.decorations.from(field),
});

/** Typing means that the learner has found the place. */
export const hideShownLines: Extension = EditorView.domEventHandlers({
  beforeinput: (_event, view) => {
    if (view.state.field(shownLines).size > 0) view.dispatch({ effects: showLines.of(null) });
  },
});

function markLines(doc: EditorView["state"]["doc"], from: number, to: number): DecorationSet {
  const first = doc.lineAt(from).number;
  const last = doc.lineAt(to).number;
  const lines = Array.from({ length: last - first + 1 }, (_, index) => doc.line(first + index));
  return Decoration.set(lines.map((line) => lineMark.range(line.from)));
}
