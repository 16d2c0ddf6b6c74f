import { RedisFault } from "../redis/fault.ts";
import { sleep } from "../runtime/sleep.ts";

/** Waits before something is tried again; the last one repeats. */
const RETRY_MS: readonly number[] = [0, 100, 300, 1000, 2000];

/** Does again what a store that is away could not do. Only for what may be done twice. */
export class Patience {
  readonly #ms: number;
  readonly #ended = new AbortController();

  /** @param ms how long an outage is waited out. With 0 a lost answer is asked for again, but a store that cannot be reached is an error at once. */
  constructor(ms: number) {
    this.#ms = ms;
  }

  /** @throws what `work` throws in the end. */
  async with<T>(work: () => Promise<T>): Promise<T> {
    const started = performance.now();
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await work();
      } catch (error) {
        if (!this.#isWorthAnother(error, attempt, performance.now() - started)) throw error;
        const delay = RETRY_MS[Math.min(attempt, RETRY_MS.length - 1)] ?? 0;
        await sleep(delay, this.#ended.signal);
      }
    }
  }

  /** What is under way is not tried again. */
  end(): void {
    this.#ended.abort();
  }

  #isWorthAnother(error: unknown, attempt: number, elapsedMs: number): boolean {
    if (!(error instanceof RedisFault) || error.kind === "refused" || this.#ended.signal.aborted)
      return false;
    if (elapsedMs < this.#ms) return true;
    return error.kind === "lost" && attempt < RETRY_MS.length;
  }
}
