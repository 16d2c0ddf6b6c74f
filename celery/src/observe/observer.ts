import { EventEmitter } from "node:events";
import { type EventReceiver, LISTENER_RETRY_MS, openEventReceiver } from "../events/index.ts";
import { CeleryError } from "../protocol/errors.ts";
import type { CeleryEvent } from "../protocol/event.ts";
import { decodeResultMeta, type ResultMeta } from "../protocol/result-meta.ts";
import { openConnection, type RedisConnection } from "../redis/connection.ts";
import { RedisFault } from "../redis/fault.ts";
import { deadLetterKey, ETA_INDEX, queueKeys, resultKey, UNACKED } from "../redis/keys.ts";
import { openSubscriber, type RedisSubscriber } from "../redis/subscriber.ts";
import { QueueDiscovery } from "./queue-discovery.ts";

/** What lies in the broker at one moment. */
export interface Snapshot {
  /** Waiting messages, all priorities, by queue: the queues asked for and those known. */
  readonly queues: Readonly<Record<string, number>>;
  /** Taken by a worker and not acknowledged yet; those that wait for their ETA are among them. */
  readonly unacked: number;
  /** Waiting in the broker for their ETA. */
  readonly scheduled: number;
  /** Set aside because they could not be run, all queues. */
  readonly dead: number;
  /** Every queue that somebody has declared, as far as seen; sorted. */
  readonly knownQueues: readonly string[];
}

export interface ObserverEvents {
  event: [event: CeleryEvent];
  /** A result, or a state on the way to it, was stored. */
  result: [meta: ResultMeta];
  /** Listening. After a gap: what was said meanwhile is missed; take a snapshot. */
  up: [];
  down: [error: Error];
}

export interface ObserverOptions {
  /** Where the results are, if not in the broker's database. */
  readonly backendUrl?: string;
}

/** Keys that `keys` looks through before it gives up: nobody wants a full scan of a production server by accident. */
const KEYS_LOOKED_AT = 100_000;
const SCAN_STEP = 1000;

/**
 * Watches a broker without touching it: reads, listens, never writes and never takes a message. Connects by itself, again and
 * again, and does not keep the process alive.
 *
 * Every method rejects with `OperationalError` while Redis is away.
 */
export class Observer extends EventEmitter<ObserverEvents> implements AsyncDisposable {
  readonly #redis: RedisConnection;
  readonly #results: RedisSubscriber;
  readonly #receiver: EventReceiver;
  readonly #discovery: QueueDiscovery;
  readonly #listening = new Set<object>();

  constructor(redis: RedisConnection, results: RedisSubscriber, receiver: EventReceiver) {
    super();
    this.#redis = redis;
    this.#results = results;
    this.#receiver = receiver;
    this.#discovery = new QueueDiscovery(redis);
    receiver.events.on("event", (event) => this.#pass(event));
    results.events.on("message", (_channel, text) => this.#passResult(text));
    for (const part of [receiver, results]) {
      part.events.on("up", () => this.#heard(part));
      part.events.on("down", (error: Error) => this.#missed(part, error));
    }
  }

  /** @param queues to be counted in any case; queues that were seen are counted too. */
  async snapshot(queues: readonly string[] = []): Promise<Snapshot> {
    await this.#discovery.step();
    const knownQueues = this.#discovery.queues;
    const names = [...new Set([...queues, ...knownQueues])];
    const keys = names.flatMap((name) => [...queueKeys(name), deadLetterKey(name)]);
    const [unacked, scheduled] = await Promise.all([
      this.#count("hlen", UNACKED),
      this.#count("zcard", ETA_INDEX),
    ]);
    const lengths = await this.#lengths(keys);
    const perQueue = lengths.length / Math.max(1, names.length);
    const counts = names.map((name, i) => ({
      name,
      lengths: lengths.slice(i * perQueue, (i + 1) * perQueue),
    }));
    return {
      queues: Object.fromEntries(counts.map(({ name, lengths: own }) => [name, sum(own.slice(0, -1))])),
      unacked,
      scheduled,
      dead: sum(counts.map(({ lengths: own }) => own.at(-1) ?? 0)),
      knownQueues,
    };
  }

  /** A string's value; `null` if there is none of this name. */
  get(key: string): Promise<string | null> {
    return this.#ask(null, async () => (await this.#redis.call("GET", key)) as string | null);
  }

  /** A list's length; 0 for what is no list. */
  llen(key: string): Promise<number> {
    return this.#count("llen", key);
  }

  async exists(key: string): Promise<boolean> {
    return Number(await this.#redis.call("EXISTS", key)) > 0;
  }

  /** Names that fit a glob pattern, sorted; of the first hundred thousand keys. */
  async keys(pattern: string): Promise<readonly string[]> {
    const found = new Set<string>();
    let cursor = "0";
    for (let looked = 0; looked < KEYS_LOOKED_AT; looked += SCAN_STEP) {
      const reply = await this.#redis.call("SCAN", cursor, "MATCH", pattern, "COUNT", SCAN_STEP);
      const [next, names] = reply as [string, string[]];
      for (const name of names) found.add(name);
      cursor = next;
      if (cursor === "0") break;
    }
    return [...found].sort();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.removeAllListeners();
    await Promise.all(
      [this.#receiver, this.#results, this.#redis].map((part) => part[Symbol.asyncDispose]()),
    );
  }

  /** Up is when both are: nobody should wait for a result that nothing listens for. */
  #heard(part: object): void {
    this.#listening.add(part);
    if (this.#listening.size === 2) this.emit("up");
  }

  #missed(part: object, error: Error): void {
    this.#listening.delete(part);
    this.emit("down", error);
  }

  #pass(event: CeleryEvent): void {
    if (event.type === "task-sent" && event.queue !== null) this.#discovery.add(event.queue);
    this.emit("event", event);
  }

  #passResult(text: string): void {
    try {
      this.emit("result", decodeResultMeta(text));
    } catch (error) {
      if (!(error instanceof CeleryError)) throw error; // not a result: whoever shares the channel may send what it likes
    }
  }

  #count(command: "llen" | "hlen" | "zcard", key: string): Promise<number> {
    return this.#ask(0, async () => Number(await this.#redis.call(command, key)));
  }

  /** In one go; one by one if something else than a list has a queue's name. */
  async #lengths(keys: readonly string[]): Promise<readonly number[]> {
    const together = this.#redis.pipeline(keys.map((key) => ["llen", key]));
    const replies = await this.#ask(undefined, () => together);
    return replies ? replies.map(Number) : Promise.all(keys.map((key) => this.llen(key)));
  }

  async #ask<T>(otherwise: T, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof RedisFault && error.replyCode === "WRONGTYPE") return otherwise;
      throw error;
    }
  }
}

/**
 * Starts to watch. If Redis is not there yet, that is the first `down`, and it goes on trying.
 *
 * @param brokerUrl `redis://host:port/db`.
 */
export function openObserver(brokerUrl: string, options: ObserverOptions = {}): Observer {
  const results = openSubscriber(options.backendUrl ?? brokerUrl, {
    name: "celery-observer-results",
    maxRetryDelayMs: LISTENER_RETRY_MS,
  });
  const receiver = openEventReceiver(brokerUrl);
  const observer = new Observer(openConnection(brokerUrl, { name: "celery-observer" }), results, receiver);
  // A failure is told as `down`, and the subscription is kept.
  results.subscribePattern(resultKey("*")).catch(() => undefined);
  return observer;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, n) => total + n, 0);
}
