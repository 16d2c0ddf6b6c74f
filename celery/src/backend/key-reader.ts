import type { RedisConnection } from "../redis/connection.ts";
import { RedisFault } from "../redis/fault.ts";
import { sleep } from "../runtime/sleep.ts";

interface Reader {
  readonly key: string;
  resolve(text: string | null): void;
  reject(error: Error): void;
}

/** Keys in one MGET. */
const CHUNK = 500;
/** Waits before a read is tried again; the last one repeats. Reading is always repeatable. */
const RETRY_MS: readonly number[] = [0, 100, 300, 1000, 2000];

/** Reads keys: what is asked for in one turn of the event loop goes out as one command. */
export class KeyReader {
  readonly #redis: RedisConnection;
  readonly #patienceMs: number;
  readonly #closing = new AbortController();
  #waiting: Reader[] = [];

  /**
   * @param patienceMs how long an outage is waited out. Without it a lost answer is asked for again, but a store that cannot be
   *   reached is an error at once.
   */
  constructor(redis: RedisConnection, patienceMs = 0) {
    this.#redis = redis;
    this.#patienceMs = patienceMs;
  }

  /** `null` when there is no such key. @throws OperationalError when the store is away. */
  read(key: string): Promise<string | null> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ key, resolve, reject });
      if (this.#waiting.length === 1) setImmediate(() => this.#flush());
    });
  }

  close(): void {
    this.#closing.abort();
  }

  #flush(): void {
    const all = this.#waiting;
    this.#waiting = [];
    for (let at = 0; at < all.length; at += CHUNK) void this.#answer(all.slice(at, at + CHUNK));
  }

  async #answer(readers: readonly Reader[]): Promise<void> {
    try {
      const texts = await this.#fetch(readers.map(({ key }) => key));
      for (const [index, reader] of readers.entries()) reader.resolve(texts[index] ?? null);
    } catch (error) {
      for (const reader of readers) reader.reject(error as Error);
    }
  }

  async #fetch(keys: readonly string[]): Promise<readonly (string | null)[]> {
    const started = performance.now();
    for (let attempt = 0; ; attempt += 1) {
      try {
        if (keys.length > 1) return (await this.#redis.call("MGET", ...keys)) as readonly (string | null)[];
        return [(await this.#redis.call("GET", keys[0] ?? "")) as string | null];
      } catch (error) {
        if (!this.#isWorthAnother(error, attempt, performance.now() - started)) throw error;
        const delay = RETRY_MS[Math.min(attempt, RETRY_MS.length - 1)] ?? 0;
        await sleep(delay, this.#closing.signal);
      }
    }
  }

  #isWorthAnother(error: unknown, attempt: number, elapsedMs: number): boolean {
    if (!(error instanceof RedisFault) || error.kind === "refused" || this.#closing.signal.aborted)
      return false;
    if (elapsedMs < this.#patienceMs) return true;
    return error.kind === "lost" && attempt < RETRY_MS.length;
  }
}
