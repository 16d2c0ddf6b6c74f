import type { RedisConnection } from "../redis/connection.ts";
import type { Patience } from "./patience.ts";

interface Reader {
  readonly key: string;
  resolve(text: string | null): void;
  reject(error: Error): void;
}

/** Keys in one MGET. */
const CHUNK = 500;
/** Reads keys: what is asked for in one turn of the event loop goes out as one command. */
export class KeyReader {
  readonly #redis: RedisConnection;
  readonly #patience: Patience;
  #waiting: Reader[] = [];

  constructor(redis: RedisConnection, patience: Patience) {
    this.#redis = redis;
    this.#patience = patience;
  }

  /** `null` when there is no such key. @throws OperationalError when the store is away. */
  read(key: string): Promise<string | null> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ key, resolve, reject });
      if (this.#waiting.length === 1) setImmediate(() => this.#flush());
    });
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

  #fetch(keys: readonly string[]): Promise<readonly (string | null)[]> {
    return this.#patience.with(async () => {
      if (keys.length > 1) return (await this.#redis.call("MGET", ...keys)) as readonly (string | null)[];
      return [(await this.#redis.call("GET", keys[0] ?? "")) as string | null];
    });
  }
}
