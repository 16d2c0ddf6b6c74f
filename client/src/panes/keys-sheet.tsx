import type { JSX } from "preact";
import { Dialog } from "../ui/dialog.tsx";
import { usePage } from "../ui/page-context.ts";

const GROUPS: readonly (readonly [
  title: string,
  keys: readonly (readonly [keys: string, does: string])[],
])[] = [
  [
    "Anywhere",
    [
      ["Ctrl+Enter", "Run the step in focus, or the next one"],
      ["F6 · Shift+F6", "Next region · previous region"],
      ["?", "This sheet"],
      ["Esc", "Close what lies over the page"],
    ],
  ],
  [
    "Editor",
    [
      ["Ctrl+S", "Save now (it saves by itself as you type)"],
      ["Esc, then Tab", "Leave the editor"],
      ["Ctrl+Z · Ctrl+Shift+Z", "Undo · redo, also what Apply and Reset did"],
      ["Ctrl+F", "Find in the file"],
      ["F8", "Next place that cannot be read"],
    ],
  ],
  [
    "Terminals",
    [
      ["Enter", "Start typing in the terminal in focus"],
      ["Esc Esc", "Stop typing; then arrows, Page Up and Down, Home and End scroll"],
      ["Ctrl+C", "Copy what is selected; with nothing selected, stop the program"],
      ["Ctrl+Shift+C · Ctrl+Insert", "Copy, always"],
      ["Ctrl+V", "Paste; more than one line is shown first"],
      ["Ctrl+Shift+F", "Find in the output"],
      ["Shift+Tab", "Leave backwards"],
    ],
  ],
];

export function KeysSheet(): JSX.Element {
  const { store } = usePage();
  const isMac = navigator.platform.startsWith("Mac");
  return (
    <Dialog
      title="Keyboard shortcuts"
      onClose={() => {
        store.dialog.value = null;
      }}
    >
      {GROUPS.map(([title, keys]) => (
        <div key={title} class="keys-group">
          <h3>{title}</h3>
          <dl>
            {keys.map(([combination, does]) => (
              <div key={combination} class="keys-row">
                <dt>
                  <kbd>{isMac && title === "Editor" ? combination.replaceAll("Ctrl", "⌘") : combination}</kbd>
                </dt>
                <dd>{does}</dd>
              </div>
            ))}
          </dl>
        </div>
      ))}
    </Dialog>
  );
}
