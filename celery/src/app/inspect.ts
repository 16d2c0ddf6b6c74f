import type { BroadcastOptions, ControlAnswer, Replies } from "./control.ts";

/** Whom to ask, and how long to wait. */
export type InspectOptions = Omit<BroadcastOptions, "reply">;

/** A task that a worker holds. Keys as on the wire. */
export interface TaskRequest {
  readonly id: string;
  readonly name: string;
  /** A list; text when `safe` was asked for. */
  readonly args: readonly unknown[] | string;
  readonly kwargs: Readonly<Record<string, unknown>> | string;
  readonly type: string;
  readonly hostname: string;
  /** Epoch seconds; null before it runs. */
  readonly time_start: number | null;
  readonly acknowledged: boolean;
  readonly delivery_info: Readonly<Record<string, unknown>>;
  readonly worker_pid: number | null;
}

export interface ScheduledTask {
  /** ISO 8601. */
  readonly eta: string;
  readonly priority: number;
  readonly request: TaskRequest;
}

/** `active`, `reserved` or `scheduled`, and the task. */
export type TaskAnswer = readonly [state: string, request: TaskRequest];

type Ask = <T>(command: string, args: Readonly<Record<string, unknown>>) => Promise<Replies<T>>;

/**
 * Questions to workers. Every answer is an object by node name, empty when nobody answered in time; keys as Celery names them.
 *
 * @see celery 5.7.0 app/control.py, `Inspect`
 */
export class Inspect {
  readonly #ask: Ask;

  constructor(ask: Ask) {
    this.#ask = ask;
  }

  ping(): Promise<Replies> {
    return this.#ask("ping", {});
  }

  /** Tasks that run now. `safe`: arguments as text. */
  active({ safe = false }: { readonly safe?: boolean } = {}): Promise<Replies<readonly TaskRequest[]>> {
    return this.#ask("active", { safe });
  }

  /** Tasks that wait for a slot. */
  reserved(): Promise<Replies<readonly TaskRequest[]>> {
    return this.#ask("reserved", {});
  }

  /** Tasks that wait for their time. */
  scheduled(): Promise<Replies<readonly ScheduledTask[]>> {
    return this.#ask("scheduled", {});
  }

  /** Ids of revoked tasks. */
  revoked(): Promise<Replies<readonly string[]>> {
    return this.#ask("revoked", {});
  }

  /** Names of tasks; with attributes asked for, e.g. `max_retries`, like `tasks.add [max_retries=3]`. */
  registered(...attributes: readonly string[]): Promise<Replies<readonly string[]>> {
    return this.#ask("registered", { taskinfoitems: attributes });
  }

  /** What the pool is like, how much was done, what it cost. @see celery 5.7.0 docs, userguide/workers, "Statistics" */
  stats(): Promise<Replies<Readonly<Record<string, unknown>>>> {
    return this.#ask("stats", {});
  }

  /** Settings that are not the default; secrets are hidden. */
  conf(withDefaults = false): Promise<Replies<Readonly<Record<string, unknown>>>> {
    return this.#ask("conf", { with_defaults: withDefaults });
  }

  activeQueues(): Promise<
    Replies<readonly (Readonly<Record<string, unknown>> & { readonly name: string })[]>
  > {
    return this.#ask("active_queues", {});
  }

  /** What workers know of these tasks; one that no worker holds is in no answer. */
  queryTask(...ids: readonly string[]): Promise<Replies<Readonly<Record<string, TaskAnswer>>>> {
    return this.#ask("query_task", { ids });
  }

  report(): Promise<Replies<ControlAnswer>> {
    return this.#ask("report", {});
  }

  /** Lamport clocks. */
  clock(): Promise<Replies<{ readonly clock: number }>> {
    return this.#ask("clock", {});
  }
}
