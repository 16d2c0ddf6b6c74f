/**
 * Redis's clock, as far as we know it: read now and then, and carried on in between by a clock that nobody can set. What is due is
 * decided by it alone: a worker whose own clock is wrong, or jumps, runs nothing early and nothing late.
 */
export class ServerClock {
  #readMs: number | undefined;
  #readAt = 0;

  /** @param epochMs what Redis said just now. */
  set(epochMs: number): void {
    this.#readMs = epochMs;
    this.#readAt = performance.now();
  }

  /** Epoch milliseconds; by our own clock until Redis's is known. */
  nowMs(): number {
    return this.#readMs === undefined ? Date.now() : this.#readMs + performance.now() - this.#readAt;
  }
}
