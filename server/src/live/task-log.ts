import type { TaskFacts } from "../checks/facts.ts";
import {
  newRecord,
  type ResultNews,
  type TaskEvent,
  type TaskRecord,
  withEvent,
  withResult,
} from "./task-record.ts";

/** Oldest tasks are forgotten beyond this many. */
const MAX_TASKS = 5000;

/** A result is stored within this time of the event that tells of it. */
const LATE_MS = 10_000;

/** Every task seen since the last reset, in the order in which they were first seen. */
export class TaskLog {
  #records = new Map<string, TaskRecord>();
  #list: readonly TaskFacts[] | undefined;

  onEvent(event: TaskEvent): void {
    this.#put(withEvent(this.#records.get(event.uuid) ?? newRecord(event.uuid), event));
  }

  onResult(news: ResultNews): void {
    this.#put(withResult(this.#records.get(news.taskId) ?? newRecord(news.taskId), news));
  }

  /**
   * A result that was read because its notice may have been missed.
   *
   * @param asked the record when it was asked for: what was heard since is newer.
   * @returns whether it says anything new.
   */
  onStored(news: ResultNews, asked: TaskRecord): boolean {
    const record = this.#records.get(news.taskId);
    if (record === undefined || record !== asked) return false;
    const next = withResult(record, news);
    if (next !== record) this.#put(next);
    return next !== record;
  }

  tasks(): readonly TaskFacts[] {
    this.#list ??= [...this.#records.values()];
    return this.#list;
  }

  ids(): readonly string[] {
    return [...this.#records.keys()];
  }

  /** Queues that messages were sent to. */
  queues(): readonly string[] {
    return [...new Set([...this.#records.values()].flatMap((task) => task.queue ?? []))];
  }

  /**
   * The newest tasks whose stored end was not seen: it may be there without our having heard of it. A task that ended
   * long ago without one has none.
   *
   * @param now epoch milliseconds.
   */
  open(now: number, limit: number): readonly TaskRecord[] {
    const isOpen = (task: TaskRecord): boolean =>
      task.finishedAt === null || (task.storedState !== task.state && now - task.finishedAt < LATE_MS);
    return [...this.#records.values()].filter(isOpen).slice(-limit);
  }

  clear(): void {
    this.#records = new Map();
    this.#list = undefined;
  }

  #put(record: TaskRecord): void {
    this.#records.set(record.id, record);
    this.#list = undefined;
    if (this.#records.size > MAX_TASKS) {
      const [oldest] = this.#records.keys();
      if (oldest !== undefined) this.#records.delete(oldest);
    }
  }
}
