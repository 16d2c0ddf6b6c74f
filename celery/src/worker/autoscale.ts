import type { Clock } from "../runtime/clock.ts";

/** The part of a pool that an autoscaler turns. */
export interface ScalablePool {
  readonly size: number;
  grow(slots: number): void;
  /** @throws Error when not as many are idle. */
  shrink(slots: number): void;
}

export interface AutoscalerDeps {
  readonly pool: ScalablePool;
  /** Tasks received and not finished, running or waiting for a slot. */
  readonly load: () => number;
  readonly clock: Pick<Clock, "monotonicMs">;
  readonly say: (text: string) => void;
}

export interface Range {
  readonly max: number;
  readonly min: number;
}

/** How long nothing must have come before slots are given up. Celery's `AUTOSCALE_KEEPALIVE`, seconds. */
const KEEPALIVE_SECONDS = 30;

/**
 * Gives the pool as many slots as there are tasks, between `min` and `max`: more at once, fewer after a while of quiet.
 *
 * @see celery 5.7.0 worker/autoscale.py
 */
export class Autoscaler {
  readonly #deps: AutoscalerDeps;
  readonly #keepaliveMs: number;
  #range: Range;
  #lastActiveMs: number;

  constructor(deps: AutoscalerDeps, range: Range, keepaliveSeconds: number = KEEPALIVE_SECONDS) {
    this.#deps = deps;
    this.#range = range;
    this.#keepaliveMs = keepaliveSeconds * 1000;
    this.#lastActiveMs = deps.clock.monotonicMs();
  }

  get range(): Range {
    return this.#range;
  }

  /** To be called when a task was received. */
  onReceived(): void {
    this.#lastActiveMs = this.#deps.clock.monotonicMs();
    this.#growToLoad();
  }

  /** To be called now and then: nothing else notices quiet. */
  tick(): void {
    this.#growToLoad();
    const { pool, load, clock } = this.#deps;
    const excess = pool.size - Math.max(load(), this.#range.min);
    if (excess <= 0 || clock.monotonicMs() - this.#lastActiveMs <= this.#keepaliveMs) return;
    this.#shrink(excess);
  }

  /** Another range from now on; null leaves that end as it is. */
  update(max: number | null, min: number | null): Range {
    const { size } = this.#deps.pool;
    this.#range = { max: max ?? this.#range.max, min: min ?? this.#range.min };
    if (size > this.#range.max) this.#shrink(size - this.#range.max);
    else if (size < this.#range.min) this.#grow(this.#range.min - size);
    return this.#range;
  }

  #growToLoad(): void {
    const { pool, load } = this.#deps;
    const missing = Math.min(load(), this.#range.max) - pool.size;
    if (missing > 0) this.#grow(missing);
  }

  #grow(slots: number): void {
    this.#lastActiveMs = this.#deps.clock.monotonicMs();
    this.#deps.say(`Scaling up ${slots} processes.`);
    this.#deps.pool.grow(slots);
  }

  /** One at a time: as many as are idle go, and the busy ones have their turn at the next tick. */
  #shrink(slots: number): void {
    this.#deps.say(`Scaling down ${slots} processes.`);
    try {
      for (let slot = 0; slot < slots; slot += 1) this.#deps.pool.shrink(1);
    } catch {
      // All that are left are busy; the next tick looks again.
    }
  }
}
