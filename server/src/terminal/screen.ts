import { Unicode11Addon } from "@xterm/addon-unicode11";
import headless, { type IBufferLine } from "@xterm/headless";
import { ScreenGone } from "./errors.ts";
import { trackHiddenModes } from "./hidden-modes.ts";
import { snapshotOf } from "./snapshot.ts";

export interface ScreenSize {
  readonly cols: number;
  readonly rows: number;
}

export interface ScreenOptions extends ScreenSize {
  /** Lines kept above the screen. */
  readonly scrollback: number;
  /** Called with what the terminal answers to a program's query. */
  readonly reply: (data: string) => void;
}

/**
 * The authoritative screen: a terminal without a display. Bytes are parsed in slices of 12 ms between other work, so
 * everything that looks at the screen waits for what was written before.
 */
export class Screen {
  readonly #terminal: headless.Terminal;
  readonly #hiddenModes: () => string;
  #disposed = false;

  constructor(options: ScreenOptions) {
    const { cols, rows, scrollback } = options;
    this.#terminal = new headless.Terminal({ cols, rows, scrollback, allowProposedApi: true });
    this.#terminal.loadAddon(new Unicode11Addon());
    this.#terminal.unicode.activeVersion = "11";
    this.#terminal.onData(options.reply);
    this.#hiddenModes = trackHiddenModes(this.#terminal);
  }

  write(bytes: Uint8Array): void {
    this.#terminal.write(bytes);
  }

  /** Takes effect after everything that was written before. */
  resize(size: ScreenSize): void {
    this.#terminal.write("", () => this.#terminal.resize(size.cols, size.rows));
  }

  /**
   * Runs `look` when everything written before is on the screen and nothing written after.
   *
   * @throws ScreenGone after `dispose`.
   */
  #settled<T>(look: () => T): Promise<T> {
    if (this.#disposed) return Promise.reject(new ScreenGone("This screen's shell was replaced."));
    return new Promise((resolve, reject) => {
      this.#terminal.write("", () => {
        try {
          resolve(look());
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error)));
        }
      });
    });
  }

  /** The screen and `scrollback` lines above it as escape sequences for an empty terminal of the same size. */
  snapshot(scrollback: number): Promise<string> {
    return this.#settled(() => {
      return snapshotOf(this.#terminal, scrollback) + this.#hiddenModes();
    });
  }

  /** Plain text from the top of the scrollback, wrapped lines joined, without empty lines at the end. */
  text(): Promise<string[]> {
    return this.#settled(() => {
      const buffer = this.#terminal.buffer.active;
      const lines: string[] = [];
      for (let y = 0; y < buffer.length; y += 1) {
        const line = buffer.getLine(y);
        // Behind its last line a full buffer gives its first again.
        const wrapsOn = y + 1 < buffer.length && buffer.getLine(y + 1)?.isWrapped === true;
        if (line !== undefined) addRow(lines, line, wrapsOn);
      }
      while (lines.at(-1) === "") lines.pop();
      return lines;
    });
  }

  /** Whether the program that reads now wants pasted text between markers. */
  bracketedPaste(): Promise<boolean> {
    return this.#settled(() => this.#terminal.modes.bracketedPasteMode);
  }

  /** Who looks at it already still gets an answer. */
  dispose(): void {
    this.#disposed = true;
    this.#terminal.write("", () => this.#terminal.dispose());
  }
}

/** A row that goes on in the next one keeps the spaces at its end: they are between words. */
function addRow(lines: string[], row: IBufferLine, wrapsOn: boolean): void {
  const all = row.translateToString(!wrapsOn);
  const text = wrapsOn ? all : all.trimEnd();
  if (row.isWrapped && lines.length > 0) lines.push((lines.pop() ?? "") + text);
  else lines.push(text);
}
