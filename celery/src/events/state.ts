import type { RawEvent } from "../protocol/event.ts";
import { TrackedTask } from "./tracked-task.ts";
import { TrackedWorker } from "./tracked-worker.ts";

export { TrackedTask } from "./tracked-task.ts";
export { TrackedWorker } from "./tracked-worker.ts";

export interface StateOptions {
  /** Oldest tasks beyond this are forgotten. Default 10,000. */
  readonly maxTasks?: number;
  /** Default 5,000. */
  readonly maxWorkers?: number;
}

/**
 * What a cluster looks like, folded from its events: which workers there are and what became of each task. Feed it from an
 * `EventReceiver`'s `raw` events; what was sent before it listened, it does not know.
 *
 * ```ts
 * const state = new State();
 * receiver.events.on("raw", (event) => state.event(event));
 * ```
 *
 * @see celery 5.7.0 events/state.py, `State`
 */
export class State {
  readonly #maxTasks: number;
  readonly #maxWorkers: number;
  readonly #tasks = new Map<string, TrackedTask>();
  readonly #workers = new Map<string, TrackedWorker>();
  readonly #types = new Set<string>();
  #events = 0;
  #received = 0;

  constructor({ maxTasks = 10_000, maxWorkers = 5_000 }: StateOptions = {}) {
    this.#maxTasks = maxTasks;
    this.#maxWorkers = maxWorkers;
  }

  /** All events so far. */
  get eventCount(): number {
    return this.#events;
  }

  /** Tasks that a worker received so far. */
  get taskCount(): number {
    return this.#received;
  }

  get tasks(): ReadonlyMap<string, TrackedTask> {
    return this.#tasks;
  }

  get workers(): ReadonlyMap<string, TrackedWorker> {
    return this.#workers;
  }

  /** Names of all tasks seen, sorted. */
  get taskTypes(): readonly string[] {
    return [...this.#types].sort();
  }

  /** @param nowSeconds when it came, epoch seconds of this machine. */
  event(event: RawEvent, nowSeconds: number = Date.now() / 1000): void {
    this.#events += 1;
    const dash = event.type.indexOf("-");
    if (dash < 0) return;
    const group = event.type.slice(0, dash);
    const subject = event.type.slice(dash + 1);
    if (group === "worker") this.#workerEvent(subject, event, nowSeconds);
    else if (group === "task" && typeof event["uuid"] === "string")
      this.#taskEvent(subject, event, event["uuid"], nowSeconds);
  }

  /** Workers heard of lately. A worker counts as gone after twice its heartbeat's interval. */
  aliveWorkers(nowSeconds: number): readonly TrackedWorker[] {
    return [...this.#workers.values()].filter((worker) => worker.isAlive(nowSeconds));
  }

  /**
   * The one heard of last first; what came at once, by logical clock. Celery goes by the clock alone, which is not in step between
   * workers that do not gossip: a task of a quiet one would stand below all of a busy one.
   */
  tasksByTime(limit: number = Number.POSITIVE_INFINITY): readonly TrackedTask[] {
    const sorted = [...this.#tasks.values()].sort((a, b) => b.heard - a.heard || b.clock - a.clock);
    return sorted.slice(0, limit);
  }

  /** Forgets tasks that have ended; with `all`, every task. */
  clearTasks(options: { readonly all?: boolean } = {}): void {
    for (const [uuid, task] of this.#tasks) if (options.all || task.isReady) this.#tasks.delete(uuid);
  }

  #workerEvent(subject: string, event: RawEvent, nowSeconds: number): void {
    if (event.hostname === "") return;
    const worker = this.#worker(event.hostname);
    worker.update(event);
    if (subject === "offline") this.#workers.delete(event.hostname);
    else worker.beat(nowSeconds);
  }

  #taskEvent(subject: string, event: RawEvent, uuid: string, nowSeconds: number): void {
    let task = this.#tasks.get(uuid);
    if (!task) {
      task = new TrackedTask(uuid);
      keep(this.#tasks, uuid, task, this.#maxTasks);
    }
    this.#noteSender(task, subject, event.hostname, nowSeconds);
    if (subject === "received") this.#received += 1;
    task.event(subject, event, nowSeconds);
    if (task.name !== null) this.#types.add(task.name);
  }

  /** Clients tell of `task-sent`; whatever else is told, a worker tells, and lives. */
  #noteSender(task: TrackedTask, subject: string, hostname: string, nowSeconds: number): void {
    if (hostname === "") return;
    if (subject === "sent") {
      task.client = hostname;
      return;
    }
    this.#worker(hostname).beat(nowSeconds);
    task.worker = hostname;
  }

  #worker(hostname: string): TrackedWorker {
    const known = this.#workers.get(hostname);
    if (known) return known;
    const worker = new TrackedWorker(hostname);
    keep(this.#workers, hostname, worker, this.#maxWorkers);
    return worker;
  }
}

function keep<T>(map: Map<string, T>, key: string, value: T, limit: number): void {
  map.set(key, value);
  if (map.size <= limit) return;
  for (const oldest of map.keys()) {
    map.delete(oldest);
    break;
  }
}
