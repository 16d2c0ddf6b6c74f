import { openConnection, type RedisConnection } from "../redis/connection.ts";
import { RedisFault } from "../redis/fault.ts";
import { PRIORITY_STEPS, queueKey } from "../redis/keys.ts";
import type { BrokerLink } from "./broker-link.ts";
import type { Claim } from "./transport.ts";

/**
 * Longest a wait lasts: where every list is watched, only in case that a watch is deaf without knowing; else because
 * nothing but looking again finds a message.
 */
const LIMIT_MS = { watched: 20_000, unwatched: 2000 } as const;
/** More lists than this are looked after by looking again only: each waiting list needs a connection. */
const MAX_LISTS = 8;
/**
 * Server's limit of one blocking call; it is said again as long as somebody waits. A push ends it at once. Each end of a quiet wait costs
 * eight commands, with the call that stands behind it.
 */
const BLOCK_SECONDS = 60;

/** Sends what takes messages. Settles with `undefined` when there may be some all the same. Never rejects. */
export type Take = (redis: RedisConnection) => Promise<readonly Claim[] | undefined>;

/** One who waits. */
interface Wait {
  readonly take: Take;
  finish(claims: readonly Claim[]): void;
}

/**
 * Waits for a message: `BLMOVE list list RIGHT RIGHT` moves the oldest message onto itself, and the call that takes it stands behind it on
 * the same connection, so that Redis carries it out in the moment of the push. One connection per list, because the command takes one.
 * Where it is refused (at the memory limit, or by a server that does not know it) looking again every one to two seconds has to do.
 */
export class WorkWaiter {
  readonly #url: string;
  readonly #link: BrokerLink;
  readonly #onStray: (claims: readonly Claim[]) => void;
  #waiting: Wait | undefined;
  readonly #wake = (): void => this.#waiting?.finish([]);
  /** The worker's own line was broken: these may be too, and not know it. */
  readonly #onConnected = (): void => {
    void this.retract();
    this.#wake();
  };
  #watches: readonly ListWatch[];
  #isComplete: boolean;

  /** @param onStray is told what was taken when nobody waited any more. */
  constructor(
    url: string,
    queues: readonly string[],
    link: BrokerLink,
    onStray: (claims: readonly Claim[]) => void,
  ) {
    this.#url = url;
    this.#link = link;
    this.#onStray = onStray;
    const { keys, isComplete } = watchedLists(queues);
    this.#watches = keys.map((key) => this.#watch(key));
    this.#isComplete = isComplete;
    link.events.on("connected", this.#onConnected);
  }

  /** Watches other queues from now on, and ends the wait under way: there may be work in the new ones. */
  async setQueues(queues: readonly string[]): Promise<void> {
    const { keys, isComplete } = watchedLists(queues);
    const kept = this.#watches.filter((watch) => keys.includes(watch.key));
    const gone = this.#watches.filter((watch) => !kept.includes(watch));
    const fresh = keys.filter((key) => !kept.some((watch) => watch.key === key));
    this.#watches = [...kept, ...fresh.map((key) => this.#watch(key))];
    this.#isComplete = isComplete;
    this.#wake();
    await Promise.all(gone.map((watch) => watch.close()));
  }

  /**
   * One wait at a time. Settles with what was taken as soon as there is something; with nothing when somebody else may have got it, when
   * `signal` aborts, or after at most 20 s (2 s where lists cannot be watched). What stands behind the lists may still take something then:
   * `retract` ends that.
   */
  wait(signal: AbortSignal, take: Take): Promise<readonly Claim[]> {
    if (signal.aborted) return Promise.resolve([]);
    return new Promise((resolve) => {
      const onAbort = (): void => wait.finish([]);
      const wait: Wait = {
        take,
        finish: (claims) => {
          clearTimeout(timer);
          signal.removeEventListener("abort", onAbort);
          if (this.#waiting === wait) this.#waiting = undefined;
          resolve(claims);
        },
      };
      const timer = setTimeout(onAbort, this.#limitMs() * (0.75 + Math.random() / 4));
      signal.addEventListener("abort", onAbort, { once: true });
      this.#waiting = wait;
      this.#watchSoon(wait);
    });
  }

  /** From then on nothing is taken until the next wait. What was taken in that very moment is not known here. */
  async retract(): Promise<void> {
    await Promise.all(this.#watches.map((watch) => watch.retract()));
  }

  /**
   * Two turns later: by then what was taken last has run and its results are on their way. A write costs as much as running a short task
   * does, and nobody waits for this one.
   */
  #watchSoon(wait: Wait): void {
    const watch = (): void => {
      if (this.#waiting !== wait || !this.#link.isUp) return;
      for (const list of this.#watches) list.start(wait.take);
    };
    setImmediate(() => setImmediate(watch));
  }

  async close(): Promise<void> {
    this.#link.events.off("connected", this.#onConnected);
    this.#wake();
    await Promise.all(this.#watches.map((watch) => watch.close()));
  }

  #watch(key: string): ListWatch {
    return new ListWatch(this.#url, key, (end, taken) => {
      const wait = this.#waiting;
      if (taken !== undefined && taken.length > 0) {
        if (wait === undefined) this.#onStray(taken);
        else wait.finish(taken);
      } else if (end === "unknown" || (end === "pushed" && taken === undefined)) wait?.finish([]);
      return this.#waiting?.take;
    });
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

/** `unknown`: there may have been a push; or it turned out that the list cannot be watched. */
type WatchEnd = "pushed" | "quiet" | "unknown" | "refused";

/** @returns what a wait that goes on has to send: if it was pushed, another worker was faster. */
type OnEnd = (end: WatchEnd, taken: readonly Claim[] | undefined) => Take | undefined;

class ListWatch {
  readonly key: string;
  /** The last try to watch was refused. */
  isBlind = false;
  readonly #redis: RedisConnection;
  readonly #onEnd: OnEnd;
  #underWay: Promise<void> | undefined;

  constructor(url: string, key: string, onEnd: OnEnd) {
    this.key = key;
    this.#onEnd = onEnd;
    this.#redis = openConnection(url, { name: "celery-wait", replyTimeoutMs: (BLOCK_SECONDS + 3) * 1000 });
  }

  /** One call is under way at most. */
  start(take: Take): void {
    this.#underWay ??= this.#watch(take);
  }

  /** Settles when nothing is under way any more. */
  async retract(): Promise<void> {
    if (this.#underWay === undefined) return;
    await this.#redis.connect().catch(() => undefined); // then nothing has been sent, and the call ends by itself
    this.#redis.drop();
    await this.#underWay;
  }

  async close(): Promise<void> {
    await this.#redis[Symbol.asyncDispose]();
    await this.#underWay;
  }

  async #watch(take: Take): Promise<void> {
    const [end, taken] = await Promise.all(
      this.#redis.together(() => [this.#block(), take(this.#redis)] as const),
    );
    this.#underWay = undefined;
    const next = this.#onEnd(end, taken);
    if (next !== undefined && (end === "quiet" || end === "pushed")) this.start(next);
  }

  async #block(): Promise<WatchEnd> {
    const wasBlind = this.isBlind;
    try {
      const reply = await this.#redis.call("BLMOVE", this.key, this.key, "RIGHT", "RIGHT", BLOCK_SECONDS);
      this.isBlind = false;
      return reply === null ? "quiet" : "pushed";
    } catch (error) {
      // Cut off in mid-wait: a message may have come. Refused or unreachable: shorter waits have to do from now on.
      if (error instanceof RedisFault && error.kind === "lost") return "unknown";
      this.isBlind = true;
      return wasBlind ? "refused" : "unknown";
    }
  }
}
