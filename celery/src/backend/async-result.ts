import {
  GetInsideTask,
  NoResultBackend,
  TaskError,
  TaskRevokedError,
  TimeoutError,
} from "../protocol/errors.ts";
import type { ResultMeta } from "../protocol/result-meta.ts";
import { isReady, PROPAGATE_STATES, type TaskState } from "../protocol/states.ts";
import { isWireError } from "../protocol/wire-error.ts";
import type { ResultBackend } from "./backend.ts";

export interface AsyncResultDeps {
  /** `undefined` when the app keeps no results. */
  backend(): ResultBackend | undefined;
  insideTask(): boolean;
}

export interface GetOptions {
  /** Seconds. Without it `get` waits for as long as it takes. */
  readonly timeout?: number;
  /** `false` returns the error instead of throwing it. Default true. */
  readonly propagate?: boolean;
  /** Called with every state on the way, e.g. the `PROGRESS` of `updateState`. */
  readonly onMessage?: (meta: ResultMeta) => void;
  /** Allow waiting inside a task. It can starve the pool: a task that waits occupies a slot. */
  readonly disableSyncSubtasks?: boolean;
  readonly signal?: AbortSignal;
}

/**
 * The receipt for a sent task: its id, and the ways to ask for its fate. Asking reads the result backend;
 * an id that nobody knows is PENDING, as in Celery.
 */
export class AsyncResult<T> {
  readonly id: string;
  readonly #deps: AsyncResultDeps;
  #final: ResultMeta | undefined;

  constructor(id: string, deps: AsyncResultDeps) {
    this.id = id;
    this.#deps = deps;
  }

  /** What is stored now, or `undefined`. */
  async meta(): Promise<ResultMeta | undefined> {
    if (this.#final !== undefined) return this.#final;
    return this.#remember(await this.#backend().get(this.id));
  }

  async state(): Promise<TaskState> {
    return (await this.meta())?.status ?? "PENDING";
  }

  /** Whether the task has ended, well or badly. */
  async ready(): Promise<boolean> {
    return isReady(await this.state());
  }

  async successful(): Promise<boolean> {
    return (await this.state()) === "SUCCESS";
  }

  async failed(): Promise<boolean> {
    return (await this.state()) === "FAILURE";
  }

  /** What is stored as result now: the value, a `TaskError`, the `meta` of a custom state, or `null`. */
  async result(): Promise<unknown> {
    const meta = await this.meta();
    return meta === undefined ? null : (this.#errorOf(meta) ?? meta.result);
  }

  async traceback(): Promise<string | null> {
    return (await this.meta())?.traceback ?? null;
  }

  /** Deletes the stored result; afterwards the task looks PENDING. */
  async forget(): Promise<void> {
    this.#final = undefined;
    await this.#backend().forget(this.id);
  }

  /**
   * Waits for the end and returns the task's return value.
   *
   * @throws TaskError what the task threw; TaskRevokedError when it was revoked or expired;
   *   TimeoutError after `timeout` seconds (the task goes on); NoResultBackend; GetInsideTask.
   */
  async get(options: GetOptions = {}): Promise<T> {
    if (options.disableSyncSubtasks !== false && this.#deps.insideTask()) throw new GetInsideTask();
    const meta = this.#final ?? (await this.#wait(options));
    const error = this.#errorOf(this.#remember(meta));
    if (error === undefined) return meta.result as T;
    if (options.propagate === false) return error as T;
    throw error;
  }

  async #wait(options: GetOptions): Promise<ResultMeta> {
    const backend = this.#backend();
    const limit = makeDeadline(options, this.id);
    try {
      return await backend.wait(this.id, limit.signal, options.onMessage);
    } finally {
      limit.clear();
    }
  }

  #backend(): ResultBackend {
    const backend = this.#deps.backend();
    if (backend === undefined) throw new NoResultBackend();
    return backend;
  }

  #remember<M extends ResultMeta | undefined>(meta: M): M {
    if (meta !== undefined && isReady(meta.status)) this.#final = meta;
    return meta;
  }

  #errorOf(meta: ResultMeta): TaskError | undefined {
    if (!PROPAGATE_STATES.has(meta.status)) return undefined;
    const wire = isWireError(meta.result)
      ? meta.result
      : { excType: "Exception", excMessage: [meta.result], excModule: "builtins" };
    const Class = meta.status === "REVOKED" ? TaskRevokedError : TaskError;
    return new Class(this.id, wire, meta.traceback);
  }
}

/** One signal for the caller's wish to stop and for the time limit, whichever comes first. */
function makeDeadline(options: GetOptions, id: string): { signal: AbortSignal; clear(): void } {
  const controller = new AbortController();
  const { signal, timeout } = options;
  const onAbort = (): void => controller.abort(signal?.reason);
  if (signal?.aborted) onAbort();
  signal?.addEventListener("abort", onAbort, { once: true });
  const timer =
    timeout === undefined
      ? undefined
      : setTimeout(
          () => controller.abort(new TimeoutError(`Task ${id} did not end within ${timeout} seconds.`)),
          timeout * 1000,
        );
  const clear = (): void => {
    clearTimeout(timer);
    signal?.removeEventListener("abort", onAbort);
  };
  return { signal: controller.signal, clear };
}
