import {
  autocompletion,
  closeBrackets,
  closeBracketsKeymap,
  completionKeymap,
} from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { javascript } from "@codemirror/lang-javascript";
import { bracketMatching, indentOnInput, indentUnit, syntaxHighlighting } from "@codemirror/language";
import { lintGutter, lintKeymap } from "@codemirror/lint";
import { highlightSelectionMatches, searchKeymap } from "@codemirror/search";
import { Annotation, Compartment, EditorState, type Extension, type StateEffect } from "@codemirror/state";
import {
  drawSelection,
  EditorView,
  highlightActiveLine,
  highlightActiveLineGutter,
  keymap,
  lineNumbers,
} from "@codemirror/view";
import { codeColours, codeTheme } from "./code-look.ts";
import { python } from "./python-mode.ts";
import { hideShownLines, showLines, shownLines } from "./shown-lines.ts";
import { syntaxCheck } from "./syntax-check.ts";
import { tabRule } from "./tab-rule.ts";
import { textChange } from "./text-change.ts";

export interface CodeEditorDeps {
  readonly onTyped: (path: string, text: string) => void;
  readonly onSave: () => void;
  /** Id of the element that tells how Tab and Esc work. */
  readonly describedBy: string;
}

/** CodeMirror with one document at a time; each file keeps its own undo history and scroll. */
export interface CodeEditor {
  /**
   * Shows a file. Its text is taken over, as one undoable change, only when `revision` is another than before: in between
   * the editor is ahead of whoever calls.
   */
  show(path: string, text: string, revision: number): void;
  /** Scrolls to lines (from 1) and marks them until something is typed. */
  reveal(from: number, to: number): void;
  focus(): void;
  wrapLines(isOn: boolean): void;
  destroy(): void;
}

/** Marks changes that came from the disk, which must not be saved back. */
const fromDisk = Annotation.define<boolean>();

export function openCodeEditor(host: HTMLElement, deps: CodeEditorDeps): CodeEditor {
  const parked = new Map<string, EditorState>();
  const revisions = new Map<string, number>();
  const wrapping = new Compartment();
  let path = "";
  let isWrapping = false;
  const wrapEffect = (): StateEffect<unknown> =>
    wrapping.reconfigure(isWrapping ? EditorView.lineWrapping : []);
  const extensions = (of: string): Extension[] => [
    ...commonExtensions(deps),
    languageFor(of),
    wrapping.of(isWrapping ? EditorView.lineWrapping : []),
    EditorView.contentAttributes.of({
      "aria-label": `Code of ${of}`,
      "aria-describedby": deps.describedBy,
      tabindex: "0",
    }),
    EditorView.updateListener.of((update) => {
      const isOurs = update.transactions.some((transaction) => transaction.annotation(fromDisk));
      if (update.docChanged && !isOurs) deps.onTyped(of, update.state.doc.toString());
    }),
  ];
  const view = new EditorView({ parent: host });

  return {
    show(next, text, revision) {
      if (next !== path) {
        if (path !== "") parked.set(path, view.state);
        path = next;
        view.setState(parked.get(next) ?? EditorState.create({ doc: text, extensions: extensions(next) }));
        view.dispatch({ effects: wrapEffect() });
      }
      const isSeen = revisions.get(next) === revision;
      revisions.set(next, revision);
      const current = view.state.doc.toString();
      if (isSeen || current === text) return;
      view.dispatch({ changes: textChange(current, text), annotations: fromDisk.of(true) });
    },
    reveal(from, to) {
      const { doc } = view.state;
      const first = doc.line(Math.min(from, doc.lines));
      const last = doc.line(Math.min(Math.max(from, to), doc.lines));
      view.dispatch({
        selection: { anchor: first.from },
        effects: [
          showLines.of({ from: first.from, to: last.from }),
          EditorView.scrollIntoView(first.from, { y: "center" }),
        ],
      });
    },
    focus: () => view.focus(),
    wrapLines(isOn) {
      if (isOn === isWrapping) return;
      isWrapping = isOn;
      view.dispatch({ effects: wrapEffect() });
    },
    destroy: () => view.destroy(),
  };
}

function commonExtensions({ onSave }: CodeEditorDeps): Extension[] {
  const save = (): boolean => {
    onSave();
    return true;
  };
  return [
    lineNumbers(),
    highlightActiveLine(),
    highlightActiveLineGutter(),
    history(),
    drawSelection(),
    indentOnInput(),
    indentUnit.of("  "),
    bracketMatching(),
    closeBrackets(),
    autocompletion({ activateOnTyping: true }),
    highlightSelectionMatches(),
    lintGutter(),
    shownLines,
    hideShownLines,
    tabRule(),
    syntaxHighlighting(codeColours),
    codeTheme,
    // Ctrl+Enter runs the next step of the lesson, wherever the keyboard is.
    keymap.of([{ key: "Mod-s", run: save, preventDefault: true }]),
    keymap.of([
      ...closeBracketsKeymap,
      ...defaultKeymap.filter((binding) => binding.key !== "Mod-Enter"),
      ...searchKeymap,
      ...historyKeymap,
      ...completionKeymap,
      ...lintKeymap,
      indentWithTab,
    ]),
  ];
}

function languageFor(path: string): Extension {
  if (/\.(?:ts|mts|cts)$/.test(path)) return [javascript({ typescript: true }), syntaxCheck()];
  if (/\.(?:tsx|jsx)$/.test(path))
    return [javascript({ typescript: path.endsWith("tsx"), jsx: true }), syntaxCheck()];
  if (/\.(?:js|mjs|cjs|json)$/.test(path)) return javascript();
  return path.endsWith(".py") ? [python, indentUnit.of("    ")] : [];
}
