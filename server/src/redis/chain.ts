import { Redis } from "ioredis";
import { type BinarySearch, findRedisBinary } from "./binary.ts";
import { RedisUnusable } from "./errors.ts";
import type { RedisSource } from "./source.ts";
import { withoutPassword } from "./url.ts";

/** How long an external Redis may take to answer its first PING. */
const FIRST_ANSWER_MS = 4_000;

export interface ChainOptions extends BinarySearch {
  /** `REDIS_URL`. Wins over everything, and is never replaced by something else. */
  readonly url: string | undefined;
  /** Use the emulator even where a real server is installed. */
  readonly emulator: boolean;
}

/**
 * Decides where the messages live: `REDIS_URL`, else a real server program, else the emulator from npm.
 *
 * @throws RedisUnusable within 5 seconds when `REDIS_URL` is no Redis URL or nothing answers there.
 */
export async function chooseRedis(options: ChainOptions): Promise<RedisSource> {
  if (options.url !== undefined) {
    await answerFrom(options.url);
    return { kind: "external", url: options.url };
  }
  if (options.emulator) return { kind: "emulator" };
  const binary = await findRedisBinary(options);
  return binary === undefined ? { kind: "emulator" } : { kind: "server", binary };
}

async function answerFrom(url: string): Promise<void> {
  if (!URL.canParse(url) || !/^rediss?:$/.test(new URL(url).protocol)) {
    throw new RedisUnusable(
      `REDIS_URL is "${withoutPassword(url)}", which is no Redis URL. Write it as redis://localhost:6379/0, ` +
        "or unset it to let the playground start a Redis of its own.",
    );
  }
  const redis = new Redis(url, {
    protocol: 2,
    lazyConnect: true,
    retryStrategy: null,
    connectTimeout: FIRST_ANSWER_MS,
    commandTimeout: FIRST_ANSWER_MS,
    maxRetriesPerRequest: 0,
  });
  // The reason arrives here; the rejected command only says that the connection closed.
  let reason: Error | undefined;
  redis.on("error", (error) => {
    reason = error;
  });
  try {
    await withinTime(redis.connect().then(() => redis.ping()));
  } catch (error) {
    throw new RedisUnusable(explain(url, reason ?? (error as Error)), { cause: error });
  } finally {
    redis.disconnect();
  }
}

/** A listener that accepts and then says nothing would otherwise hold the start up for ever. */
async function withinTime<T>(promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`no answer in ${FIRST_ANSWER_MS / 1000} seconds`)),
      FIRST_ANSWER_MS,
    );
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

function explain(url: string, error: Error): string {
  const reason = reasonOf(error);
  return (
    `REDIS_URL is ${withoutPassword(url)}, but no Redis answers there (${reason}). ` +
    "Start that Redis, correct the address, or unset REDIS_URL to let the playground start a Redis of its own."
  );
}

function reasonOf(error: Error): string {
  // ioredis asks for a report of it, as if the fault were its own.
  if (/RESP type|Protocol error/.test(error.message)) return "another kind of server does";
  return "code" in error ? `${String(error.code)}` : error.message;
}
