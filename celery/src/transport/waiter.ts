import { openConnection, type RedisConnection } from "../redis/connection.ts";
import { RedisFault } from "../redis/fault.ts";
import { PRIORITY_STEPS, queueKey } from "../redis/keys.ts";
import type { BrokerLink } from "./broker-link.ts";

/**
 * Longest a wait lasts: where every list is watched, only in case that a watch is deaf without knowing; else because
 * nothing but looking again finds a message.
 */
const LIMIT_MS = { watched: 12_000, unwatched: 2000 } as const;
/** More lists than this are looked after by looking again only: each waiting list needs a connection. */
const MAX_LISTS = 8;
/** Server's limit of one blocking call; it is said again as long as somebody waits. A push ends it at once. */
const BLOCK_SECONDS = 15;

/**
 * Waits for a message without taking it: `BLMOVE list list RIGHT RIGHT` moves the oldest message onto itself. One
 * connection per list, because the command takes one. Where it is refused (at the memory limit, or by a server that does
 * not know it) looking again every one to two seconds has to do.
 */
export class WorkWaiter {
  readonly #url: string;
  readonly #link: BrokerLink;
  /** Ends the waits under way. */
  readonly #waiting = new Set<() => void>();
  readonly #wakeAll = (): void => {
    for (const finish of this.#waiting) finish();
  };
  readonly #listener: ListListener = { onNews: this.#wakeAll, isWanted: () => this.#waiting.size > 0 };
  #watches: readonly ListWatch[];
  #isComplete: boolean;

  constructor(url: string, queues: readonly string[], link: BrokerLink) {
    this.#url = url;
    this.#link = link;
    const { keys, isComplete } = watchedLists(queues);
    this.#watches = keys.map((key) => new ListWatch(url, key, this.#listener));
    this.#isComplete = isComplete;
    link.events.on("connected", this.#wakeAll);
  }

  /** Watches other queues from now on, and ends the wait under way: there may be work in the new ones. */
  async setQueues(queues: readonly string[]): Promise<void> {
    const { keys, isComplete } = watchedLists(queues);
    const kept = this.#watches.filter((watch) => keys.includes(watch.key));
    const gone = this.#watches.filter((watch) => !kept.includes(watch));
    const fresh = keys.filter((key) => !kept.some((watch) => watch.key === key));
    this.#watches = [...kept, ...fresh.map((key) => new ListWatch(this.#url, key, this.#listener))];
    this.#isComplete = isComplete;
    this.#wakeAll();
    await Promise.all(gone.map((watch) => watch.close()));
  }

  /** Settles when there may be work, when `signal` aborts, or after at most 12 s (2 s where lists cannot be watched). */
  wait(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const finish = (): void => {
        clearTimeout(timer);
        signal.removeEventListener("abort", finish);
        this.#waiting.delete(finish);
        resolve();
      };
      const timer = setTimeout(finish, this.#limitMs() * (0.75 + Math.random() / 4));
      signal.addEventListener("abort", finish, { once: true });
      this.#waiting.add(finish);
      this.#watchSoon(finish);
    });
  }

  /**
   * Two turns later: by then what was taken last has run and its results are on their way. A write costs as much as running a short task
   * does, and nobody waits for this one.
   */
  #watchSoon(wait: () => void): void {
    const watch = (): void => {
      if (!this.#waiting.has(wait) || !this.#link.isUp) return;
      for (const list of this.#watches) list.start();
    };
    setImmediate(() => setImmediate(watch));
  }

  async close(): Promise<void> {
    this.#link.events.off("connected", this.#wakeAll);
    await Promise.all(this.#watches.map((watch) => watch.close()));
  }

  #limitMs(): number {
    const isWatched = this.#isComplete && this.#link.isUp && !this.#watches.some(({ isBlind }) => isBlind);
    return isWatched ? LIMIT_MS.watched : LIMIT_MS.unwatched;
  }
}

/** The base lists, and the priority lists too while there are few enough. */
function watchedLists(queues: readonly string[]): { keys: readonly string[]; isComplete: boolean } {
  const all = PRIORITY_STEPS.flatMap((step) => queues.map((queue) => queueKey(queue, step)));
  const isComplete = all.length <= MAX_LISTS;
  return { keys: isComplete ? all : all.slice(0, Math.min(queues.length, MAX_LISTS)), isComplete };
}

interface ListListener {
  /** The list has a message, or it turned out that it cannot be watched. */
  onNews(): void;
  isWanted(): boolean;
}

class ListWatch {
  readonly key: string;
  /** The last try to watch was refused. */
  isBlind = false;
  readonly #redis: RedisConnection;
  readonly #listener: ListListener;
  #isUnderWay = false;

  constructor(url: string, key: string, listener: ListListener) {
    this.key = key;
    this.#listener = listener;
    this.#redis = openConnection(url, { name: "celery-wait", replyTimeoutMs: (BLOCK_SECONDS + 3) * 1000 });
  }

  /** One call is under way at most. */
  start(): void {
    if (this.#isUnderWay) return;
    this.#isUnderWay = true;
    void this.#block().then((end) => {
      this.#isUnderWay = false;
      if (end === "news") this.#listener.onNews();
      if (end === "quiet" && this.#listener.isWanted()) this.start();
    });
  }

  async close(): Promise<void> {
    await this.#redis[Symbol.asyncDispose]();
  }

  async #block(): Promise<"news" | "quiet" | "refused"> {
    const wasBlind = this.isBlind;
    try {
      const reply = await this.#redis.call("BLMOVE", this.key, this.key, "RIGHT", "RIGHT", BLOCK_SECONDS);
      this.isBlind = false;
      return reply === null ? "quiet" : "news";
    } catch (error) {
      // Cut off in mid-wait: a message may have come. Refused or unreachable: shorter waits have to do from now on.
      if (error instanceof RedisFault && error.kind === "lost") return "news";
      this.isBlind = true;
      return wasBlind ? "refused" : "news";
    }
  }
}
