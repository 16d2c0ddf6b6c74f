import type { EventEmitter } from "node:events";
import type { PaneId, PaneState, PtyRung } from "../protocol/index.ts";
import type { FloodLimits } from "./flood-gate.ts";
import type { PtyFactory } from "./pty.ts";
import type { ShellKind } from "./shell.ts";
import type { StopPatience } from "./stop-foreground.ts";

/** What this folder logs with; a pino logger fits. */
export interface TerminalLog {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

/** Wall time in epoch milliseconds for records, monotonic milliseconds for durations. */
export interface TerminalClock {
  now(): number;
  monotonic(): number;
}

export interface PaneOptions {
  readonly id: PaneId;
  readonly cwd: string;
  /** The whole environment of the shell; make it with `shellEnvironment`. */
  readonly env: Readonly<Record<string, string>>;
  readonly cols: number;
  readonly rows: number;
  readonly log: TerminalLog;
  /** From `choosePty`, which is asked once per server; left out, every pane finds its own way. */
  readonly pty?: PtyFactory | undefined;
  readonly clock?: TerminalClock | undefined;
  /** Takes this shell or none; left out, the first of bash, zsh and sh that is there. */
  readonly shell?: ShellKind | undefined;
  /** How long `stop` waits. */
  readonly patience?: StopPatience | undefined;
  /** What counts as a flood of output. */
  readonly flood?: FloodLimits | undefined;
}

/** How a command ended; `seconds` is how long it ran. */
export interface CommandEnd {
  readonly exit: number;
  readonly seconds: number;
}

/** A screen with scrollback as escape sequences, and the output count that it stands for. */
export interface PaneSnapshot {
  readonly epoch: number;
  readonly seq: number;
  readonly data: string;
}

export interface PaneEvents {
  /** Output as viewers get it; `seq` counts this epoch's bytes *before* `bytes`. */
  output: [bytes: Uint8Array, seq: number];
  /** Comes after all output that was written before it. */
  state: [state: PaneState];
  /** A finished line that a command printed: no escape sequences, no prompt, no echo of what was typed. */
  line: [text: string];
  /** The unfinished last line of a running command (a question, a prompt of its own), each time it changed. */
  partial: [text: string];
  /** A command's output came faster than anyone can read; this many lines were left out of the screen. */
  flooded: [lines: number];
}

/** A long-lived shell in a terminal, and the authoritative copy of its screen. */
export interface Pane extends AsyncDisposable {
  readonly id: PaneId;
  readonly state: PaneState;
  readonly rung: PtyRung;
  /** Of the shell; undefined while it starts and after it ended. */
  readonly pid: number | undefined;
  readonly cwd: string;
  readonly cols: number;
  readonly rows: number;
  /** The last command that ran or runs, typed by a step or by the learner. */
  readonly lastCommand: string | undefined;
  readonly events: EventEmitter<PaneEvents>;

  /** Types for a viewer. What a terminal sends by itself (answers to queries) is left out: the server answers those. */
  write(data: string): void;
  resize(cols: number, rows: number): void;
  /** Ctrl-C to the foreground program. */
  interrupt(): void;

  /**
   * Runs a command in the idle shell, as if typed; waits first for a shell that is still starting.
   *
   * @param options.signal ends the wait, not the command.
   * @throws PaneBusy while another command runs.
   * @throws PaneClosed when the shell is gone, or goes before the command ended.
   */
  run(command: string, options?: { readonly signal?: AbortSignal }): Promise<CommandEnd>;

  /** Puts a command at the prompt and leaves Enter to the learner. Throws like `run`. */
  type(command: string, options?: { readonly signal?: AbortSignal }): Promise<void>;

  /**
   * Ends what runs in the foreground: Ctrl-C, after 10 s again, 5 s later SIGKILL to its process group. A program that reads
   * single keys (an editor, a REPL) has nothing to finish and gets less time. Resolves when the shell is idle or closed.
   */
  stop(signal?: AbortSignal): Promise<void>;

  /** Ends the shell with all it started and opens a new one, `epoch + 1`; also the way out of `closed`. */
  restart(cwd?: string): Promise<void>;

  /** The screen with up to `scrollback` lines above it. */
  snapshot(scrollback: number): Promise<PaneSnapshot>;

  /** This epoch's output from `seq` on; undefined when it is another epoch's or no longer kept. */
  since(epoch: number, seq: number): Uint8Array | undefined;

  /** The last `lines` (all, when left out) of screen and scrollback as plain text; wrapped lines are joined. */
  text(lines?: number): Promise<string>;
}
