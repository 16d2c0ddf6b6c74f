import type { JSX } from "preact";
import type { PaneId, PaneState } from "server/protocol";
import { PANE_TITLES, paneStatus, runningCommand } from "../state/pane-words.ts";
import { Icon, type IconName } from "../ui/icons.tsx";
import { Mark } from "../ui/mark.tsx";
import { usePage } from "../ui/page-context.ts";
import { useNow } from "../ui/use-now.ts";
import { OldCode } from "./old-code.tsx";

export interface PaneHeadProps {
  readonly pane: PaneId;
  readonly hasSelection: boolean;
  readonly onCopy: () => void;
  readonly onSearch: () => void;
}

/** What the pane is doing, in a shape and words, and what can be done with it. */
export function PaneHead({ pane, hasSelection, onCopy, onSearch }: PaneHeadProps): JSX.Element {
  const { store, actions } = usePage();
  const state = store.shownPanes.value[pane];
  return (
    <div class="pane-head">
      <h2 class="pane-title">{PANE_TITLES[pane]}</h2>
      <Status state={state} />
      {pane === "worker" ? <OldCode /> : null}
      <Skipped pane={pane} />
      <span class="pane-head-space" />
      {hasSelection ? (
        <button type="button" class="button button-small" onClick={onCopy}>
          Copy
        </button>
      ) : null}
      {state.phase === "busy" ? (
        <button
          type="button"
          class="button button-small"
          aria-label={`Stop ${pane} (Ctrl-C)`}
          title="Ctrl-C to the running program"
          onClick={() => actions.interrupt(pane)}
        >
          <Icon name="stop" /> Stop
        </button>
      ) : null}
      <PaneButtons pane={pane} onSearch={onSearch} />
    </div>
  );
}

function Status({ state }: { state: PaneState }): JSX.Element {
  const now = useNow(state.phase === "busy");
  const { tone, words } = paneStatus(state, now);
  const command = runningCommand(state);
  return (
    <span class="pane-status numbers" data-tone={tone}>
      <Mark tone={tone} />
      <span class="pane-words">{words}</span>
      {command === null ? null : <code class="pane-command">{command}</code>}
    </span>
  );
}

function Skipped({ pane }: { pane: PaneId }): JSX.Element | null {
  const { store } = usePage();
  const lines = store.skipped.value[pane] ?? 0;
  if (lines === 0) return null;
  return (
    <span
      class="pane-skipped numbers"
      title="Output came faster than this page can draw; the program was not slowed."
    >
      skipped {lines.toLocaleString("en")} {lines === 1 ? "line" : "lines"}
    </span>
  );
}

function PaneButtons({ pane, onSearch }: { pane: PaneId; onSearch: () => void }): JSX.Element {
  const { store, actions } = usePage();
  const isPinned = store.settings.value.pinned === pane;
  return (
    <>
      <PaneButton icon="search" label="Find in output" onClick={onSearch} />
      <PaneButton
        icon="text"
        label="Open as text"
        onClick={() => {
          store.dialog.value = { kind: "text", pane };
        }}
      />
      <PaneButton
        icon="pin"
        label={`Keep ${pane} large`}
        isPressed={isPinned}
        onClick={() => actions.change({ pinned: isPinned ? null : pane, paneShares: null })}
      />
    </>
  );
}

interface PaneButtonProps {
  readonly icon: IconName;
  readonly label: string;
  readonly isPressed?: boolean;
  readonly onClick: () => void;
}

function PaneButton({ icon, label, isPressed, onClick }: PaneButtonProps): JSX.Element {
  return (
    <button
      type="button"
      class="icon-button"
      aria-label={label}
      title={label}
      aria-pressed={isPressed}
      onClick={onClick}
    >
      <Icon name={icon} />
    </button>
  );
}
