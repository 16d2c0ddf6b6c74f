import "@xterm/xterm/css/xterm.css";
import { FitAddon } from "@xterm/addon-fit";
import { SearchAddon } from "@xterm/addon-search";
import { Unicode11Addon } from "@xterm/addon-unicode11";
import { WebLinksAddon } from "@xterm/addon-web-links";
import { Terminal } from "@xterm/xterm";
import type { Screen } from "../state/terminal-feed.ts";
import { copySelection, screenKeys } from "./screen-keys.ts";
import { fileLinks, openWebLink } from "./screen-links.ts";
import { openTyping } from "./typing.ts";
import { readTheme, screenOptions } from "./xterm-look.ts";

export interface XtermDeps {
  /** Keystrokes. @returns false when they could not be sent. */
  readonly onInput: (text: string) => boolean;
  readonly onRefused: () => void;
  /** Bytes drawn since the last call. */
  readonly onDrawn: (bytes: number) => void;
  /** The grid has another size now. */
  readonly onSize: (cols: number, rows: number) => void;
  readonly onLeave: () => void;
  readonly onSearch: () => void;
  readonly onSelection: (hasSelection: boolean) => void;
  readonly isKnownFile: (path: string) => boolean;
  readonly openFile: (path: string, line: number) => void;
}

/** A pane's terminal. */
export interface XtermScreen extends Screen {
  focus(): void;
  /** Fits the grid to its box; nothing happens while the box is hidden. */
  fit(): void;
  /** The grid's size, for a server that has not heard it. */
  size(): { cols: number; rows: number };
  paste(text: string): void;
  copy(): void;
  scroll(lines: number): void;
  scrollTo(end: "top" | "bottom"): void;
  find(text: string, direction: "next" | "previous"): void;
  retheme(): void;
  set(options: { readOnly: boolean; screenReader: boolean }): void;
  dispose(): void;
}

const ACK_EVERY_BYTES = 5_000;
const SMALLEST = { cols: 20, rows: 2 };
/** Reset in the stream itself, so that it keeps its place among writes that are still queued. */
const RESET: Uint8Array = new Uint8Array([0x1b, 0x63]);

export function openXterm(host: HTMLElement, deps: XtermDeps): XtermScreen {
  const terminal = new Terminal({
    ...screenOptions(host),
    linkHandler: { activate: (_event, address) => openWebLink(address), allowNonHttpProtocols: false },
  });
  const fit = new FitAddon();
  const search = new SearchAddon();
  terminal.loadAddon(fit);
  terminal.loadAddon(search);
  terminal.loadAddon(new Unicode11Addon());
  terminal.unicode.activeVersion = "11"; // The server's terminal counts widths the same way.
  terminal.loadAddon(new WebLinksAddon((_event, address) => openWebLink(address)));
  terminal.registerLinkProvider(fileLinks(terminal, deps.isKnownFile, deps.openFile));
  terminal.attachCustomKeyEventHandler(screenKeys(terminal, deps));
  terminal.onSelectionChange(() => deps.onSelection(terminal.hasSelection()));
  terminal.open(host);
  leaveTabOrder(terminal);
  const typing = openTyping(deps);
  terminal.onData((text) => typing.typed(text));
  return {
    ...writing(terminal, typing, deps),
    ...reading(terminal, search),
    fit: () => fitTo(host, terminal, fit, deps),
    retheme: () => {
      terminal.options.theme = readTheme(host);
    },
    set({ readOnly, screenReader }) {
      terminal.options.disableStdin = readOnly;
      terminal.options.screenReaderMode = screenReader;
    },
    dispose: () => terminal.dispose(),
  };
}

function writing(
  terminal: Terminal,
  typing: ReturnType<typeof openTyping>,
  deps: XtermDeps,
): Pick<XtermScreen, "write" | "restore" | "paste" | "focus"> {
  let drawn = 0;
  return {
    write(bytes) {
      terminal.write(bytes, () => {
        drawn += bytes.length;
        if (drawn < ACK_EVERY_BYTES) return;
        deps.onDrawn(drawn);
        drawn = 0;
      });
    },
    restore(bytes) {
      typing.hold();
      terminal.write(RESET);
      terminal.write(bytes, () => typing.release());
    },
    paste: (text) => terminal.paste(text),
    focus: () => terminal.focus(),
  };
}

function reading(
  terminal: Terminal,
  search: SearchAddon,
): Pick<XtermScreen, "copy" | "scroll" | "scrollTo" | "find" | "size"> {
  return {
    copy: () => copySelection(terminal),
    scroll: (lines) => terminal.scrollLines(lines),
    scrollTo: (end) => (end === "top" ? terminal.scrollToTop() : terminal.scrollToBottom()),
    find(text, direction) {
      if (direction === "next") search.findNext(text);
      else search.findPrevious(text);
    },
    size: () => ({ cols: terminal.cols, rows: terminal.rows }),
  };
}

/** A hidden box measures 0 × 0 and would ruin the grid. */
function fitTo(host: HTMLElement, terminal: Terminal, fit: FitAddon, deps: XtermDeps): void {
  if (host.clientWidth <= 0 || host.clientHeight <= 0) return;
  const wanted = fit.proposeDimensions();
  if (wanted === undefined || Number.isNaN(wanted.cols) || Number.isNaN(wanted.rows)) return;
  const cols = Math.max(SMALLEST.cols, wanted.cols);
  const rows = Math.max(SMALLEST.rows, wanted.rows);
  if (cols === terminal.cols && rows === terminal.rows) return;
  terminal.resize(cols, rows);
  deps.onSize(cols, rows);
}

/** Tab reaches the box around the terminal; Enter there goes in. So Tab is never caught inside. */
function leaveTabOrder(terminal: Terminal): void {
  if (terminal.textarea !== undefined) terminal.textarea.tabIndex = -1;
}
