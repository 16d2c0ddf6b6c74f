import { openConnection } from "../redis/connection.ts";
import { openSubscriber } from "../redis/subscriber.ts";
import type { ResultBackend } from "./backend.ts";
import { RedisBackend } from "./redis-backend.ts";
import type { ChordOptions } from "./redis-chords.ts";

export interface BackendOptions {
  /** What the ids of this app's own tasks begin with, and hardly any others: their results are heard by one subscription. */
  readonly ownIds?: string;
  /** Seconds a result is kept; `null` for ever. */
  readonly expiresSeconds: number | null;
  /** Seconds for one attempt to connect. */
  readonly connectTimeoutSeconds: number;
  /** Seconds that an outage may last before those who wait for results are told. Default 20. */
  readonly patienceSeconds?: number;
  readonly chords?: Omit<ChordOptions, "expiresSeconds">;
}

/** Connects with the first use. @throws ImproperlyConfigured for a URL that is none. */
export function openBackend(url: string, options: BackendOptions): ResultBackend {
  const connectTimeoutMs = options.connectTimeoutSeconds * 1000;
  return new RedisBackend(url, {
    ownIds: options.ownIds,
    expiresSeconds: options.expiresSeconds,
    chords: options.chords,
    patienceMs: (options.patienceSeconds ?? 20) * 1000,
    commands: openConnection(url, { name: "celery-results", connectTimeoutMs }),
    subscriber: openSubscriber(url, { name: "celery-waiters", connectTimeoutMs }),
  });
}
