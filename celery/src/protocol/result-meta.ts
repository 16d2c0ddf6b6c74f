import type { TaskState } from "./states.ts";

/** What is stored under `celery-task-meta-<id>` and published on the channel of the same name. */
export interface ResultMeta {
  readonly taskId: string;
  readonly status: TaskState;
  /** Return value, `WireError` for exception states, the `meta` of a custom state. `rawJson(text)` is written as it is. */
  readonly result: unknown;
  readonly traceback: string | null;
  readonly children: readonly unknown[] | null;
  /** ISO 8601 with offset once the state is final, else null. */
  readonly dateDone: string | null;
  readonly groupId?: string;
  readonly parentId?: string;
  /** With `result_extended`. */
  readonly extended?: ExtendedMeta;
}

export interface ExtendedMeta {
  readonly name: string | null;
  readonly args: unknown;
  readonly kwargs: unknown;
  readonly worker: string | null;
  readonly retries: number | null;
  readonly queue: string | null;
}
