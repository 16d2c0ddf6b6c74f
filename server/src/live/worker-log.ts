import type { CeleryEvent } from "celery/events";
import type { WorkerView } from "../protocol/index.ts";
import type { Snapshot } from "./code-history.ts";

export type WorkerEvent = Extract<CeleryEvent, { freq: number }>;

/** A worker that is silent for this long counts as gone. Its heart beats every 2 s. */
const SILENT_MS = 10_000;

interface WorkerRecord {
  readonly hostname: string;
  readonly pid: number;
  /** Monotonic milliseconds of the last sign of life. */
  readonly heardAt: number;
  readonly active: number;
  /** The lesson's files when this worker read them. */
  readonly loaded: Snapshot;
}

export interface WorkerLogDeps {
  /** Monotonic milliseconds. */
  readonly monotonic: () => number;
  /** The files as they were when a worker of which this is the first sign must have read them. */
  readonly loadedBy: (event: { readonly hostname: string; readonly at: number }) => Snapshot;
  /** Whether a process of this machine is alive; undefined for other machines. */
  readonly isAlive: (hostname: string, pid: number) => boolean | undefined;
}

/** Who is online, what code they read, and how busy they are. A process counts, not its name: a restart is another worker. */
export class WorkerLog {
  readonly #deps: WorkerLogDeps;
  #online = new Map<string, WorkerRecord>();
  #seen = new Set<string>();

  constructor(deps: WorkerLogDeps) {
    this.#deps = deps;
  }

  onEvent(event: WorkerEvent): void {
    const key = `${event.hostname}#${event.pid}`;
    if (event.type === "worker-offline") {
      this.#online.delete(key);
      return;
    }
    // The last beat of a killed worker may still be on its way.
    if (this.#deps.isAlive(event.hostname, event.pid) === false) return;
    const { hostname, pid, active } = event;
    const known = this.#online.get(key);
    const loaded = known?.loaded ?? this.#deps.loadedBy({ hostname, at: event.timestamp * 1000 });
    this.#online.set(key, { hostname, pid, active, loaded, heardAt: this.#deps.monotonic() });
    this.#seen.add(key);
  }

  /** A task began (+1) or ended (-1) on a worker; the next heartbeat corrects the count. */
  count(hostname: string, change: 1 | -1): void {
    for (const [key, worker] of this.#online) {
      if (worker.hostname === hostname) {
        this.#online.set(key, { ...worker, active: Math.max(0, worker.active + change) });
      }
    }
  }

  /** Drops workers that died without a word. @returns whether there were any. */
  prune(): boolean {
    const before = this.#online.size;
    for (const [key, { hostname, pid, heardAt }] of this.#online) {
      const isSilent = this.#deps.monotonic() - heardAt > SILENT_MS;
      if (isSilent || this.#deps.isAlive(hostname, pid) === false) this.#online.delete(key);
    }
    return this.#online.size < before;
  }

  /** How many workers were online at some time since the reset. */
  get seen(): number {
    return this.#seen.size;
  }

  views(isOld: (loaded: Snapshot) => boolean): readonly WorkerView[] {
    return [...this.#online.values()].map(({ hostname, pid, active, loaded }) => ({
      hostname,
      pid,
      active,
      oldCode: isOld(loaded),
    }));
  }

  loaded(): readonly Snapshot[] {
    return [...this.#online.values()].map((worker) => worker.loaded);
  }

  /** Forgets who was seen, except those that are here. */
  reset(): void {
    this.prune();
    this.#seen = new Set(this.#online.keys());
  }

  /** Another lesson: what the workers read has nothing to do with its files. */
  clear(): void {
    this.#online = new Map();
    this.#seen = new Set();
  }
}
