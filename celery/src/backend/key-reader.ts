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
/** Waits before a read whose answer was lost is tried again; reading is always repeatable. */
const RETRY_MS: readonly number[] = [0, 100, 300, 1000, 2000];

/** Reads keys: what is asked for in one turn of the event loop goes out as one command. */
export class KeyReader {
  readonly #redis: RedisConnection;
  readonly #closing = new AbortController();
  #waiting: Reader[] = [];

  constructor(redis: RedisConnection) {
    this.#redis = redis;
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
    for (let attempt = 0; ; attempt += 1) {
      try {
        if (keys.length > 1) return (await this.#redis.call("MGET", ...keys)) as readonly (string | null)[];
        return [(await this.#redis.call("GET", keys[0] ?? "")) as string | null];
      } catch (error) {
        const delay = RETRY_MS[attempt];
        if (delay === undefined || !isLost(error) || this.#closing.signal.aborted) throw error;
        await sleep(delay, this.#closing.signal);
      }
    }
  }
}

function isLost(error: unknown): boolean {
  return error instanceof RedisFault && error.kind === "lost";
}
