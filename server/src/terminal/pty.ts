import type { PtyRung } from "../protocol/index.ts";

export interface PtyOptions {
  /** Absolute path or a name on `env.PATH`. */
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly cols: number;
  readonly rows: number;
}

/** A program whose terminal we hold the other end of. */
export interface Pty {
  /** Of the program, or of the helper that holds the terminal for us; undefined when it could not start. */
  readonly pid: number | undefined;
  write(data: string): void;
  /**
   * Only where there is no terminal to type into: gives the shell a command. `write` then knows nothing but Ctrl-C.
   *
   * @param script path of a file with the command.
   */
  readonly submit?: (script: string) => void;
  resize(cols: number, rows: number): void;
  /** Set once, before the first output can arrive. */
  onData(listener: (bytes: Uint8Array) => void): void;
  /** Called once, when the program has ended and its output was read. */
  onExit(listener: (exit: number | undefined) => void): void;
  /** Closes our end: the kernel hangs up on whatever still uses the terminal. Twice is fine. */
  close(): void;
}

/** One way to get a terminal, chosen at start. */
export interface PtyFactory {
  readonly rung: PtyRung;
  open(options: PtyOptions): Pty;
}
