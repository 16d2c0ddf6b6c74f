import { EventEmitter } from "node:events";
import type { CeleryApp } from "../app/types.ts";
import { type ExecuteDeps, startExecution } from "../execution/execute.ts";
import type { Outcome } from "../execution/outcome.ts";
import type { TaskRequest } from "../execution/request.ts";
import { Run, type RunHost } from "../execution/run.ts";
import { encodeJson } from "../protocol/json.ts";
import { systemClock } from "../runtime/clock.ts";
import { captureOutput, type OutputCapture } from "./capture.ts";
import { type Pool, PoolError, type PoolEvents, type PoolResult, type RunHooks } from "./pool.ts";
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
const CANCELLED: PoolResult = { ended: "cancelled", processName: PROCESS_NAME };

/** One run on the worker's own loop: nothing can be killed here, only no longer waited for. */
class Running implements RunHost {
  readonly request: TaskRequest;
  readonly hooks: RunHooks;
  readonly run: Run = new Run(this);
  readonly resolve: (result: PoolResult) => void;
  hardLimit: NodeJS.Timeout | undefined;
  onAbort: (() => void) | undefined;
  /** Why it was given up, if it was. */
  verdict: PoolResult | undefined;

  constructor(request: TaskRequest, hooks: RunHooks, resolve: (result: PoolResult) => void) {
    this.request = request;
    this.hooks = hooks;
    this.resolve = resolve;
  }

  giveUp(verdict: PoolResult): void {
    this.verdict ??= verdict;
    this.run.giveUp(new Error(`given up: ${this.verdict.ended}`));
  }

  /** Encoded before it leaves the task, so that a value that cannot travel is the task's error. */
  async updateState(state: string, meta: unknown): Promise<void> {
    await this.hooks.onState(state, encodeJson(meta));
  }

  onSoftLimit(limitSeconds: number): void {
    this.hooks.onSoftLimit(limitSeconds);
  }

  sendEvent(type: string, fields: Readonly<Record<string, unknown>>): void {
    this.hooks.onEvent?.(type, encodeJson(fields));
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
  readonly #running = new Map<RunHooks, Running>();
  readonly #deps: ExecuteDeps;
  readonly #starting: Running[] = [];
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

  run(request: TaskRequest, hooks: RunHooks): Promise<PoolResult> {
    if (this.free() <= 0) return Promise.reject(new Error("no free slot in the pool"));
    return new Promise((resolve) => this.#take(new Running(request, hooks, resolve)));
  }

  #take(running: Running): void {
    const { request, hooks } = running;
    this.#running.set(hooks, running);
    this.#writes += 1;
    const limitSeconds = request.hardLimitSeconds;
    if (limitSeconds !== null) {
      const late: PoolResult = { ended: "timeout", limitSeconds, processName: PROCESS_NAME };
      running.hardLimit = setTimeout(() => running.giveUp(late), limitSeconds * 1000);
    }
    if (hooks.signal) {
      running.onAbort = () => running.giveUp(CANCELLED);
      if (hooks.signal.aborted) running.onAbort();
      hooks.signal.addEventListener("abort", running.onAbort, { once: true });
    }
    hooks.onStart(process.pid, PROCESS_NAME);
    // What that has set off (the early ack) is to leave before a function that blocks the loop begins.
    if (this.#starting.push(running) === 1) setImmediate(() => this.#startAll());
  }

  #startAll(): void {
    for (const running of this.#starting.splice(0)) {
      startExecution(running.request, running.run, this.#deps, ({ outcome }) => this.#end(running, outcome));
    }
  }

  #end(running: Running, outcome: Outcome): void {
    const { hooks, verdict, hardLimit, onAbort } = running;
    clearTimeout(hardLimit);
    if (onAbort) hooks.signal?.removeEventListener("abort", onAbort);
    this.#running.delete(hooks);
    running.resolve(verdict ?? { ended: "done", outcome, processName: PROCESS_NAME });
    this.#tellFree();
  }

  /** After the callers have their results: they may want the slots for something else. Once per turn is enough. */
  #tellFree(): void {
    if (this.#isTelling) return;
    this.#isTelling = true;
    setImmediate(() => {
      this.#isTelling = false;
      this.events.emit("free");
    });
  }

  cancelRun(hooks: RunHooks): void {
    this.#running.get(hooks)?.giveUp(CANCELLED);
  }

  terminateRun(hooks: RunHooks, signal: NodeJS.Signals): boolean {
    const running = this.#running.get(hooks);
    if (!running) return false;
    if (signal === "SIGUSR1") running.run.expire(null);
    else running.giveUp({ ended: "terminated", signal, processName: PROCESS_NAME });
    return true;
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
    for (const running of this.#running.values()) running.giveUp(CANCELLED);
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
