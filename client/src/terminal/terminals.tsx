import { Fragment, type JSX } from "preact";
import { useRef, useState } from "preact/hooks";
import type { PaneId } from "server/protocol";
import { moveBorder, PANE_ORDER, paneShares } from "../state/pane-layout.ts";
import { PANE_TITLES } from "../state/pane-words.ts";
import type { TerminalFeeds } from "../state/terminal-feed.ts";
import { usePage } from "../ui/page-context.ts";
import { Splitter } from "../ui/splitter.tsx";
import { PaneHead } from "./pane-head.tsx";
import { PaneNote } from "./pane-note.tsx";
import { PaneScreen } from "./pane-screen.tsx";
import { SearchBar } from "./search-bar.tsx";
import { TouchInput } from "./touch-input.tsx";
import type { XtermScreen } from "./xterm-screen.ts";

const KEYS_ID = "terminal-keys";

/** The three panes, one above the other; the one in use has half of the height. */
export function Terminals({ feeds, isTouch }: { feeds: TerminalFeeds; isTouch: boolean }): JSX.Element {
  const { store, actions } = usePage();
  const stack = useRef<HTMLDivElement>(null);
  const { pinned, paneShares: dragged } = store.settings.value;
  const shares = paneShares(pinned ?? store.currentPane.value, dragged);
  const move = (index: number, pixels: number): void => {
    const height = stack.current?.clientHeight ?? 0;
    if (height > 0) actions.change({ paneShares: moveBorder(shares, index, pixels / height) });
  };
  return (
    <div class="terminals" ref={stack}>
      <p id={KEYS_ID} class="sr-only">
        Press Enter to type. Escape twice leaves the terminal; then arrow keys scroll.
      </p>
      {PANE_ORDER.map((pane, index) => (
        <Fragment key={pane}>
          {index === 0 ? null : (
            <Splitter
              label={`${PANE_TITLES[PANE_ORDER[index - 1] ?? pane]} and ${PANE_TITLES[pane]}`}
              orientation="horizontal"
              value={percentAbove(shares, index)}
              onMove={(pixels) => move(index - 1, pixels)}
              onReset={() => actions.change({ paneShares: null })}
            />
          )}
          <Pane pane={pane} share={shares[index] ?? 1} feeds={feeds} isTouch={isTouch} />
        </Fragment>
      ))}
    </div>
  );
}

function percentAbove(shares: readonly number[], index: number): number {
  const sum = (parts: readonly number[]): number => parts.reduce((total, part) => total + part, 0);
  return (100 * sum(shares.slice(0, index))) / sum(shares);
}

interface PaneProps {
  readonly pane: PaneId;
  readonly share: number;
  readonly feeds: TerminalFeeds;
  readonly isTouch: boolean;
}

function Pane({ pane, share, feeds, isTouch }: PaneProps): JSX.Element {
  const { store } = usePage();
  const screen = useRef<XtermScreen | undefined>(undefined);
  const [hasSelection, setSelection] = useState(false);
  const [isSearching, setSearching] = useState(false);
  const canType = store.welcome.value?.pty !== "pipes";
  return (
    <section
      class="region pane"
      aria-label={PANE_TITLES[pane]}
      id={`region-${pane}`}
      tabIndex={-1}
      data-pane={pane}
      data-phase={store.shownPanes.value[pane].phase}
      onPointerDown={() => {
        // A finger needs room: the pane that it touches becomes the large one.
        if (isTouch) store.currentPane.value = pane;
      }}
      style={{ flexGrow: share }}
    >
      <PaneHead
        pane={pane}
        hasSelection={hasSelection}
        onCopy={() => screen.current?.copy()}
        onSearch={() => setSearching(true)}
      />
      {isSearching ? (
        <SearchBar
          onFind={(text, direction) => screen.current?.find(text, direction)}
          onClose={() => setSearching(false)}
        />
      ) : null}
      <div class="pane-body">
        <PaneScreen
          pane={pane}
          feed={feeds[pane]}
          isReadOnly={isTouch || !canType}
          describedBy={KEYS_ID}
          onScreen={(opened) => {
            screen.current = opened;
          }}
          onSelection={setSelection}
          onSearch={() => setSearching(true)}
        />
        <PaneNote pane={pane} />
      </div>
      {isTouch && canType && store.currentPane.value === pane ? <TouchInput pane={pane} /> : null}
    </section>
  );
}
