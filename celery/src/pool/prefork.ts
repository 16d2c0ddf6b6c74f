import { EventEmitter } from "node:events";
import type { TaskRequest } from "../execution/request.ts";
import { sleep } from "../runtime/sleep.ts";
import { PoolChild } from "./child-process.ts";
import type { Pool, PoolEvents, PoolResult, RunHooks } from "./pool.ts";

export interface PreforkOptions {
  readonly size: number;
  readonly appSpec: string;
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
}

/** Starts `size` child processes at once; `ready` tells when they are up. */
export function openPreforkPool(options: PreforkOptions): Pool {
  return new PreforkPool(options);
}

class PreforkPool implements Pool {
  readonly kind = "prefork";
  readonly size: number;
  readonly ready: Promise<void>;
  readonly events: EventEmitter<PoolEvents> = new EventEmitter();
  readonly #options: PreforkOptions;
  readonly #slots: Slot[];
  readonly #closing = new AbortController();
  #started = 0;
  #maxTasks = Infinity;

  constructor(options: PreforkOptions) {
    this.#options = options;
    this.size = options.size;
    this.#slots = Array.from({ length: options.size }, () => ({
      child: undefined,
      phase: "starting",
      failures: 0,
    }));
    this.ready = Promise.all(this.#slots.map((slot) => this.#startChild(slot))).then(() => undefined);
    // Looked at by whoever opened the pool; until then an early failure must not count as unhandled.
    this.ready.catch(() => undefined);
  }

  free(): number {
    return this.#slots.filter((slot) => slot.phase === "idle").length;
  }

  async run(request: TaskRequest, hooks: RunHooks): Promise<PoolResult> {
    const slot = this.#slots.find(({ phase }) => phase === "idle");
    const child = slot?.child;
    if (!slot || !child) throw new Error("no free slot in the pool");
    slot.phase = "busy";
    const result = await child.run(request, hooks);
    if (result.ended === "done") this.#afterTask(slot, child);
    return result;
  }

  retireAfter(tasks: number): void {
    this.#maxTasks = tasks;
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
    slot.phase = "idle";
    this.events.emit("free");
  }

  #spawn(): PoolChild {
    const { appSpec, hostname, cwd, env, readyTimeoutMs } = this.#options;
    const processName = `ForkPoolWorker-${++this.#started}`;
    return new PoolChild({
      config: { appSpec, hostname, processName, parentPid: process.pid },
      cwd,
      env,
      readyTimeoutMs: readyTimeoutMs ?? READY_TIMEOUT_MS,
      onLine: (line) => this.events.emit("output", processName, line),
    });
  }

  #afterTask(slot: Slot, child: PoolChild): void {
    if (slot.child !== child) return;
    slot.failures = 0;
    if (child.tasksDone >= this.#maxTasks || child.tainted) {
      this.#replace(slot);
      void child.retire(RETIRE_GRACE_MS);
      return;
    }
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
    const { signal } = this.#closing;
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
