import { OperationalError } from "../protocol/errors.ts";
import { decodeResultMeta, encodeResultMeta, type ResultMeta } from "../protocol/result-meta.ts";
import { isReady } from "../protocol/states.ts";
import type { RedisConnection } from "../redis/connection.ts";
import { RedisFault } from "../redis/fault.ts";
import { resultKey } from "../redis/keys.ts";
import { storeResultScript } from "../redis/scripts/store-result.ts";
import type { RedisSubscriber } from "../redis/subscriber.ts";
import { sameDatabase } from "../redis/url.ts";
import type { ResultBackend, StoredResult } from "./backend.ts";
import type { ChordStore } from "./chords.ts";
import { KeyReader } from "./key-reader.ts";
import { Patience } from "./patience.ts";
import { type ChordOptions, RedisChords } from "./redis-chords.ts";

export interface RedisBackendDeps {
  readonly expiresSeconds: number | null;
  /** How long an outage may last before those who wait are told. */
  readonly patienceMs: number;
  readonly chords?: Omit<ChordOptions, "expiresSeconds"> | undefined;
  readonly commands: RedisConnection;
  readonly subscriber: RedisSubscriber;
}

/** Hears what is stored under one key: by message, and by reading the key when messages may have been missed. */
interface Waiter {
  /** @param text the stored JSON; the same one twice, by message and by reading, is told once. */
  hear(text: string): void;
  fail(error: unknown): void;
}

/** Results in Redis: one key each, and the channel of the same name. @see celery 5.7.0 backends/redis.py */
export class RedisBackend implements ResultBackend {
  readonly url: string;
  readonly chords: ChordStore;
  readonly #deps: RedisBackendDeps;
  readonly #hasty = new Patience(0);
  /** For those who wait, and for what must not be lost: an outage will pass. */
  readonly #patience: Patience;
  readonly #reader: KeyReader;
  readonly #patientReader: KeyReader;
  /** By key, which is the channel too: many may wait for one result on one subscription. */
  readonly #waiters = new Map<string, Set<Waiter>>();
  #outage: NodeJS.Timeout | undefined;

  constructor(url: string, deps: RedisBackendDeps) {
    this.url = url;
    this.#deps = deps;
    this.#patience = new Patience(deps.patienceMs);
    const chords = { expiresSeconds: deps.expiresSeconds, ...deps.chords };
    this.chords = new RedisChords(deps.commands, chords, this.#patience);
    this.#reader = new KeyReader(deps.commands, this.#hasty);
    this.#patientReader = new KeyReader(deps.commands, this.#patience);
    deps.subscriber.events.on("message", (channel, text) => this.#heard(channel, text));
    deps.subscriber.events.on("up", () => this.#onUp());
    deps.subscriber.events.on("down", (fault) => this.#onDown(fault));
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

  async get(taskId: string): Promise<ResultMeta | undefined> {
    const text = await this.#reader.read(resultKey(taskId));
    return text === null ? undefined : decodeResultMeta(text);
  }

  async forget(taskId: string): Promise<void> {
    await this.#deps.commands.call("DEL", resultKey(taskId));
  }

  sharesDatabaseWith(brokerUrl: string): boolean {
    return sameDatabase(this.url, brokerUrl);
  }

  wait(taskId: string, signal: AbortSignal, onUpdate?: (meta: ResultMeta) => void): Promise<ResultMeta> {
    const key = resultKey(taskId);
    return new Promise<ResultMeta>((resolve, reject) => {
      const end = (settle: () => void): void => {
        signal.removeEventListener("abort", onAbort);
        this.#leave(key, waiter);
        settle();
      };
      const onAbort = (): void => end(() => reject(signal.reason as Error));
      let last: string | undefined;
      const waiter: Waiter = {
        hear: (text) => {
          if (text === last) return;
          last = text;
          const meta = decodeResultMeta(text);
          onUpdate?.(meta);
          if (isReady(meta.status)) end(() => resolve(meta));
        },
        fail: (error) => end(() => reject(error as Error)),
      };
      if (signal.aborted) return reject(signal.reason as Error);
      signal.addEventListener("abort", onAbort, { once: true });
      this.#join(key, waiter);
      void this.#subscribeAndRead(key, waiter);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearTimeout(this.#outage);
    this.#failAll(new OperationalError("The app was closed while it waited for a result."));
    this.#hasty.end();
    this.#patience.end();
    await this.#deps.subscriber[Symbol.asyncDispose]();
    await this.#deps.commands[Symbol.asyncDispose]();
  }

  async #store({ key, payload, expiresSeconds }: StoredResult, patience: Patience): Promise<void> {
    const seconds = expiresSeconds === null ? "" : Math.ceil(expiresSeconds);
    await patience.with(() => this.#deps.commands.run(storeResultScript, [key], [payload, seconds]));
  }

  #join(key: string, waiter: Waiter): void {
    this.#deps.subscriber.hold();
    const waiters = this.#waiters.get(key) ?? new Set();
    this.#waiters.set(key, waiters.add(waiter));
  }

  #leave(key: string, waiter: Waiter): void {
    const waiters = this.#waiters.get(key);
    if (!waiters?.delete(waiter)) return;
    this.#deps.subscriber.letGo();
    if (waiters.size > 0) return;
    this.#waiters.delete(key);
    this.#deps.subscriber.unsubscribe(key);
  }

  /** Subscribed before it reads, so that a result stored in between is heard. */
  async #subscribeAndRead(key: string, waiter: Waiter): Promise<void> {
    try {
      await this.#deps.subscriber.subscribe(key);
      await this.#read(key, [waiter]);
    } catch (error) {
      // Cut off in mid-way: once connected again, all keys are read again.
      if (!(error instanceof RedisFault && error.kind === "lost")) waiter.fail(error);
    }
  }

  async #read(key: string, waiters: Iterable<Waiter>): Promise<void> {
    const text = await this.#patientReader.read(key);
    if (text === null) return;
    for (const waiter of waiters) if (this.#waiters.get(key)?.has(waiter)) tell(waiter, text);
  }

  #heard(channel: string, text: string): void {
    for (const waiter of this.#waiters.get(channel) ?? []) tell(waiter, text);
  }

  /** Connected again: what was published meanwhile was missed, but it is stored. */
  #onUp(): void {
    clearTimeout(this.#outage);
    this.#outage = undefined;
    for (const [key, waiters] of this.#waiters) {
      const all = [...waiters];
      this.#read(key, all).catch((error: unknown) => {
        for (const waiter of all) waiter.fail(error);
      });
    }
  }

  #onDown(fault: RedisFault): void {
    this.#outage ??= setTimeout(() => this.#failAll(fault), this.#deps.patienceMs).unref();
  }

  #failAll(error: Error): void {
    for (const waiters of this.#waiters.values()) for (const waiter of waiters) waiter.fail(error);
  }
}

/** A text that is no result, or a caller's `onMessage` that throws, ends this wait and no other. */
function tell(waiter: Waiter, text: string): void {
  try {
    waiter.hear(text);
  } catch (error) {
    waiter.fail(error);
  }
}
