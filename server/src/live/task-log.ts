import type { TaskFacts } from "../checks/facts.ts";
import {
  isFinal,
  newRecord,
  type ResultNews,
  type TaskEvent,
  type TaskRecord,
  withEvent,
  withResult,
} from "./task-record.ts";

/** Oldest tasks are forgotten beyond this many. */
const MAX_TASKS = 5000;

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

  /** Tasks whose end was not seen: their results may have been stored without our hearing of it. */
  open(): readonly string[] {
    return [...this.#records.values()]
      .filter((task) => !isFinal(task.state) || !task.hasResult)
      .map((task) => task.id);
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
