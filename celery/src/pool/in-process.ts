import { EventEmitter } from "node:events";
import type { CeleryApp } from "../app/types.ts";
import { type ExecuteDeps, startExecution } from "../execution/execute.ts";
import type { Outcome } from "../execution/outcome.ts";
import type { TaskRequest } from "../execution/request.ts";
import { Run, type RunHost } from "../execution/run.ts";
import { encodeJson } from "../protocol/json.ts";
import { Bag, type BagMember } from "../runtime/bag.ts";
import { systemClock } from "../runtime/clock.ts";
import { captureOutput, type OutputCapture } from "./capture.ts";
import { type Pool, PoolError, type PoolEvents, type PoolResult, type RunHooks, TOO_LATE } from "./pool.ts";
import { describeStray } from "./stray.ts";

export interface InProcessOptions {
  readonly kind: "async" | "solo";
  /** How many tasks may be under way at once; `solo` has one. */
  readonly size: number;
  readonly app: CeleryApp;
  /** Where tasks' output is taken from; not given: it is left alone. */
  readonly redirect?: NodeJS.Process;
}

const PROCESS_NAME = "MainProcess";
/** A task that took less is expected to do so again. */
const QUICK_SECONDS = 0.001;
/** So long may quick tasks be run one after the other before acks leave and others get their turn. */
const TURN_MS = 5;
const CANCELLED: PoolResult = { ended: "cancelled", processName: PROCESS_NAME };

/** One run on the worker's own loop: nothing can be killed here, only no longer waited for. */
class Running implements RunHost, BagMember {
  place = -1;
  readonly request: TaskRequest;
  readonly hooks: RunHooks;
  readonly run: Run = new Run(this);
  readonly done: (result: PoolResult) => void;
  hardLimit: NodeJS.Timeout | undefined;
  onAbort: (() => void) | undefined;
  /** Why it was given up, if it was. */
  verdict: PoolResult | undefined;
  /** Its execution is under way and tells of its end. */
  hasBegun = false;
  /** Its end has been told: what its function still says is not passed on. */
  isOver = false;

  constructor(request: TaskRequest, hooks: RunHooks, done: (result: PoolResult) => void) {
    this.request = request;
    this.hooks = hooks;
    this.done = done;
  }

  giveUp(verdict: PoolResult): void {
    this.verdict ??= verdict;
    this.run.giveUp(new Error(`given up: ${this.verdict.ended}`));
  }

  /** Encoded before it leaves the task, so that a value that cannot travel is the task's error. */
  async updateState(state: string, meta: unknown): Promise<void> {
    if (this.isOver) throw new Error(TOO_LATE);
    await this.hooks.onState(state, encodeJson(meta));
  }

  onSoftLimit(limitSeconds: number): void {
    this.hooks.onSoftLimit(limitSeconds);
  }

  sendEvent(type: string, fields: Readonly<Record<string, unknown>>): void {
    if (!this.isOver) this.hooks.onEvent?.(type, encodeJson(fields));
  }
}

/**
 * Runs tasks on this event loop. A task that blocks the loop blocks the worker; one that passes its hard limit
 * is given up and reported, but may go on behind the scenes.
 */
export function openInProcessPool(options: InProcessOptions): Pool {
  return new InProcessPool(options);
}

class InProcessPool implements Pool {
  readonly kind: "async" | "solo";
  readonly ready: Promise<void> = Promise.resolve();
  readonly events: EventEmitter<PoolEvents> = new EventEmitter();
  readonly #capture: OutputCapture | undefined;
  readonly #redirect: NodeJS.Process | undefined;
  readonly #running = new Bag<Running>();
  readonly #deps: ExecuteDeps;
  readonly #starting: Running[] = [];
  readonly #startingNow: Running[] = [];
  /** Names of tasks whose last run took no time to speak of: they need not wait for their ack to leave. */
  readonly #quick = new Set<string>();
  #turnEndsMs: number | undefined;
  #isTelling = false;
  #size: number;
  #writes = 0;

  constructor(options: InProcessOptions) {
    this.kind = options.kind;
    this.#size = options.kind === "solo" ? 1 : options.size;
    this.#deps = {
      app: options.app,
      clock: systemClock,
      random: Math.random,
      report: (text) => this.#say(text),
    };
    this.#redirect = options.redirect;
    // A promise that a task forgot must not end the worker with everything else in it.
    options.redirect?.on("unhandledRejection", this.#onStray);
    this.#capture =
      options.redirect &&
      captureOutput(options.redirect, (line) => this.events.emit("output", PROCESS_NAME, line));
  }

  get size(): number {
    return this.#size;
  }

  free(): number {
    return this.#size - this.#running.size;
  }

  room(): number {
    return this.free();
  }

  hasWaiting(): boolean {
    return false;
  }

  run(request: TaskRequest, hooks: RunHooks): Promise<PoolResult> {
    return new Promise((resolve) => this.start(request, hooks, resolve));
  }

  start(request: TaskRequest, hooks: RunHooks, done: (result: PoolResult) => void): void {
    if (this.free() <= 0) throw new Error("no free slot in the pool");
    this.#take(new Running(request, hooks, done));
  }

  #take(running: Running): void {
    const { request, hooks } = running;
    hooks.handle = running;
    this.#running.add(running);
    this.#writes += 1;
    const limitSeconds = request.hardLimitSeconds;
    if (limitSeconds !== null) {
      const late: PoolResult = { ended: "timeout", limitSeconds, processName: PROCESS_NAME };
      running.hardLimit = setTimeout(() => this.#giveUp(running, late), limitSeconds * 1000);
    }
    if (hooks.signal) {
      running.onAbort = () => this.#giveUp(running, CANCELLED);
      if (hooks.signal.aborted) running.onAbort();
      hooks.signal.addEventListener("abort", running.onAbort, { once: true });
    }
    hooks.onStart(process.pid, PROCESS_NAME);
    if (this.#quick.has(request.task) && this.#hasTime()) {
      if (this.#startingNow.push(running) === 1) queueMicrotask(() => this.#startAll(this.#startingNow));
      return;
    }
    // What that has set off (the early ack) is to leave before a function that blocks the loop begins.
    if (this.#starting.push(running) === 1) setImmediate(() => this.#startAll(this.#starting));
  }

  #startAll(starting: Running[]): void {
    for (const running of starting.splice(0)) {
      running.hasBegun = true;
      startExecution(running.request, running.run, this.#deps, ({ outcome }) => this.#end(running, outcome));
    }
  }

  /** A handler of the task, or a listener, that never ends must not keep the slot: the function may have ended long ago. */
  #giveUp(running: Running, verdict: PoolResult): void {
    running.giveUp(verdict);
    if (running.hasBegun) this.#end(running);
  }

  /** Whether this turn of the event loop is young enough for more to be done in it. */
  #hasTime(): boolean {
    const nowMs = performance.now();
    if (this.#turnEndsMs === undefined) {
      this.#turnEndsMs = nowMs + TURN_MS;
      setImmediate(() => {
        this.#turnEndsMs = undefined;
      });
    }
    return nowMs < this.#turnEndsMs;
  }

  /** @param outcome not given: the verdict stands, and what the task still does is not waited for. */
  #end(running: Running, outcome?: Outcome): void {
    if (running.isOver) return;
    const { request, hooks, verdict, hardLimit, onAbort } = running;
    if (hardLimit) clearTimeout(hardLimit);
    if (onAbort) hooks.signal?.removeEventListener("abort", onAbort);
    this.#running.delete(running);
    running.isOver = true;
    if (outcome && outcome.runtimeSeconds < QUICK_SECONDS) this.#quick.add(request.task);
    else this.#quick.delete(request.task);
    const result = verdict ?? (outcome && { ended: "done", outcome, processName: PROCESS_NAME });
    running.done(result ?? CANCELLED);
    this.#tellFree();
  }

  /** After the callers have their results: they may want the slots for something else. Once is enough for all that end together. */
  #tellFree(): void {
    if (this.#isTelling) return;
    this.#isTelling = true;
    const tell = (): void => {
      this.#isTelling = false;
      this.events.emit("free");
    };
    if (this.#hasTime()) queueMicrotask(tell);
    else setImmediate(tell);
  }

  cancelRun(hooks: RunHooks): void {
    const running = this.#find(hooks);
    if (running) this.#giveUp(running, CANCELLED);
  }

  terminateRun(hooks: RunHooks, signal: NodeJS.Signals): boolean {
    const running = this.#find(hooks);
    if (!running) return false;
    if (signal === "SIGUSR1") running.run.expire(null);
    else this.#giveUp(running, { ended: "terminated", signal, processName: PROCESS_NAME });
    return true;
  }

  #find({ handle }: RunHooks): Running | undefined {
    return handle instanceof Running && this.#running.has(handle) ? handle : undefined;
  }

  beginWithin(): void {
    // Nothing waits in here.
  }

  retireAfter(): void {
    // There is no process to replace.
  }

  retireAbove(): void {
    // There is no process to replace.
  }

  grow(slots: number): void {
    if (this.kind === "solo") throw new PoolError("The solo pool runs one task at a time: it cannot grow.");
    this.#size += slots;
    this.#tellFree();
  }

  shrink(slots: number): void {
    if (this.kind === "solo") throw new PoolError("The solo pool runs one task at a time: it cannot shrink.");
    const idle = Math.max(0, this.free());
    const leaving = Math.min(slots, idle, this.#size - 1);
    this.#size -= leaving;
    if (leaving === slots) return;
    throw new PoolError(
      idle < slots ? "Can't shrink pool. All processes busy!" : "Can't shrink pool. One slot has to stay.",
    );
  }

  restart(): void {
    throw new PoolError(
      `The ${this.kind} pool runs tasks in the worker's own process, which loads each file once: restart the worker.`,
    );
  }

  processes(): readonly number[] {
    return [process.pid];
  }

  writes(): readonly number[] {
    return [this.#writes];
  }

  terminate(): void {
    for (const running of this.#running.snapshot()) this.#giveUp(running, CANCELLED);
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.terminate();
    this.#capture?.[Symbol.dispose]();
    this.#redirect?.off("unhandledRejection", this.#onStray);
    return Promise.resolve();
  }

  readonly #onStray = (reason: unknown): void => {
    this.#say(describeStray(reason));
  };

  #say(text: string): void {
    for (const line of text.split("\n")) this.events.emit("output", PROCESS_NAME, line);
  }
}
