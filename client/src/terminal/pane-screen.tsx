import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { PaneId } from "server/protocol";
import { PANE_TITLES } from "../state/pane-words.ts";
import { reviewPaste } from "../state/paste.ts";
import { askLearner } from "../state/store.ts";
import type { TerminalFeed } from "../state/terminal-feed.ts";
import { count } from "../state/words.ts";
import { type Page, usePage } from "../ui/page-context.ts";
import type { XtermDeps, XtermScreen } from "./xterm-screen.ts";

export interface PaneScreenProps {
  readonly pane: PaneId;
  readonly feed: TerminalFeed;
  readonly isReadOnly: boolean;
  readonly describedBy: string;
  readonly onScreen: (screen: XtermScreen | undefined) => void;
  readonly onSelection: (hasSelection: boolean) => void;
  readonly onSearch: () => void;
}

const REFUSED_MS = 2_000;
const RESIZE_WAIT_MS = 100;

/** The box around a terminal: Tab stops here, Enter goes in, Esc Esc comes back out. */
export function PaneScreen(props: PaneScreenProps): JSX.Element {
  const { pane } = props;
  const page = usePage();
  const box = useRef<HTMLDivElement>(null);
  const host = useRef<HTMLDivElement>(null);
  const [isRefused, setRefused] = useState(false);
  const refuse = (): void => {
    setRefused(true);
    setTimeout(() => setRefused(false), REFUSED_MS);
  };
  const { screen, trouble } = useXterm(props, page, box, host, refuse);
  const pasteWithCare = (event: ClipboardEvent): void => {
    const raw = event.clipboardData?.getData("text/plain") ?? "";
    if (!reviewPaste(raw).needsLook) return;
    event.preventDefault();
    event.stopPropagation();
    void pasteAfterLook(page, pane, raw, screen);
  };
  return (
    <div
      ref={box}
      class="pane-box"
      data-region-focus
      role="group"
      tabIndex={0}
      aria-label={`${PANE_TITLES[pane]} terminal`}
      aria-describedby={props.describedBy}
      data-refused={isRefused}
      onKeyDown={(event) => event.target === box.current && screen && moveIn(event, screen)}
      onPasteCapture={pasteWithCare}
    >
      <div class="pane-host" ref={host} />
      {isRefused ? (
        <p class="pane-refused" role="alert">
          Not connected: your keys went nowhere.
        </p>
      ) : null}
      {trouble ? <p class="pane-refused">The terminal could not be loaded. Reload the page.</p> : null}
    </div>
  );
}

/** Keys while the box, not the terminal in it, has the focus. */
function moveIn(event: KeyboardEvent, screen: XtermScreen): void {
  const moves: Readonly<Record<string, () => void>> = {
    Enter: () => screen.focus(),
    ArrowUp: () => screen.scroll(-1),
    ArrowDown: () => screen.scroll(1),
    PageUp: () => screen.scroll(1 - screen.size().rows),
    PageDown: () => screen.scroll(screen.size().rows - 1),
    Home: () => screen.scrollTo("top"),
    End: () => screen.scrollTo("bottom"),
  };
  const move = moves[event.key];
  if (move === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  move();
}

async function pasteAfterLook(
  { store }: Page,
  pane: PaneId,
  raw: string,
  screen: XtermScreen | undefined,
): Promise<void> {
  const { text, lines } = reviewPaste(raw);
  const isSure = await askLearner(store, {
    title: `Paste ${count(lines, "line")} into ${pane}?`,
    text: lines > 1 ? "A shell may run each line at once." : "Hidden characters were taken out.",
    preview: text,
    yes: "Paste",
  });
  if (!isSure) return;
  screen?.paste(text);
  screen?.focus();
}

/** Loads xterm after the first paint, and joins it to the pane's feed. */
function useXterm(
  props: PaneScreenProps,
  page: Page,
  box: { current: HTMLDivElement | null },
  host: { current: HTMLDivElement | null },
  refuse: () => void,
): { screen: XtermScreen | undefined; trouble: boolean } {
  const [screen, setScreen] = useState<XtermScreen>();
  const [trouble, setTrouble] = useState(false);
  useEffect(() => {
    let close = (): void => {};
    let isGone = false;
    const open = async (): Promise<void> => {
      const { openXterm } = await import("./xterm-screen.ts");
      if (isGone || host.current === null) return;
      const opened = openXterm(host.current, xtermDeps(props, page, box, refuse));
      close = join(opened, host.current, props);
      setScreen(opened);
      props.onScreen(opened);
    };
    const timer = setTimeout(() => void open().catch(() => setTrouble(true)));
    return () => {
      isGone = true;
      clearTimeout(timer);
      close();
      props.onScreen(undefined);
    };
  }, []);
  useFollow(screen, props, page);
  return { screen, trouble };
}

function xtermDeps(
  props: PaneScreenProps,
  { store, actions }: Page,
  box: { current: HTMLDivElement | null },
  refuse: () => void,
): XtermDeps {
  const { pane } = props;
  let timer: ReturnType<typeof setTimeout> | undefined;
  return {
    onInput: (text) => actions.input(pane, text),
    onRefused: refuse,
    onDrawn: (bytes) => actions.acknowledge(pane, bytes),
    onSize(cols, rows) {
      clearTimeout(timer);
      timer = setTimeout(() => actions.resize(pane, cols, rows), RESIZE_WAIT_MS);
    },
    onLeave: () => box.current?.focus(),
    onSearch: props.onSearch,
    onSelection: props.onSelection,
    isKnownFile: (path) => store.buffers.peek().has(path),
    openFile: (path, line) => actions.showFile({ path, from: line, to: line, focus: true }),
  };
}

/** Feeds the screen and keeps its grid the size of its box, until the returned call. */
function join(screen: XtermScreen, host: HTMLElement, props: PaneScreenProps): () => void {
  screen.fit();
  const detach = props.feed.attach(screen);
  let frame = 0;
  const observer = new ResizeObserver(() => {
    cancelAnimationFrame(frame);
    frame = requestAnimationFrame(() => screen.fit());
  });
  observer.observe(host);
  return () => {
    observer.disconnect();
    cancelAnimationFrame(frame);
    detach();
    screen.dispose();
  };
}

/** Follows what changes while the screen lives: theme, settings, and a server or shell that must hear the size. */
function useFollow(screen: XtermScreen | undefined, { pane, isReadOnly }: PaneScreenProps, page: Page): void {
  const { store, actions } = page;
  const { theme, screenReader } = store.settings.value;
  const isOpen = store.connection.value.phase === "open";
  const { epoch, phase } = store.panes.value[pane];
  const isShellThere = phase !== "closed" && store.opening.value === null;
  useEffect(() => screen?.set({ readOnly: isReadOnly, screenReader }), [screen, isReadOnly, screenReader]);
  useEffect(() => {
    if (screen === undefined) return;
    screen.retheme();
    const dark = matchMedia("(prefers-color-scheme: dark)");
    const retheme = (): void => screen.retheme();
    dark.addEventListener("change", retheme);
    return () => dark.removeEventListener("change", retheme);
  }, [screen, theme]);
  useEffect(() => {
    if (screen !== undefined && isOpen) actions.resize(pane, screen.size().cols, screen.size().rows);
  }, [screen, isOpen, epoch, isShellThere]);
}
