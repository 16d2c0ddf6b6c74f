import { OperationalError } from "../protocol/errors.ts";
import { decodeResultMeta, type ResultMeta } from "../protocol/result-meta.ts";
import { isReady } from "../protocol/states.ts";
import type { RedisConnection } from "../redis/connection.ts";
import { RedisFault } from "../redis/fault.ts";
import type { RedisSubscriber } from "../redis/subscriber.ts";
import type { ResultMark, WaitOptions } from "./backend.ts";
import type { KeyReader } from "./key-reader.ts";
import { OwnResults } from "./own-results.ts";
import { type RecentLimits, RecentResults } from "./recent-results.ts";

export interface ResultWaitersDeps {
  readonly commands: RedisConnection;
  readonly subscriber: RedisSubscriber;
  /** Waits an outage out. */
  readonly reader: KeyReader;
  /** How long an outage may last before those who wait are told. */
  readonly patienceMs: number;
  /** See `OwnResultsDeps`. */
  readonly ownPrefix: string | undefined;
  readonly recent: RecentLimits;
  readonly nowMs: () => number;
}

/** Hears what is stored under one key: by message, and by reading the key when messages may have been missed. */
interface Waiter {
  /** @param text the stored JSON; the same one twice, by message and by reading, is told once. */
  hear(text: string): void;
  fail(error: unknown): void;
}

/** Those who wait for one result, on one subscription. */
interface Place {
  readonly waiters: Set<Waiter>;
  /** It has a subscription of its own: it is not, or was not, left to `OwnResults`. */
  hasChannel: boolean;
  /** One of them has used up the id's mark, so nobody will ask what was heard. */
  hasMark: boolean;
}

/** More than this beyond what is fair, and own results are heard one by one again. */
const MOST_WASTED = 5000;

/**
 * All who wait for results. Own results are heard by one subscription, and read only if one may have been missed; others are subscribed to one by one,
 * and read then.
 */
export class ResultWaiters {
  readonly #deps: ResultWaitersDeps;
  readonly #own: OwnResults;
  readonly #recent: RecentResults;
  /** By key, which is the channel too. */
  readonly #places = new Map<string, Place>();
  #outage: NodeJS.Timeout | undefined;

  constructor(deps: ResultWaitersDeps) {
    this.#deps = deps;
    const { subscriber, commands, nowMs } = deps;
    this.#recent = new RecentResults(deps.recent, nowMs);
    this.#own = new OwnResults({
      prefix: deps.ownPrefix,
      commands,
      subscriber,
      nowMs,
      isNeeded: () => this.#places.size > 0,
      onListening: () => this.#recent.gap(),
      onDeaf: () => this.#recent.gap(),
    });
    subscriber.events.on("message", (channel, text, pattern) => this.#heard(channel, text, pattern));
    subscriber.events.on("up", () => this.#onUp());
    subscriber.events.on("down", (fault) => this.#onDown(fault));
  }

  /** See `ResultBackend.mark`. */
  mark(): ResultMark {
    return this.#recent.mark();
  }

  /** See `ResultBackend.wait`. */
  wait(key: string, { signal, mark, onUpdate }: WaitOptions): Promise<ResultMeta> {
    return new Promise<ResultMeta>((resolve, reject) => {
      const end = (): void => {
        signal?.removeEventListener("abort", onAbort);
        this.#leave(key, waiter);
      };
      const fail = (error: unknown): void => {
        end();
        reject(error as Error);
      };
      const onAbort = (): void => fail(signal?.reason);
      let last: string | undefined;
      const hear = (text: string): void => {
        if (text === last) return;
        last = text;
        const meta = decodeResultMeta(text);
        onUpdate?.(meta);
        if (!isReady(meta.status)) return;
        end();
        resolve(meta);
      };
      const waiter: Waiter = { hear, fail };
      if (signal?.aborted) return reject(signal.reason as Error);
      signal?.addEventListener("abort", onAbort, { once: true });
      this.#join(key, waiter, mark);
    });
  }

  /** Its result is not stored any more. */
  forget(key: string): void {
    this.#recent.forget(key);
  }

  close(): void {
    clearTimeout(this.#outage);
    this.#failAll(new OperationalError("The app was closed while it waited for a result."));
    this.#own.stop();
  }

  #join(key: string, waiter: Waiter, mark: ResultMark | undefined): void {
    this.#deps.subscriber.hold();
    const place = this.#places.get(key) ?? { waiters: new Set(), hasChannel: false, hasMark: false };
    place.waiters.add(waiter);
    this.#places.set(key, place);
    if (!this.#own.hears(key)) return void this.#listenAndRead(key, waiter);
    place.hasMark ||= mark?.of === this.#recent;
    const text = this.#recent.find(key, mark);
    if (text === undefined) void this.#readFor(key, waiter);
    else if (text !== null) tell(waiter, text);
    else this.#deps.subscriber.check(); // nothing else would tell soon that it is deaf
  }

  #leave(key: string, waiter: Waiter): void {
    const place = this.#places.get(key);
    if (!place?.waiters.delete(waiter)) return;
    this.#deps.subscriber.letGo();
    if (place.waiters.size > 0) return;
    this.#places.delete(key);
    if (place.hasChannel) this.#deps.subscriber.unsubscribe(key);
    if (this.#places.size === 0) this.#own.unneeded();
  }

  /** Subscribed before it reads, so that a result stored in between is heard. */
  async #listenAndRead(key: string, waiter: Waiter): Promise<void> {
    try {
      if (!(await this.#own.listenFor(key))) await this.#subscribe(key);
      if (this.#places.has(key)) await this.#readFor(key, waiter);
    } catch (error) {
      failUnlessLost(waiter, error);
    }
  }

  async #subscribe(key: string): Promise<void> {
    const place = this.#places.get(key);
    // Whoever waited may have gone meanwhile.
    if (place === undefined) return;
    place.hasChannel = true;
    await this.#deps.subscriber.subscribe(key).catch((error: unknown) => {
      if (!isRefused(error)) throw error;
      // With one name Redis refuses all that came with it, and those who wait for this one are not to suffer for another.
      return this.#places.get(key) === place ? this.#deps.subscriber.subscribe(key) : undefined;
    });
  }

  async #readFor(key: string, waiter: Waiter): Promise<void> {
    try {
      await this.#read(key, [waiter]);
    } catch (error) {
      failUnlessLost(waiter, error);
    }
  }

  async #read(key: string, waiters: Iterable<Waiter>): Promise<void> {
    const text = await this.#deps.reader.read(key);
    if (text === null) return;
    for (const waiter of waiters) if (this.#places.get(key)?.waiters.has(waiter)) tell(waiter, text);
  }

  #heard(channel: string, text: string, pattern: string | undefined): void {
    const place = this.#places.get(channel);
    if (pattern !== undefined && !place?.hasMark) this.#remember(channel, text);
    if (place === undefined) return;
    this.#recent.countWanted();
    for (const waiter of place.waiters) tell(waiter, text);
  }

  #remember(key: string, text: string): void {
    if (!this.#own.hears(key)) return;
    this.#recent.add(key, text);
    if (this.#recent.wasted > MOST_WASTED) void this.#hearOneByOne();
  }

  /** This app sends much and asks for little of it: what it does not ask for is not to come here. */
  async #hearOneByOne(): Promise<void> {
    this.#own.rest();
    const places = [...this.#places];
    try {
      // Until this is confirmed they are heard as before, so nothing is missed in between.
      await Promise.all(places.map(([key]) => this.#subscribe(key)));
    } catch (error) {
      for (const [, { waiters }] of places) for (const waiter of waiters) failUnlessLost(waiter, error);
    } finally {
      this.#own.stop();
    }
  }

  /** Connected again: what was published meanwhile was missed, but it is stored. */
  #onUp(): void {
    clearTimeout(this.#outage);
    this.#outage = undefined;
    this.#own.onUp();
    for (const [key, { waiters }] of this.#places) {
      const all = [...waiters];
      this.#read(key, all).catch((error: unknown) => {
        for (const waiter of all) waiter.fail(error);
      });
    }
  }

  #onDown(fault: RedisFault): void {
    this.#own.onDown();
    this.#outage ??= setTimeout(() => this.#failAll(fault), this.#deps.patienceMs).unref();
  }

  #failAll(error: Error): void {
    for (const { waiters } of this.#places.values()) for (const waiter of waiters) waiter.fail(error);
  }
}

function isRefused(error: unknown): boolean {
  return error instanceof RedisFault && error.kind === "refused";
}

/** Cut off in mid-way: once connected again, all keys are read again. */
function failUnlessLost(waiter: Waiter, error: unknown): void {
  if (!(error instanceof RedisFault && error.kind === "lost")) waiter.fail(error);
}

/** A text that is no result, or a caller's `onMessage` that throws, ends this wait and no other. */
function tell(waiter: Waiter, text: string): void {
  try {
    waiter.hear(text);
  } catch (error) {
    waiter.fail(error);
  }
}
