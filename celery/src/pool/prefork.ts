import { EventEmitter } from "node:events";
import type { TaskRequest } from "../execution/request.ts";
import { MachineClock } from "../runtime/machine-clock.ts";
import { sleep } from "../runtime/sleep.ts";
import { PoolChild } from "./child-process.ts";
import { type Job, makeJob } from "./job.ts";
import { type Pool, PoolError, type PoolEvents, type PoolResult, type RunHooks } from "./pool.ts";

export interface PreforkOptions {
  readonly size: number;
  readonly appSpec: string;
  /** Modules to load besides the app's. */
  readonly include?: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly hostname: string;
  readonly readyTimeoutMs?: number;
}

/** Loading a model at import may take long; a child that takes longer than this hangs. */
const READY_TIMEOUT_MS = 60_000;
const RETIRE_GRACE_MS = 2_000;
const MAX_START_DELAY_MS = 30_000;
/**
 * Tasks that may wait in a busy child whose runs take less than so many milliseconds on average, so that it need not wait for the worker
 * between two. Few: what has run there without the worker knowing is lost, or runs again, when both are killed at once.
 */
const AHEAD: readonly { readonly underMs: number; readonly tasks: number }[] = [
  { underMs: 1, tasks: 3 },
  { underMs: 5, tasks: 1 },
];
/** What waits behind a run that takes longer than this is asked back, for a child that is free. */
const PATIENCE_MS = 20;

/** A place for one task at a time, with the process that now serves it. */
interface Slot {
  child: PoolChild | undefined;
  phase: "starting" | "idle" | "busy";
  /** Processes in a row that ended before they had done anything. */
  failures: number;
  /** Tasks given to it since the start. */
  writes: number;
  /** Aborts when the slot is taken away. */
  readonly gone: AbortController;
}

function makeSlot(): Slot {
  return { child: undefined, phase: "starting", failures: 0, writes: 0, gone: new AbortController() };
}

/** Starts `size` child processes at once; `ready` tells when they are up. */
export function openPreforkPool(options: PreforkOptions): Pool {
  return new PreforkPool(options);
}

class PreforkPool implements Pool {
  readonly kind = "prefork";
  readonly ready: Promise<void>;
  readonly events: EventEmitter<PoolEvents> = new EventEmitter();
  readonly #options: PreforkOptions;
  readonly #slots: Slot[];
  readonly #closing = new AbortController();
  readonly #runs = new Map<RunHooks, { job: Job; slot: Slot | undefined }>();
  /** Handed back by a child: the next free slot takes them before anything new. */
  readonly #returned: Job[] = [];
  #impatience: NodeJS.Timeout | undefined;
  #started = 0;
  #taken = 0;
  #maxTasks = Infinity;
  #maxResidentKib: number | null = null;
  /** No limit is a number too: JSON has no Infinity. */
  #beginWithinMs: number = Number.MAX_SAFE_INTEGER;
  readonly #clock = new MachineClock();

  constructor(options: PreforkOptions) {
    this.#options = options;
    this.#slots = Array.from({ length: options.size }, makeSlot);
    this.ready = Promise.all(this.#slots.map((slot) => this.#startChild(slot))).then(() => undefined);
    // Looked at by whoever opened the pool; until then an early failure must not count as unhandled.
    this.ready.catch(() => undefined);
  }

  get size(): number {
    return this.#slots.length;
  }

  free(): number {
    let idle = -this.#returned.length;
    for (const { phase } of this.#slots) if (phase === "idle") idle += 1;
    return Math.max(0, idle);
  }

  room(): number {
    let room = -this.#returned.length;
    for (const slot of this.#slots) room += this.#roomIn(slot);
    return Math.max(0, room);
  }

  hasWaiting(): boolean {
    return (
      this.#returned.length > 0 || this.#slots.some(({ child }) => child !== undefined && child.load > 1)
    );
  }

  run(request: TaskRequest, hooks: RunHooks): Promise<PoolResult> {
    return new Promise((resolve) => this.start(request, hooks, resolve));
  }

  start(request: TaskRequest, hooks: RunHooks, done: (result: PoolResult) => void): void {
    const slot = this.#freest();
    if (!slot || this.room() === 0) throw new Error("no free slot in the pool");
    const cancel = hooks.signal && ((): void => this.cancelRun(hooks));
    const by = this.#clock.nowMs() + this.#beginWithinMs;
    const job = makeJob(++this.#taken, by, request, hooks, (result) => {
      this.#runs.delete(hooks);
      if (cancel) hooks.signal?.removeEventListener("abort", cancel);
      done(result);
    });
    this.#runs.set(hooks, { job, slot });
    this.#give(slot, job);
    if (cancel) hooks.signal?.addEventListener("abort", cancel, { once: true });
  }

  cancelRun(hooks: RunHooks): void {
    const run = this.#runs.get(hooks);
    if (run?.slot) return run.slot.child?.cancel(run.job);
    if (!run) return;
    this.#returned.splice(this.#returned.indexOf(run.job), 1);
    run.job.resolve({ ended: "cancelled", processName: "" });
  }

  terminateRun(hooks: RunHooks, signal: NodeJS.Signals): boolean {
    const run = this.#runs.get(hooks);
    return run?.slot?.child?.terminate(run.job, signal) ?? false;
  }

  beginWithin(ms: number): void {
    this.#beginWithinMs = ms;
  }

  retireAfter(tasks: number): void {
    this.#maxTasks = tasks;
  }

  retireAbove(residentKib: number): void {
    this.#maxResidentKib = residentKib;
    for (const { child } of this.#slots) child?.limitMemory(residentKib);
  }

  grow(slots: number): void {
    for (let added = 0; added < slots; added += 1) {
      const slot = makeSlot();
      this.#slots.push(slot);
      void this.#restart(slot);
    }
  }

  shrink(slots: number): void {
    const idle = this.#slots.filter(({ phase }) => phase !== "busy").reverse();
    const leaving = idle.slice(0, Math.min(slots, this.size - 1));
    for (const slot of leaving) this.#remove(slot);
    if (leaving.length === slots) return;
    throw new PoolError(
      idle.length < slots
        ? "Can't shrink pool. All processes busy!"
        : "Can't shrink pool. One process has to stay.",
    );
  }

  restart(): void {
    for (const slot of this.#slots) {
      const { child } = slot;
      if (!child) continue;
      child.worn = true;
      if (slot.phase === "idle") this.#retire(slot, child);
    }
  }

  processes(): readonly number[] {
    return this.#slots.flatMap(({ child }) => (child ? [child.pid] : []));
  }

  writes(): readonly number[] {
    return this.#slots.map(({ writes }) => writes);
  }

  terminate(): void {
    this.#closing.abort();
    for (const { child } of this.#slots) child?.terminateAll();
    for (const job of this.#returned.splice(0)) job.resolve({ ended: "cancelled", processName: "" });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    clearTimeout(this.#impatience);
    await Promise.all(this.#slots.map(endSlot));
  }

  /** How many more tasks the slot's child may be given. */
  #roomIn({ phase, child }: Slot): number {
    if (phase === "starting" || !child) return 0;
    const least = phase === "idle" ? 1 : 0;
    const ahead = AHEAD.find(({ underMs }) => child.meanRunMs < underMs)?.tasks ?? 0;
    if (child.worn || ahead === 0) return least;
    const left = this.#maxTasks - child.tasksDone - child.load;
    return Math.max(least, Math.min(left, 1 + ahead - child.load));
  }

  /** An idle one before any other, then the one with the most room. */
  #freest(): Slot | undefined {
    let best: Slot | undefined;
    let most = 0;
    for (const slot of this.#slots) {
      if (slot.phase === "idle") return slot;
      const room = this.#roomIn(slot);
      if (room <= most) continue;
      best = slot;
      most = room;
    }
    return best;
  }

  #give(slot: Slot, job: Job): void {
    if (slot.phase === "busy") this.#impatience ??= setTimeout(() => this.#askBack(), PATIENCE_MS);
    slot.phase = "busy";
    slot.writes += 1;
    slot.child?.give(job);
  }

  /** One long run among many short ones must not keep others from a slot that is free. */
  #askBack(): void {
    this.#impatience = undefined;
    const late = performance.now() - PATIENCE_MS;
    const crowded = this.#slots.flatMap(({ child }) => (child && child.load > 1 ? [child] : []));
    for (const child of crowded) if (child.startedAtMs < late) child.askBack();
    if (crowded.length > 0) this.#impatience = setTimeout(() => this.#askBack(), PATIENCE_MS);
  }

  /** These have not begun in that child. It may be idle now: what has waited too long is not begun at all. */
  #onGivenBack(jobs: readonly Job[], slot: Slot, child: PoolChild): void {
    const closing = this.#closing.signal.aborted;
    for (const job of jobs) {
      if (closing || this.#isTooLate(job)) job.resolve({ ended: "cancelled", processName: "" });
      else this.#runs.set(job.hooks, { job, slot: undefined });
    }
    if (closing) return;
    this.#returned.unshift(...jobs.filter(({ hooks }) => this.#runs.has(hooks)));
    if (slot.child !== child || child.load > 0) return this.#placeReturned();
    slot.phase = "idle";
    this.#onFree();
  }

  #placeReturned(): void {
    while (this.#returned.length > 0) {
      const slot = this.#slots.find(({ phase }) => phase === "idle");
      if (!slot) return;
      const job = this.#returned.shift() as Job;
      if (this.#isTooLate(job)) {
        job.resolve({ ended: "cancelled", processName: "" });
        continue;
      }
      this.#runs.set(job.hooks, { job, slot });
      this.#give(slot, job);
    }
  }

  #isTooLate({ by }: Job): boolean {
    return by < this.#clock.nowMs();
  }

  /** Brings a child up in the slot. Rejects if the very first one fails; later ones are tried again for ever. */
  async #startChild(slot: Slot): Promise<void> {
    const child = this.#spawn(slot);
    slot.child = child;
    slot.phase = "starting";
    void this.#watch(slot, child);
    await child.ready;
    if (slot.gone.signal.aborted) return child.kill();
    if (this.#maxResidentKib !== null) child.limitMemory(this.#maxResidentKib);
    slot.phase = "idle";
    // The pool was restarted while it loaded: what it has loaded may be old already.
    if (child.worn) this.#retire(slot, child);
    else this.#onFree();
  }

  #onFree(): void {
    this.#placeReturned();
    this.events.emit("free");
  }

  #remove(slot: Slot): void {
    this.#slots.splice(this.#slots.indexOf(slot), 1);
    slot.gone.abort();
    const { child } = slot;
    slot.child = undefined;
    if (slot.phase === "idle") void child?.retire(RETIRE_GRACE_MS);
    else child?.kill();
  }

  /** Another process takes the slot; this one ends in its own time. */
  #retire(slot: Slot, child: PoolChild): void {
    this.#replace(slot);
    void child.retire(RETIRE_GRACE_MS);
  }

  #spawn(slot: Slot): PoolChild {
    const { appSpec, include = [], hostname, cwd, env, readyTimeoutMs } = this.#options;
    const processName = `ForkPoolWorker-${++this.#started}`;
    const child = new PoolChild({
      config: { appSpec, include, hostname, processName, parentPid: process.pid },
      cwd,
      env,
      readyTimeoutMs: readyTimeoutMs ?? READY_TIMEOUT_MS,
      onLine: (line) => this.events.emit("output", processName, line),
      onDone: () => this.#afterTask(slot, child),
      onGivenBack: (jobs) => this.#onGivenBack(jobs, slot, child),
    });
    return child;
  }

  #afterTask(slot: Slot, child: PoolChild): void {
    if (slot.child !== child) return;
    slot.failures = 0;
    if (child.load === 0) {
      if (child.worn || child.tasksDone >= this.#maxTasks) return this.#retire(slot, child);
      slot.phase = "idle";
    }
    this.#onFree();
  }

  async #watch(slot: Slot, child: PoolChild): Promise<void> {
    const status = await child.exited;
    const expected = slot.child !== child || this.#closing.signal.aborted;
    const wasUp = slot.phase !== "starting";
    if (!expected && wasUp) this.events.emit("exited", child.name, child.pid, status);
    if (!expected && wasUp) {
      slot.failures = child.tasksDone > 0 ? 0 : slot.failures + 1;
      this.#replace(slot);
    }
    child.settleLost(status);
  }

  #replace(slot: Slot): void {
    slot.child = undefined;
    slot.phase = "starting";
    if (!this.#closing.signal.aborted) void this.#restart(slot);
  }

  /** The file may have been broken since the worker started: keep trying, the worker heals when it is mended. */
  async #restart(slot: Slot): Promise<void> {
    const signal = AbortSignal.any([this.#closing.signal, slot.gone.signal]);
    while (!signal.aborted) {
      await sleep(startDelayMs(slot.failures), signal);
      if (signal.aborted) return;
      try {
        return await this.#startChild(slot);
      } catch (cause) {
        if (signal.aborted) return;
        slot.failures += 1;
        this.events.emit("startFailed", slot.child?.name ?? "", (cause as Error).message);
      }
    }
  }
}

async function endSlot({ child, phase }: Slot): Promise<void> {
  if (phase !== "starting") return child?.retire(RETIRE_GRACE_MS);
  child?.kill();
  await child?.exited;
}

/** At once after the first failure; one that comes again and again must not keep the machine busy. */
function startDelayMs(failures: number): number {
  return failures < 2 ? 0 : Math.min(MAX_START_DELAY_MS, 1000 * 2 ** (failures - 2));
}
