import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { PaneId } from "server/protocol";
import { Icon } from "../ui/icons.tsx";
import { usePage } from "../ui/page-context.ts";

const KEYS = [
  { label: "Previous command", face: "↑", text: "\x1b[A" },
  { label: "Tab", face: "Tab", text: "\t" },
  { label: "Ctrl-C", face: "Ctrl-C", text: "\x03" },
] as const;

/** A native line to type on touch screens, where terminals take input badly. */
export function TouchInput({ pane }: { pane: PaneId }): JSX.Element {
  const { actions } = usePage();
  const [line, setLine] = useState("");
  const [isRefused, setRefused] = useState(false);
  const send = (text: string): boolean => {
    const isSent = actions.input(pane, text);
    setRefused(!isSent);
    return isSent;
  };
  return (
    <form
      class="touch-input"
      data-refused={isRefused}
      onSubmit={(event) => {
        event.preventDefault();
        if (send(`${line}\r`)) setLine("");
      }}
    >
      {KEYS.map((key) => (
        <button
          key={key.label}
          type="button"
          class="button"
          aria-label={key.label}
          onClick={() => send(key.text)}
        >
          {key.face}
        </button>
      ))}
      <input
        aria-label={`Type into ${pane}`}
        placeholder={isRefused ? "Not connected" : "Type a command"}
        autocapitalize="off"
        autocomplete="off"
        spellcheck={false}
        value={line}
        onInput={(event) => setLine(event.currentTarget.value)}
      />
      <button type="submit" class="button" aria-label={`Send to ${pane}`}>
        <Icon name="next" />
      </button>
    </form>
  );
}
