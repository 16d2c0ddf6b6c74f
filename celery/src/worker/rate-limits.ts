import { ratePerSecond } from "../app/rate.ts";
import type { Clock } from "../runtime/clock.ts";

/** Longest wait between two looks at a bucket: a rate of one start a month must not overflow a timer. */
const LONGEST_WAIT_MS = 3_600_000;

/**
 * One start at a time, refilled at a steady rate. It starts full, and time during which it is full is not saved up.
 *
 * @see kombu 5.7.0 utils/limits.py, `TokenBucket`, with Celery's capacity of 1
 */
export class TokenBucket {
  readonly #perSecond: number;
  readonly #clock: Pick<Clock, "monotonicMs">;
  #tokens = 1;
  #lookedAtMs: number;

  constructor(perSecond: number, clock: Pick<Clock, "monotonicMs">) {
    this.#perSecond = perSecond;
    this.#clock = clock;
    this.#lookedAtMs = clock.monotonicMs();
  }

  /** Takes the token if there is one. */
  take(): boolean {
    if (this.#fill() < 1) return false;
    this.#tokens -= 1;
    return true;
  }

  /** How long until there is a token. */
  waitMs(): number {
    return ((1 - this.#fill()) / this.#perSecond) * 1000;
  }

  #fill(): number {
    const now = this.#clock.monotonicMs();
    const gained = (this.#perSecond * (now - this.#lookedAtMs)) / 1000;
    this.#tokens = Math.min(1, this.#tokens + gained);
    this.#lookedAtMs = now;
    return this.#tokens;
  }
}

export interface RateLimitsDeps<T> {
  readonly clock: Pick<Clock, "monotonicMs">;
  /** Calls `work` once, later; returns what prevents it. */
  readonly after: (ms: number, work: () => void) => () => void;
  /** `worker_disable_rate_limits`. */
  readonly disabled: boolean;
  /** The limit that the task itself asks for. */
  readonly limitOf: (task: string) => string | number | null;
  /** This item's turn has come. */
  readonly onReady: (item: T) => void;
}

/** Items of one task type that wait for their turn, in the order of their coming. */
interface Lane<T> {
  limit: string | number | null;
  bucket: TokenBucket | null;
  waiting: T[];
  cancel: (() => void) | undefined;
}

/**
 * Holds received tasks back so that each type starts no more often than it may, in this worker.
 *
 * @see celery 5.7.0 worker/consumer/consumer.py, `_limit_task` and `_schedule_bucket_request`
 */
export class RateLimits<T> {
  readonly #deps: RateLimitsDeps<T>;
  readonly #lanes = new Map<string, Lane<T>>();
  #size = 0;

  constructor(deps: RateLimitsDeps<T>) {
    this.#deps = deps;
  }

  /** How many wait for their turn. */
  get size(): number {
    return this.#size;
  }

  /** The limit of this type as it was set; null is none. */
  limitOf(task: string): string | number | null {
    return this.#laneOf(task).limit;
  }

  /** Whether tasks of this type have a limit; only then they are to be given to `hold`. */
  limits(task: string): boolean {
    return this.#laneOf(task).bucket !== null;
  }

  /** Gives the item back by `onReady` when its turn has come, which may be at once. */
  hold(task: string, item: T): void {
    const lane = this.#laneOf(task);
    lane.waiting.push(item);
    this.#size += 1;
    if (lane.cancel === undefined) this.#serve(lane);
  }

  /** Another limit from now on; null or 0 is none. Those that wait go on by it. @throws RangeError for what is no rate. */
  set(task: string, limit: string | number | null): void {
    const lane = this.#laneOf(task);
    lane.bucket = this.#makeBucket(limit);
    lane.limit = limit;
    lane.cancel?.();
    lane.cancel = undefined;
    this.#serve(lane);
  }

  /** Takes out what waits and `isWanted`. */
  take(isWanted: (item: T) => boolean): readonly T[] {
    const taken: T[] = [];
    for (const lane of this.#lanes.values()) {
      taken.push(...lane.waiting.filter(isWanted));
      lane.waiting = lane.waiting.filter((item) => !isWanted(item));
      if (lane.waiting.length > 0) continue;
      lane.cancel?.();
      lane.cancel = undefined;
    }
    this.#size -= taken.length;
    return taken;
  }

  #serve(lane: Lane<T>): void {
    const { onReady, after } = this.#deps;
    while (lane.waiting.length > 0) {
      if (lane.bucket !== null && !lane.bucket.take()) break;
      this.#size -= 1;
      onReady(lane.waiting.shift() as T);
    }
    if (lane.waiting.length === 0 || lane.bucket === null) return;
    lane.cancel = after(Math.min(Math.ceil(lane.bucket.waitMs()), LONGEST_WAIT_MS), () => {
      lane.cancel = undefined;
      this.#serve(lane);
    });
  }

  #laneOf(task: string): Lane<T> {
    const known = this.#lanes.get(task);
    if (known) return known;
    const limit = this.#deps.limitOf(task);
    const lane = { limit, bucket: this.#makeBucket(limit), waiting: [], cancel: undefined };
    this.#lanes.set(task, lane);
    return lane;
  }

  #makeBucket(limit: string | number | null): TokenBucket | null {
    const perSecond = this.#deps.disabled ? 0 : ratePerSecond(limit);
    return perSecond === 0 ? null : new TokenBucket(perSecond, this.#deps.clock);
  }
}

/** The system's timers, which do not keep a finished process alive. */
export function afterMs(ms: number, work: () => void): () => void {
  const timer = setTimeout(work, ms);
  return () => clearTimeout(timer);
}
