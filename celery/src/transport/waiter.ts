import { openConnection, type RedisConnection } from "../redis/connection.ts";
import { RedisFault } from "../redis/fault.ts";
import { PRIORITY_STEPS, queueKey } from "../redis/keys.ts";
import { sleep } from "../runtime/sleep.ts";
import type { BrokerLink } from "./broker-link.ts";

/** Longest a wait lasts. */
const LIMIT_MS = 2000;
/** More lists than this are looked after by looking again only: each waiting list needs a connection. */
const MAX_LISTS = 8;
/** Server's limit of one blocking call; it outlasts the wait, and the next wait goes on with it. A push ends it at once. */
const BLOCK_SECONDS = { first: 5, others: 10 } as const;

/**
 * Waits for a message without taking it: `BLMOVE list list RIGHT RIGHT` moves the oldest message onto itself. One
 * connection per list, because the command takes one. Where it is refused (at the memory limit, or by a server that does
 * not know it) looking again every one to two seconds has to do.
 */
export class WorkWaiter {
  readonly #url: string;
  readonly #link: BrokerLink;
  #watches: readonly ListWatch[];
  #changed = new AbortController();

  constructor(url: string, queues: readonly string[], link: BrokerLink) {
    this.#url = url;
    this.#link = link;
    this.#watches = watchedLists(queues).map((list) => new ListWatch(url, list));
  }

  /** Watches other queues from now on, and ends the wait under way: there may be work in the new ones. */
  async setQueues(queues: readonly string[]): Promise<void> {
    const lists = watchedLists(queues);
    const kept = this.#watches.filter((watch) => lists.some(({ key }) => key === watch.key));
    const gone = this.#watches.filter((watch) => !kept.includes(watch));
    const fresh = lists.filter(({ key }) => !kept.some((watch) => watch.key === key));
    this.#watches = [...kept, ...fresh.map((list) => new ListWatch(this.#url, list))];
    this.#changed.abort();
    this.#changed = new AbortController();
    await Promise.all(gone.map((watch) => watch.close()));
  }

  /** Settles when there may be work, when `signal` aborts, or after at most 2 s. */
  async wait(signal: AbortSignal): Promise<void> {
    const done = new AbortController();
    const limit = AbortSignal.any([signal, done.signal, this.#changed.signal]);
    const waits = [sleep(LIMIT_MS * (0.75 + Math.random() / 4), limit)];
    if (this.#link.isUp) waits.push(...this.#watches.map((watch) => watch.next()));
    else waits.push(this.#link.untilUp(limit).catch(() => undefined)); // the sleep ends with it
    try {
      await Promise.race(waits);
    } finally {
      done.abort();
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#watches.map((watch) => watch.close()));
  }
}

/** The base lists, and the priority lists too while there are few enough. */
function watchedLists(queues: readonly string[]): readonly { key: string; seconds: number }[] {
  const all = PRIORITY_STEPS.flatMap((step) =>
    queues.map((queue) => ({
      key: queueKey(queue, step),
      seconds: step === 0 ? BLOCK_SECONDS.first : BLOCK_SECONDS.others,
    })),
  );
  return all.length <= MAX_LISTS ? all : all.slice(0, Math.min(queues.length, MAX_LISTS));
}

class ListWatch {
  readonly #redis: RedisConnection;
  readonly #list: { key: string; seconds: number };
  #pending: Promise<boolean> | undefined;

  constructor(url: string, list: { key: string; seconds: number }) {
    this.#list = list;
    this.#redis = openConnection(url, { name: "celery-wait", replyTimeoutMs: (list.seconds + 3) * 1000 });
  }

  get key(): string {
    return this.#list.key;
  }

  /** Settles when the list has a message; never when it stays empty or cannot be watched. One call is under way at most. */
  next(): Promise<void> {
    this.#pending ??= this.#block().finally(() => {
      this.#pending = undefined;
    });
    const pending = this.#pending;
    return new Promise((resolve) => {
      void pending.then((woken) => (woken ? resolve() : undefined));
    });
  }

  async close(): Promise<void> {
    await this.#redis[Symbol.asyncDispose]();
  }

  async #block(): Promise<boolean> {
    const { key, seconds } = this.#list;
    try {
      return (await this.#redis.call("BLMOVE", key, key, "RIGHT", "RIGHT", seconds)) !== null;
    } catch (error) {
      // Cut off in mid-wait: a message may have come. Refused or unreachable: the wait's own limit has to do.
      return error instanceof RedisFault && error.kind === "lost";
    }
  }
}
