import { decodeResultMeta, encodeResultMeta, type ResultMeta } from "../protocol/result-meta.ts";
import type { RedisConnection } from "../redis/connection.ts";
import { resultKey } from "../redis/keys.ts";
import { storeResultScript } from "../redis/scripts/store-result.ts";
import type { RedisSubscriber } from "../redis/subscriber.ts";
import { sameDatabase } from "../redis/url.ts";
import type { ResultBackend, ResultMark, StoredResult, WaitOptions } from "./backend.ts";
import type { ChordStore } from "./chords.ts";
import { KeyReader } from "./key-reader.ts";
import { Patience } from "./patience.ts";
import { type ChordOptions, RedisChords } from "./redis-chords.ts";
import { ResultWaiters } from "./result-waiters.ts";

export interface RedisBackendDeps {
  readonly expiresSeconds: number | null;
  /** See `BackendOptions`. */
  readonly ownIds: string | undefined;
  /** How long an outage may last before those who wait are told. */
  readonly patienceMs: number;
  readonly chords?: Omit<ChordOptions, "expiresSeconds"> | undefined;
  readonly commands: RedisConnection;
  readonly subscriber: RedisSubscriber;
}

/** The room for results that nobody has asked for yet; see `RecentResults`. */
const RECENT_COUNT = 10_000;
const RECENT_CHARACTERS = 4_000_000;
const RECENT_MS = 30_000;

/** Results in Redis: one key each, and the channel of the same name. @see celery 5.7.0 backends/redis.py */
export class RedisBackend implements ResultBackend {
  readonly url: string;
  readonly chords: ChordStore;
  readonly #deps: RedisBackendDeps;
  readonly #hasty = new Patience(0);
  /** For those who wait, and for what must not be lost: an outage will pass. */
  readonly #patience: Patience;
  readonly #reader: KeyReader;
  readonly #waiters: ResultWaiters;

  constructor(url: string, deps: RedisBackendDeps) {
    this.url = url;
    this.#deps = deps;
    this.#patience = new Patience(deps.patienceMs);
    const chords = { expiresSeconds: deps.expiresSeconds, ...deps.chords };
    this.chords = new RedisChords(deps.commands, chords, this.#patience);
    this.#reader = new KeyReader(deps.commands, this.#hasty);
    this.#waiters = new ResultWaiters({
      commands: deps.commands,
      subscriber: deps.subscriber,
      reader: new KeyReader(deps.commands, this.#patience),
      patienceMs: deps.patienceMs,
      ownPrefix: deps.ownIds && resultKey(deps.ownIds),
      recent: { count: RECENT_COUNT, characters: RECENT_CHARACTERS, ms: keptMs(deps.expiresSeconds) },
      nowMs: () => performance.now(),
    });
  }

  encode(meta: ResultMeta): StoredResult {
    return {
      key: resultKey(meta.taskId),
      payload: encodeResultMeta(meta),
      expiresSeconds: this.#deps.expiresSeconds,
    };
  }

  store(meta: ResultMeta): Promise<void> {
    return this.#store(this.encode(meta), this.#hasty);
  }

  write(result: StoredResult): Promise<void> {
    return this.#store(result, this.#patience);
  }

  async get(taskId: string, how: { readonly isSentOn?: boolean } = {}): Promise<ResultMeta | undefined> {
    const text = await this.#reader.read(resultKey(taskId));
    return text === null ? undefined : decodeResultMeta(text, how.isSentOn);
  }

  async forget(taskId: string): Promise<void> {
    const key = resultKey(taskId);
    await this.#deps.commands.call("DEL", key);
    this.#waiters.forget(key);
  }

  sharesDatabaseWith(brokerUrl: string): boolean {
    return sameDatabase(this.url, brokerUrl);
  }

  mark(): ResultMark {
    return this.#waiters.mark();
  }

  wait(taskId: string, options: WaitOptions = {}): Promise<ResultMeta> {
    return this.#waiters.wait(resultKey(taskId), options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#waiters.close();
    this.#hasty.end();
    this.#patience.end();
    await this.#deps.subscriber[Symbol.asyncDispose]();
    await this.#deps.commands[Symbol.asyncDispose]();
  }

  async #store({ key, payload, expiresSeconds }: StoredResult, patience: Patience): Promise<void> {
    const seconds = expiresSeconds === null ? "" : Math.ceil(expiresSeconds);
    await patience.with(() => this.#deps.commands.run(storeResultScript, [key], [payload, seconds]));
  }
}

/** A result that has expired is not to be remembered for long. */
function keptMs(expiresSeconds: number | null): number {
  return Math.min(RECENT_MS, (expiresSeconds ?? Number.POSITIVE_INFINITY) * 1000);
}
