import { EventEmitter } from "node:events";
import type { CeleryApp } from "../app/types.ts";
import { execute } from "../execution/execute.ts";
import type { TaskRequest } from "../execution/request.ts";
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

/** Why a run on the worker's own loop was given up: nothing can be killed here, only no longer waited for. */
class GivenUp extends Error {
  readonly result: PoolResult;

  constructor(result: PoolResult) {
    super(`given up: ${result.ended}`);
    this.result = result;
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
  readonly #app: CeleryApp;
  readonly #capture: OutputCapture | undefined;
  readonly #redirect: NodeJS.Process | undefined;
  readonly #running = new Map<RunHooks, AbortController>();
  #size: number;
  #writes = 0;

  constructor(options: InProcessOptions) {
    this.kind = options.kind;
    this.#size = options.kind === "solo" ? 1 : options.size;
    this.#app = options.app;
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

  async run(request: TaskRequest, hooks: RunHooks): Promise<PoolResult> {
    if (this.free() <= 0) throw new Error("no free slot in the pool");
    const control = new AbortController();
    this.#running.set(hooks, control);
    this.#writes += 1;
    const limit = this.#armHardLimit(request, control);
    const stop = (): void => control.abort(new GivenUp(lost()));
    hooks.signal?.addEventListener("abort", stop, { once: true });
    try {
      return await this.#execute(request, hooks, control.signal);
    } finally {
      clearTimeout(limit);
      hooks.signal?.removeEventListener("abort", stop);
      this.#running.delete(hooks);
      // After the caller has its result: it may want the slot for something else.
      this.#tellFree();
    }
  }

  #tellFree(): void {
    setImmediate(() => this.events.emit("free"));
  }

  cancelRun(hooks: RunHooks): void {
    this.#running.get(hooks)?.abort(new GivenUp(lost()));
  }

  terminateRun(hooks: RunHooks, signal: NodeJS.Signals): boolean {
    const control = this.#running.get(hooks);
    control?.abort(new GivenUp({ ended: "terminated", signal, processName: PROCESS_NAME }));
    return control !== undefined;
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
    for (const control of this.#running.values()) control.abort(new GivenUp(lost()));
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.terminate();
    this.#capture?.[Symbol.dispose]();
    this.#redirect?.off("unhandledRejection", this.#onStray);
    return Promise.resolve();
  }

  async #execute(request: TaskRequest, hooks: RunHooks, signal: AbortSignal): Promise<PoolResult> {
    hooks.onStart(process.pid, PROCESS_NAME);
    // What that has set off (the early ack) is to leave before a function that blocks the loop begins.
    await new Promise((resolve) => setImmediate(resolve));
    const { outcome } = await execute(request, {
      app: this.#app,
      clock: systemClock,
      random: Math.random,
      signal,
      // Encoded before it leaves the task, so that a value that cannot travel is the task's error.
      updateState: async (state, meta) => hooks.onState(state, encodeJson(meta)),
      onSoftLimit: (limitSeconds) => hooks.onSoftLimit(limitSeconds),
    });
    if (signal.aborted && signal.reason instanceof GivenUp) return signal.reason.result;
    return { ended: "done", outcome, processName: PROCESS_NAME };
  }

  readonly #onStray = (reason: unknown): void => {
    for (const line of describeStray(reason).split("\n")) this.events.emit("output", PROCESS_NAME, line);
  };

  #armHardLimit(request: TaskRequest, control: AbortController): NodeJS.Timeout | undefined {
    const limitSeconds = request.hardLimitSeconds;
    if (limitSeconds === null) return undefined;
    const late = new GivenUp({ ended: "timeout", limitSeconds, processName: PROCESS_NAME });
    return setTimeout(() => control.abort(late), limitSeconds * 1000);
  }
}

function lost(): PoolResult {
  return { ended: "cancelled", processName: PROCESS_NAME };
}
