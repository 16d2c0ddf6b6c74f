import { syntaxTree } from "@codemirror/language";
import { type Diagnostic, linter } from "@codemirror/lint";
import type { Extension } from "@codemirror/state";

const MOST = 5;
const WAIT_MS = 600;

/**
 * Marks what the highlighter's parser could not read. It knows grammar, not types: enough to see a lost bracket
 * before a worker trips over it.
 */
export function syntaxCheck(): Extension {
  return linter(
    (view) => {
      const found: Diagnostic[] = [];
      syntaxTree(view.state).iterate({
        enter: (node) => {
          if (!node.type.isError || found.length >= MOST) return;
          const end = Math.min(view.state.doc.length, Math.max(node.to, node.from + 1));
          found.push({
            from: Math.min(node.from, end),
            to: end,
            severity: "warning",
            message: "Something is missing or misspelled here. A worker could not load this file.",
          });
        },
      });
      return found;
    },
    { delay: WAIT_MS },
  );
}
