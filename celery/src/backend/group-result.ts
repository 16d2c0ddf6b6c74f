import { GetInsideTask, NoResultBackend } from "../protocol/errors.ts";
import type { ResultTuple } from "../protocol/result-tuple.ts";
import type { AsyncResultDeps, GetOptions, Receipt, RevokeResultOptions } from "./async-result.ts";
import type { ChordStore } from "./chords.ts";
import { makeDeadline } from "./waiting.ts";

/**
 * The receipt for a group: the receipts of its members, in their order. @see celery 5.7.0 result.py, `GroupResult`
 */
export class GroupResult<T> {
  readonly id: string;
  readonly results: readonly Receipt[];
  /** What came before it in its chain. */
  readonly parent: Receipt | null;
  readonly #deps: AsyncResultDeps;

  constructor(id: string, results: readonly Receipt[], deps: AsyncResultDeps, parent: Receipt | null = null) {
    this.id = id;
    this.results = results;
    this.parent = parent;
    this.#deps = deps;
  }

  /** The group's members are what it has set off. */
  children(): Promise<readonly Receipt[]> {
    return Promise.resolve(this.results);
  }

  /** Whether all have ended, well or badly. */
  async ready(): Promise<boolean> {
    return (await this.#ask((result) => result.ready())).every(Boolean);
  }

  /** Whether one has not ended yet. */
  async waiting(): Promise<boolean> {
    return !(await this.ready());
  }

  /** Whether all have succeeded. */
  async successful(): Promise<boolean> {
    return (await this.#ask((result) => result.successful())).every(Boolean);
  }

  /** Whether one has failed. */
  async failed(): Promise<boolean> {
    return (await this.#ask((result) => result.failed())).some(Boolean);
  }

  /** How many have succeeded. */
  async completedCount(): Promise<number> {
    return (await this.#ask((result) => result.successful())).filter(Boolean).length;
  }

  /**
   * Waits for all and returns their results in order.
   *
   * @param options `propagate: false` puts the errors in the failed ones' places.
   * @throws the first error; TimeoutError after `timeout` seconds; NoResultBackend; GetInsideTask.
   */
  async get(options: GetOptions = {}): Promise<T[]> {
    if (options.disableSyncSubtasks !== false && this.#deps.insideTask()) throw new GetInsideTask();
    const limit = makeDeadline({ ...options, isShared: true }, `Group ${this.id}`);
    const { timeout: _timeout, ...rest } = options;
    try {
      const each = { ...rest, signal: limit.signal };
      return (await Promise.all(this.results.map((result) => result.get(each)))) as T[];
    } finally {
      limit.end();
    }
  }

  /** As `get`. */
  join(options: GetOptions = {}): Promise<T[]> {
    return this.get(options);
  }

  /** Keeps the group under its id, for `app.GroupResult.restore`. */
  async save(): Promise<void> {
    await this.#chords().saveGroup(this.asTuple());
  }

  /** Forgets what `save` has kept. */
  async delete(): Promise<void> {
    await this.#chords().deleteGroup(this.id);
  }

  /** Deletes the results of all members. */
  async forget(): Promise<void> {
    await this.#ask((result) => result.forget());
  }

  /** As `AsyncResult.revoke`, for all members. */
  async revoke(options: RevokeResultOptions = {}): Promise<void> {
    await this.#deps.revoke?.(
      this.results.map(({ id }) => id),
      options,
    );
  }

  asTuple(): ResultTuple {
    return [[this.id, this.parent && this.parent.asTuple()], this.results.map((result) => result.asTuple())];
  }

  toJSON(): ResultTuple {
    return this.asTuple();
  }

  #ask<R>(question: (result: Receipt) => Promise<R>): Promise<R[]> {
    return Promise.all(this.results.map(question));
  }

  #chords(): ChordStore {
    const backend = this.#deps.backend();
    if (backend === undefined) throw new NoResultBackend();
    return backend.chords;
  }
}
