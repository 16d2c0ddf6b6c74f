import { EventEmitter } from "node:events";
import type { TaskRequest } from "../execution/request.ts";
import { sleep } from "../runtime/sleep.ts";
import { PoolChild } from "./child-process.ts";
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
  readonly #runs = new Map<RunHooks, PoolChild>();
  #started = 0;
  #maxTasks = Infinity;
  #maxResidentKib = Infinity;

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
    return this.#slots.filter((slot) => slot.phase === "idle").length;
  }

  async run(request: TaskRequest, hooks: RunHooks): Promise<PoolResult> {
    const slot = this.#slots.find(({ phase }) => phase === "idle");
    const child = slot?.child;
    if (!slot || !child) throw new Error("no free slot in the pool");
    slot.phase = "busy";
    slot.writes += 1;
    this.#runs.set(hooks, child);
    const result = await child.run(request, hooks);
    this.#runs.delete(hooks);
    if (result.ended === "done") this.#afterTask(slot, child);
    return result;
  }

  cancelRun(hooks: RunHooks): void {
    this.#runs.get(hooks)?.cancelRun(hooks);
  }

  terminateRun(hooks: RunHooks, signal: NodeJS.Signals): boolean {
    return this.#runs.get(hooks)?.terminateRun(hooks, signal) ?? false;
  }

  retireAfter(tasks: number): void {
    this.#maxTasks = tasks;
  }

  retireAbove(residentKib: number): void {
    this.#maxResidentKib = residentKib;
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
      const { child, phase } = slot;
      if (!child) continue;
      child.tainted = true;
      if (phase === "idle") this.#retire(slot, child);
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
    for (const { child } of this.#slots) child?.terminate();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    await Promise.all(this.#slots.map(endSlot));
  }

  /** Brings a child up in the slot. Rejects if the very first one fails; later ones are tried again for ever. */
  async #startChild(slot: Slot): Promise<void> {
    const child = this.#spawn();
    slot.child = child;
    slot.phase = "starting";
    void this.#watch(slot, child);
    await child.ready;
    if (slot.gone.signal.aborted) return child.kill();
    slot.phase = "idle";
    // The pool was restarted while it loaded: what it has loaded may be old already.
    if (child.tainted) this.#retire(slot, child);
    else this.events.emit("free");
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

  #spawn(): PoolChild {
    const { appSpec, include = [], hostname, cwd, env, readyTimeoutMs } = this.#options;
    const processName = `ForkPoolWorker-${++this.#started}`;
    return new PoolChild({
      config: { appSpec, include, hostname, processName, parentPid: process.pid },
      cwd,
      env,
      readyTimeoutMs: readyTimeoutMs ?? READY_TIMEOUT_MS,
      onLine: (line) => this.events.emit("output", processName, line),
    });
  }

  #afterTask(slot: Slot, child: PoolChild): void {
    if (slot.child !== child) return;
    slot.failures = 0;
    const isWorn = child.tasksDone >= this.#maxTasks || child.residentKib > this.#maxResidentKib;
    if (isWorn || child.tainted) return this.#retire(slot, child);
    slot.phase = "idle";
    this.events.emit("free");
  }

  async #watch(slot: Slot, child: PoolChild): Promise<void> {
    const status = await child.exited;
    const expected = slot.child !== child || this.#closing.signal.aborted;
    const wasUp = slot.phase !== "starting";
    if (!expected && wasUp) this.events.emit("exited", child.name, child.pid, status);
    child.settleLost(status);
    if (expected || !wasUp) return;
    slot.failures = child.tasksDone > 0 ? 0 : slot.failures + 1;
    this.#replace(slot);
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
