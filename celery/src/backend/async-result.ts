import { GetInsideTask, NoResultBackend, type TaskError } from "../protocol/errors.ts";
import type { ExtendedMeta, ResultMeta } from "../protocol/result-meta.ts";
import { type ResultNode, type ResultTuple, readTuple } from "../protocol/result-tuple.ts";
import { isReady, type TaskState } from "../protocol/states.ts";
import type { ResultBackend, ResultMark } from "./backend.ts";
import { ancestors, collect } from "./collect.ts";
import { GroupResult } from "./group-result.ts";
import { errorOf, makeDeadline } from "./waiting.ts";

export interface AsyncResultDeps {
  /** `undefined` when the app keeps no results. */
  backend(): ResultBackend | undefined;
  insideTask(): boolean;
  /** Tells all workers that these tasks are not to be run. */
  revoke?(taskIds: readonly string[], options: RevokeResultOptions): Promise<unknown>;
}

/** As in `app.control.revoke`. */
export interface RevokeResultOptions {
  /** End it too if it runs. Default false. */
  readonly terminate?: boolean;
  /** What its process gets then. Default `SIGTERM`. */
  readonly signal?: string;
  /** Wait for the workers' answers. Default false. */
  readonly reply?: boolean;
  /** Seconds to wait for them. Default 1. */
  readonly timeout?: number;
}

/** How a result is waited for. */
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
  /** What came before it in its chain: a task or a group. */
  readonly parent: Receipt | null;
  readonly #deps: AsyncResultDeps;
  #mark: ResultMark | undefined;
  #final: ResultMeta | undefined;

  /** @param mark of before the id was made, if it was made here. */
  constructor(id: string, deps: AsyncResultDeps, parent: Receipt | null = null, mark?: ResultMark) {
    this.id = id;
    this.parent = parent;
    this.#deps = deps;
    this.#mark = mark;
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

  /** Name, arguments and worker: stored with `result_extended` only, else `undefined`. */
  async info(): Promise<ResultInfo | undefined> {
    const meta = await this.meta();
    return meta?.extended && { ...meta.extended, dateDone: meta.dateDone };
  }

  /** Of `info`, which see: one field each, `null` where it is not stored. */
  async name(): Promise<string | null> {
    return (await this.info())?.name ?? null;
  }

  async args(): Promise<unknown> {
    return (await this.info())?.args ?? null;
  }

  async kwargs(): Promise<unknown> {
    return (await this.info())?.kwargs ?? null;
  }

  async worker(): Promise<string | null> {
    return (await this.info())?.worker ?? null;
  }

  async retries(): Promise<number | null> {
    return (await this.info())?.retries ?? null;
  }

  async queue(): Promise<string | null> {
    return (await this.info())?.queue ?? null;
  }

  /** When it ended, or `null`. */
  async dateDone(): Promise<Date | null> {
    const done = (await this.meta())?.dateDone;
    return done ? new Date(done) : null;
  }

  /** What it has sent or set off: tasks and groups. `null` until it has ended. */
  async children(): Promise<readonly Receipt[] | null> {
    const stored = (await this.meta())?.children;
    return stored ? stored.map((child) => receiptOf(readTuple(child), this.#deps)) : null;
  }

  /**
   * The result and those of all that it has set off, each as it comes: waits for every one.
   *
   * @throws as `get`
   */
  collect(options: GetOptions = {}): AsyncGenerator<readonly [Receipt, unknown]> {
    return collect(this, options);
  }

  /** The result of the last of all that it has set off. */
  async getLeaf(options: GetOptions = {}): Promise<unknown> {
    let last: unknown = null;
    for await (const [, value] of this.collect(options)) last = value;
    return last;
  }

  /** Has every worker refuse the task; with `terminate` its process is ended too. */
  async revoke(options: RevokeResultOptions = {}): Promise<void> {
    await this.#deps.revoke?.([this.id], options);
  }

  /** As Celery stores it among the `children` of a task. */
  asTuple(): ResultTuple {
    return [[this.id, this.parent && this.parent.asTuple()], null];
  }

  toJSON(): ResultTuple {
    return this.asTuple();
  }

  /** Deletes the stored result and those of its parents; afterwards the task looks PENDING. */
  async forget(): Promise<void> {
    this.#final = undefined;
    this.#mark = undefined;
    await this.parent?.forget();
    await this.#backend().forget(this.id);
  }

  /**
   * Waits for the end and returns the task's return value.
   *
   * @throws TaskError what the task threw, or one before it in its chain; TaskRevokedError when it was revoked or expired;
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

  #wait(options: GetOptions): Promise<ResultMeta> {
    const before = options.propagate === false ? [] : ancestors(this.parent);
    if (before.length > 0) return this.#waitWith(before, options);
    return options.timeout === undefined ? this.#waitFor(options.signal, options) : this.#waitTimed(options);
  }

  async #waitTimed(options: GetOptions): Promise<ResultMeta> {
    const limit = makeDeadline(options, `Task ${this.id}`);
    try {
      return await this.#waitFor(limit.signal, options);
    } finally {
      limit.end();
    }
  }

  /** Of a chain: when a step has failed, the next ones never come. */
  async #waitWith(before: readonly AsyncResult<unknown>[], options: GetOptions): Promise<ResultMeta> {
    const limit = makeDeadline({ ...options, isShared: true }, `Task ${this.id}`);
    try {
      const own = this.#waitFor(limit.signal, options);
      return await Promise.race([own, ...before.map((result) => result.#failure(limit.signal))]);
    } finally {
      limit.end();
    }
  }

  /**
   * Rejects when the task fails, and never settles otherwise.
   * @see celery 5.7.0 result.py, `_maybe_reraise_parent_error`
   */
  async #failure(signal: AbortSignal): Promise<never> {
    const error = this.#errorOf(await this.#waitFor(signal, {}));
    if (error !== undefined) throw error;
    return new Promise<never>(() => undefined);
  }

  #waitFor(signal: AbortSignal | undefined, { onMessage }: GetOptions): Promise<ResultMeta> {
    return this.#backend().wait(this.id, { signal, mark: this.#mark, onUpdate: onMessage });
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
    return errorOf(this.id, meta);
  }
}

/** What the extended result tells about the run. */
export type ResultInfo = ExtendedMeta & { readonly dateDone: string | null };

/** A task's result, or a group's. */
export type Receipt = AsyncResult<unknown> | GroupResult<unknown>;

/**
 * The receipt of a result that is known by its tuple: what `children` holds, or a saved group.
 *
 * @param markOf a moment before that id was made, where it was made here.
 */
export function receiptOf(
  { id, parent, nodes }: ResultNode,
  deps: AsyncResultDeps,
  markOf?: (id: string) => ResultMark | undefined,
): Receipt {
  const before = parent && receiptOf(parent, deps, markOf);
  if (nodes === null) return new AsyncResult(id, deps, before, markOf?.(id));
  return new GroupResult(
    id,
    nodes.map((node) => receiptOf(node, deps, markOf)),
    deps,
    before,
  );
}
