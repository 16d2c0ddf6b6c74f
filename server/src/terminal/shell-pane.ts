import { randomBytes } from "node:crypto";
import { EventEmitter } from "node:events";
import { stat } from "node:fs/promises";
import { isDeepStrictEqual } from "node:util";
import type { PaneId, PaneState, PtyRung } from "../protocol/index.ts";
import { choosePty } from "./choose-pty.ts";
import { ShellUnavailable } from "./errors.ts";
import type { CommandEnd, Pane, PaneEvents, PaneOptions, PaneSnapshot, TerminalClock } from "./pane.ts";
import type { PtyFactory } from "./pty.ts";
import type { ScreenSize } from "./screen.ts";
import { openShellHome, type ShellHome } from "./shell.ts";
import { ShellLife } from "./shell-life.ts";
import { viewOf } from "./shell-state.ts";
import { STOP_PATIENCE, stopForeground } from "./stop-foreground.ts";

const NEVER: AbortSignal = new AbortController().signal;

/**
 * Opens a pane; its shell is starting when this resolves, and `run` waits for it.
 *
 * @throws ShellUnavailable when there is no shell, no terminal of the forced rung, or `cwd` is not a folder.
 */
export async function openPane(options: PaneOptions): Promise<Pane> {
  const factory = options.pty ?? (await choosePty(options));
  const secret = randomBytes(8).toString("hex");
  const { id, env, shell } = options;
  await requireFolder(options.cwd);
  const home = await openShellHome({ pane: id, rung: factory.rung, secret, env, kind: shell });
  return new ShellPane({ ...options, factory, secret, home });
}

interface ShellPaneOptions extends PaneOptions {
  readonly factory: PtyFactory;
  readonly secret: string;
  readonly home: ShellHome;
}

const SYSTEM_CLOCK: TerminalClock = { now: () => Date.now(), monotonic: () => performance.now() };

class ShellPane implements Pane {
  readonly id: PaneId;
  readonly events: EventEmitter<PaneEvents> = new EventEmitter();
  readonly #options: ShellPaneOptions;
  readonly #clock: TerminalClock;
  #epoch = 1;
  #cwd: string;
  #size: ScreenSize;
  #life: ShellLife;
  #told: PaneState | undefined;
  /** Restarts happen one after another. */
  #changing: Promise<void> = Promise.resolve();

  constructor(options: ShellPaneOptions) {
    this.id = options.id;
    this.#options = options;
    this.#clock = options.clock ?? SYSTEM_CLOCK;
    this.#cwd = options.cwd;
    // Every viewer listens, and there may be many.
    this.events.setMaxListeners(0);
    this.#size = { cols: options.cols, rows: options.rows };
    this.#life = this.#begin();
  }

  get state(): PaneState {
    return viewOf(this.#life.state, this.#epoch);
  }

  get rung(): PtyRung {
    return this.#options.factory.rung;
  }

  get pid(): number | undefined {
    return this.#life.pid;
  }

  get cwd(): string {
    return this.#cwd;
  }

  get cols(): number {
    return this.#size.cols;
  }

  get rows(): number {
    return this.#size.rows;
  }

  get lastCommand(): string | undefined {
    return this.#life.lastCommand;
  }

  write(data: string): void {
    this.#life.write(data);
  }

  resize(cols: number, rows: number): void {
    if (cols === this.#size.cols && rows === this.#size.rows) return;
    this.#size = { cols, rows };
    this.#life.resize(this.#size);
  }

  interrupt(): void {
    this.#life.interrupt();
  }

  run(command: string, options: { readonly signal?: AbortSignal } = {}): Promise<CommandEnd> {
    return this.#life.run(command, options.signal ?? NEVER);
  }

  type(command: string, options: { readonly signal?: AbortSignal } = {}): Promise<void> {
    return this.#life.type(command, options.signal ?? NEVER);
  }

  async stop(signal: AbortSignal = NEVER): Promise<void> {
    const life = this.#life;
    if (await life.idleWithin(0, signal)) return;
    const deps = {
      interrupt: () => life.interrupt(),
      idleWithin: (ms: number) => life.idleWithin(ms, signal),
      readsKeys: () => life.readsKeys(),
      signal: (name: NodeJS.Signals) => life.signal(name),
    };
    const stopped = await stopForeground(deps, this.#options.patience ?? STOP_PATIENCE);
    if (!stopped && life === this.#life) await this.restart();
  }

  restart(cwd: string = this.#cwd): Promise<void> {
    this.#changing = this.#changing.catch(() => {}).then(() => this.#restart(cwd));
    return this.#changing;
  }

  async snapshot(scrollback: number): Promise<PaneSnapshot> {
    const epoch = this.#epoch;
    const { output } = this.#life;
    output.flush();
    const seq = output.seq;
    return { epoch, seq, data: await output.screen.snapshot(scrollback) };
  }

  since(epoch: number, seq: number): Uint8Array | undefined {
    if (epoch !== this.#epoch) return undefined;
    this.#life.output.flush();
    return this.#life.output.since(seq);
  }

  async text(lines?: number): Promise<string> {
    const { output } = this.#life;
    output.flush();
    const all = await output.screen.text();
    return (lines === undefined ? all : all.slice(-lines)).join("\n");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#changing.catch(() => {});
    await this.#life.end("the playground is closing.");
    this.#life.output.dispose();
    await this.#options.home[Symbol.asyncDispose]();
  }

  async #restart(cwd: string): Promise<void> {
    await requireFolder(cwd);
    const old = this.#life;
    await old.end("it was restarted.");
    old.events.removeAllListeners();
    old.output.dispose();
    this.#epoch += 1;
    this.#cwd = cwd;
    this.#life = this.#begin();
    this.#tell();
  }

  #begin(): ShellLife {
    const { id: pane, env, secret, home, factory, log, flood } = this.#options;
    const clock = this.#clock;
    const life = new ShellLife({
      pane,
      cwd: this.#cwd,
      env,
      size: this.#size,
      secret,
      home,
      factory,
      clock,
      log,
      flood,
    });
    const { events } = this;
    life.events.on("output", (bytes, seq) => events.emit("output", bytes, seq));
    life.events.on("line", (text) => events.emit("line", text));
    life.events.on("partial", (text) => events.emit("partial", text));
    life.events.on("flooded", (lines) => events.emit("flooded", lines));
    life.events.on("state", () => this.#tell());
    return life;
  }

  /** Only what the page can see is a change. */
  #tell(): void {
    const state = this.state;
    if (isDeepStrictEqual(state, this.#told)) return;
    this.#told = state;
    this.events.emit("state", state);
  }
}

async function requireFolder(path: string): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  if (found?.isDirectory() !== true) throw new ShellUnavailable(`The shell's folder ${path} does not exist.`);
}
