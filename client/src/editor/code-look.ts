import { HighlightStyle } from "@codemirror/language";
import type { Extension } from "@codemirror/state";
import { EditorView } from "@codemirror/view";
import { tags } from "@lezer/highlight";

/** The same classes as the stand-in and the lesson's snippets, so that nothing changes colour when this loads. */
export const codeColours: HighlightStyle = HighlightStyle.define([
  { tag: [tags.comment, tags.meta], class: "tok-comment" },
  { tag: [tags.string, tags.special(tags.string), tags.regexp], class: "tok-string" },
  { tag: [tags.number, tags.bool, tags.null, tags.atom], class: "tok-number" },
  { tag: [tags.keyword, tags.self], class: "tok-keyword" },
  { tag: [tags.typeName, tags.className, tags.namespace], class: "tok-type" },
  {
    tag: [
      tags.function(tags.variableName),
      tags.function(tags.propertyName),
      tags.definition(tags.function(tags.variableName)),
    ],
    class: "tok-call",
  },
]);

/** Tokens of the page are CSS variables, so one theme serves light and dark. */
export const codeTheme: Extension = EditorView.theme({
  "&": { height: "100%", color: "var(--fg1)", backgroundColor: "var(--bg1)" },
  "&.cm-focused": { outline: "none" },
  ".cm-scroller": {
    fontFamily: "var(--font-mono)",
    fontSize: "13.5px",
    lineHeight: "21px",
    overflow: "auto",
  },
  ".cm-content": { padding: "8px 0", caretColor: "var(--fg1)" },
  ".cm-line": { padding: "0 16px 0 8px" },
  ".cm-cursor, .cm-dropCursor": { borderLeftColor: "var(--fg1)", borderLeftWidth: "2px" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": {
    backgroundColor: "var(--selection) !important",
  },
  ".cm-gutters": { backgroundColor: "var(--bg1)", color: "var(--fg3)", border: "none" },
  ".cm-lineNumbers .cm-gutterElement": { padding: "0 8px 0 16px", minWidth: "44px" },
  ".cm-activeLine": { backgroundColor: "var(--line-hover)" },
  ".cm-activeLineGutter": { backgroundColor: "var(--line-hover)", color: "var(--fg1)" },
  ".cm-shown": { backgroundColor: "var(--active-bg)" },
  ".cm-matchingBracket, &.cm-focused .cm-matchingBracket": {
    backgroundColor: "var(--active-bg)",
    color: "inherit",
    outline: "1px solid var(--line-strong)",
  },
  ".cm-panels": { backgroundColor: "var(--bg2)", color: "var(--fg1)", borderColor: "var(--line)" },
  ".cm-tooltip": {
    backgroundColor: "var(--bg1)",
    color: "var(--fg1)",
    border: "1px solid var(--line-strong)",
  },
  ".cm-tooltip-autocomplete > ul > li[aria-selected]": {
    backgroundColor: "var(--accent)",
    color: "var(--on-accent)",
  },
  ".cm-searchMatch": { backgroundColor: "var(--queued-bg)", outline: "1px solid var(--queued)" },
  ".cm-searchMatch-selected": { backgroundColor: "var(--active-bg)" },
  ".cm-textfield, .cm-button": {
    backgroundColor: "var(--bg1)",
    backgroundImage: "none",
    color: "var(--fg1)",
    border: "1px solid var(--line-strong)",
    borderRadius: "4px",
  },
  ".cm-diagnostic": { fontFamily: "var(--font-ui)", fontSize: "13px" },
  ".cm-lintRange-warning": { backgroundImage: "none", textDecoration: "underline wavy var(--queued) 1px" },
});
