import type { PaneFacts } from "../checks/facts.ts";
import type { PaneState } from "../protocol/index.ts";
import type { PaneSource } from "./live.ts";

const MAX_LINES = 5000;
const MAX_LINE = 2000;

/** What one pane has printed and how its commands ended, since the last reset. */
export class PaneLog {
  readonly #pane: PaneSource | undefined;
  readonly #changed: () => void;
  #lines: string[] = [];
  /** Lines that came before the first of `#lines`. */
  #dropped = 0;
  #seen = new Map<string, { readonly found: boolean; readonly upTo: number }>();
  #exit: number | null = null;
  #command: string | null = null;
  readonly #onLine = (text: string): void => this.#addLine(text);
  readonly #onState = (state: PaneState): void => this.#noteState(state);

  constructor(pane: PaneSource | undefined, changed: () => void) {
    this.#pane = pane;
    this.#changed = changed;
    pane?.events.on("line", this.#onLine);
    pane?.events.on("state", this.#onState);
    if (pane?.state.phase === "busy") this.#command = pane.state.command;
  }

  facts(): PaneFacts {
    return {
      exit: this.#exit,
      busy: this.#pane?.state.phase === "busy",
      command: this.#command,
      saw: (pattern) => this.#saw(pattern),
    };
  }

  /** The command that runs now and when it began, in epoch milliseconds. */
  running(): { readonly command: string; readonly since: number } | undefined {
    const state = this.#pane?.state;
    return state?.phase === "busy" ? { command: state.command, since: state.since } : undefined;
  }

  reset(): void {
    this.#lines = [];
    this.#dropped = 0;
    this.#seen = new Map();
    this.#exit = null;
    this.#command = this.running()?.command ?? null;
  }

  close(): void {
    this.#pane?.events.off("line", this.#onLine);
    this.#pane?.events.off("state", this.#onState);
  }

  #addLine(text: string): void {
    this.#lines.push(text.slice(0, MAX_LINE));
    if (this.#lines.length > MAX_LINES * 2) {
      this.#dropped += this.#lines.length - MAX_LINES;
      this.#lines = this.#lines.slice(-MAX_LINES);
    }
    this.#changed();
  }

  #noteState(state: PaneState): void {
    if (state.phase === "busy") this.#command = state.command;
    if (state.phase === "idle" && state.exit !== null) this.#exit = state.exit;
    this.#changed();
  }

  /** Only lines that came since the last question are looked at; a hit stays. */
  #saw(pattern: RegExp): boolean {
    const key = String(pattern);
    const before = this.#seen.get(key);
    if (before?.found) return true;
    const fresh = this.#lines.slice(Math.max(0, (before?.upTo ?? 0) - this.#dropped));
    const found = fresh.some((line) => pattern.test(line));
    this.#seen.set(key, { found, upTo: this.#dropped + this.#lines.length });
    return found;
  }
}
