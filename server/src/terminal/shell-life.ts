import { EventEmitter } from "node:events";
import type { PaneId } from "../protocol/index.ts";
import { PaneBusy, PaneClosed, ScreenGone } from "./errors.ts";
import type { FloodLimits } from "./flood-gate.ts";
import type { CommandEnd, TerminalClock, TerminalLog } from "./pane.ts";
import { PaneOutput } from "./pane-output.ts";
import { endFamily, familyOf, foregroundOf, listProcesses, type ProcessRow, signalAll } from "./processes.ts";
import { Prompt } from "./prompt.ts";
import type { Pty, PtyFactory } from "./pty.ts";
import { isHarmlessReply, withoutAnswers } from "./replies.ts";
import type { ScreenSize } from "./screen.ts";
import type { ShellHome } from "./shell.ts";
import type { ShellMark } from "./shell-marks.ts";
import { advance, type Moment, type ShellEvent, type ShellState } from "./shell-state.ts";
import { readsSingleKeys } from "./tty-mode.ts";
import { bounded, whenEmitted } from "./waiting.ts";

/** The server's copy keeps more than a page shows. */
const SCROLLBACK_LINES = 5000;
const START_WITHIN_MS = 15_000;
/** After Enter, a shell that says nothing about beginnings has asked for more, or is done with an empty line, by then. */
const GUESS_WITHIN_MS = 200;
/** What runs may finish within this when its shell is closed. */
const CLOSE_GRACE_MS = 1000;

export interface ShellLifeOptions {
  readonly pane: PaneId;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly size: ScreenSize;
  readonly secret: string;
  readonly home: ShellHome;
  readonly factory: PtyFactory;
  readonly clock: TerminalClock;
  readonly log: TerminalLog;
  readonly flood?: FloodLimits | undefined;
}

export interface ShellLifeEvents {
  output: [bytes: Uint8Array, seq: number];
  line: [text: string];
  partial: [text: string];
  flooded: [lines: number];
  state: [state: ShellState];
  /** A prompt was drawn. */
  prompt: [];
}

/** One shell from its start to its end. */
export class ShellLife {
  readonly events: EventEmitter<ShellLifeEvents> = new EventEmitter();
  readonly output: PaneOutput;
  readonly #options: ShellLifeOptions;
  readonly #pty: Pty;
  readonly #prompt: Prompt;
  #state: ShellState = { phase: "starting" };
  #pid: number | undefined;
  #tty = "";
  #lastCommand: string | undefined;
  #ending: Promise<void> | undefined;

  /** @throws whatever the terminal's rung throws when it cannot start the shell. */
  constructor(options: ShellLifeOptions) {
    this.#options = options;
    this.output = this.#makeOutput();
    const { launch } = options.home;
    const { cwd, size, env } = options;
    this.#pty = options.factory.open({ ...size, ...launch, cwd, env: { ...env, ...launch.env } });
    this.#prompt = new Prompt({
      pty: this.#pty,
      output: this.output,
      home: options.home,
      events: this.events,
    });
    this.#pty.onData((bytes) => this.output.receive(bytes));
    this.#pty.onExit((exit) => this.#onExit(exit));
    void this.#watchStart();
  }

  get state(): ShellState {
    return this.#state;
  }

  get pid(): number | undefined {
    return this.#state.phase === "closed" ? undefined : this.#pid;
  }

  get lastCommand(): string | undefined {
    return this.#lastCommand;
  }

  write(data: string): void {
    const typed = withoutAnswers(data);
    if (typed === "" || this.#state.phase === "closed") return;
    this.#prompt.touch();
    this.output.hurry();
    // Only a guess, but such a shell says nothing itself; an empty line is over at once.
    const enter = typed.endsWith("\r") && this.#state.phase === "idle";
    if (enter && !this.#options.home.launch.saysBegin) this.#entered("", true);
    this.#pty.write(typed);
  }

  interrupt(): void {
    this.output.hurry();
    this.#pty.write("\x03");
  }

  resize(size: ScreenSize): void {
    this.#pty.resize(size.cols, size.rows);
    this.output.screen.resize(size);
  }

  /** @see Pane.run */
  async run(command: string, signal: AbortSignal): Promise<CommandEnd> {
    await this.#claim(command, signal);
    await this.#press(command, true);
    const end = await this.#untilState((state) => state.phase !== "busy", signal);
    if (end.phase === "idle") return { exit: end.exit ?? 0, seconds: end.seconds ?? 0 };
    throw this.#closedError();
  }

  /** @see Pane.type */
  async type(command: string, signal: AbortSignal): Promise<void> {
    await this.#claim(command, signal);
    await this.#press(command, false);
    this.#advance({ type: "released" });
  }

  async idleWithin(ms: number, signal: AbortSignal): Promise<boolean> {
    const wait = bounded(ms, signal);
    return this.#untilState(isResting, wait.signal).then(
      () => true,
      (error: unknown) => {
        wait.rethrowUnlessTimeout(error);
        return false;
      },
    );
  }

  readsKeys(): Promise<boolean> {
    return readsSingleKeys(this.#tty);
  }

  /** To the foreground program with all its processes; never to the shell. */
  async signal(signal: NodeJS.Signals): Promise<void> {
    signalAll(await this.#foreground(), signal);
  }

  /** Ends the shell and everything that it started, and closes the terminal. Twice is fine. */
  end(reason: string): Promise<void> {
    this.#ending ??= this.#end(reason);
    return this.#ending;
  }

  async #end(reason: string): Promise<void> {
    this.#advance({ type: "closed", reason });
    const leader = this.#pid ?? this.#pty.pid;
    const left = leader === undefined ? 0 : await endFamily(leader, CLOSE_GRACE_MS);
    if (left > 0)
      this.#options.log.warn({ pane: this.#options.pane, left }, "processes of a shell would not end");
    this.#pty.close();
    this.output.flush();
  }

  #makeOutput(): PaneOutput {
    const { size, secret, clock, flood } = this.#options;
    const events = this.events;
    return new PaneOutput({
      screen: { ...size, scrollback: SCROLLBACK_LINES, reply: (data) => this.#reply(data) },
      secret,
      flood,
      monotonic: () => clock.monotonic(),
      listener: {
        output: (bytes, seq) => events.emit("output", bytes, seq),
        line: (text) => events.emit("line", text),
        partial: (text) => events.emit("partial", text),
        flooded: (lines) => events.emit("flooded", lines),
        mark: (mark) => this.#onMark(mark),
      },
    });
  }

  #onMark(mark: ShellMark): void {
    switch (mark.type) {
      case "ready":
        this.#pid = mark.pid;
        this.#tty = mark.tty;
        return;
      case "began":
        if (this.#state.phase === "idle") this.#lastCommand = mark.command;
        return this.#advance({ type: "began", command: mark.command, at: this.#moment() });
      case "ended":
        return this.#advance({ type: "ended", exit: mark.exit, at: this.#moment() });
      case "continued":
        return this.#advance({ type: "continued" });
      case "prompt":
        this.#advance({ type: "prompted" });
        this.events.emit("prompt");
    }
  }

  #advance(event: ShellEvent): void {
    const next = advance(this.#state, event);
    if (next === this.#state) return;
    this.#state = next;
    this.events.emit("state", next);
  }

  #entered(command: string, guessed = false): void {
    if (!guessed) this.#lastCommand = command;
    if (!this.#options.home.launch.saysBegin) this.output.expectOutput();
    this.#advance({ type: "entered", command, guessed, at: this.#moment() });
  }

  /** Waits for a shell that starts, then keeps others from typing into it. */
  async #claim(command: string, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#state.phase === "starting") {
      await this.#untilState((state) => state.phase !== "starting", signal);
    }
    if (this.#state.phase === "busy" && this.#state.guessed) await this.idleWithin(GUESS_WITHIN_MS, signal);
    const state = this.#state;
    if (state.phase === "busy" || state.phase === "typing")
      throw new PaneBusy(this.#options.pane, state.command);
    if (state.phase === "closed") throw this.#closedError();
    this.#advance({ type: "claimed", command, at: this.#moment() });
  }

  async #press(command: string, enter: boolean): Promise<void> {
    const send = await this.#prompt.prepare(command).catch((error: unknown) => {
      throw error instanceof ScreenGone ? this.#closedError() : error;
    });
    if (this.#state.phase !== "typing") throw this.#closedError();
    if (enter) this.#entered(command);
    send(enter);
  }

  #reply(data: string): void {
    if (this.#state.phase === "busy" && isHarmlessReply(data)) this.#pty.write(data);
  }

  async #foreground(): Promise<ProcessRow[]> {
    if (this.#pid === undefined) return [];
    const rows = await listProcesses();
    const foreground = foregroundOf(this.#pid, rows);
    return this.#pty.submit === undefined ? foreground : familyOf(this.#pid, rows).slice(1);
  }

  async #watchStart(): Promise<void> {
    const wait = bounded(START_WITHIN_MS);
    await this.#untilState((state) => state.phase !== "starting", wait.signal).catch(
      wait.rethrowUnlessTimeout,
    );
    if (this.#state.phase === "starting")
      await this.end(`it did not start within ${START_WITHIN_MS / 1000} s.`);
  }

  #onExit(exit: number | undefined): void {
    if (this.#state.phase === "closed") return;
    const how = exit === undefined ? "it could not be started" : `it ended with exit code ${exit}`;
    this.output.say(`\r\n\x1b[0;2m[The shell is closed: ${how}. The next Run opens a new one.]\x1b[0m\r\n`);
    void this.end(`${how}.`);
  }

  async #untilState(accept: (state: ShellState) => boolean, signal: AbortSignal): Promise<ShellState> {
    return accept(this.#state) ? this.#state : whenEmitted(this.events, "state", accept, signal);
  }

  #closedError(): PaneClosed {
    const reason = this.#state.phase === "closed" ? this.#state.reason : "it was taken for something else.";
    return new PaneClosed(this.#options.pane, reason);
  }

  #moment(): Moment {
    const { clock } = this.#options;
    return { now: clock.now(), monotonic: clock.monotonic() };
  }
}

/** Nothing runs: the shell waits, or is gone. */
function isResting(state: ShellState): boolean {
  return state.phase === "idle" || state.phase === "closed";
}
