import { openConnection, type RedisConnection } from "./connection.ts";
import {
  bindingsOf,
  type ChannelNames,
  channelNames,
  declarations,
  deliveryArguments,
  type OutgoingMessage,
} from "./destination.ts";
import { BEAT_LOCK, BEAT_SENT } from "./keys.ts";
import { acquireBeatLock, publishDue, releaseBeatLock } from "./scripts/beat.ts";

/** One due time of one entry of Beat's schedule. Epoch milliseconds. */
export interface Occurrence {
  readonly entry: string;
  readonly dueAtMs: number;
  readonly sentAtMs: number;
}

export type PublishOutcome =
  | { readonly outcome: "sent" }
  /** Somebody else has the lock now; nothing was sent. */
  | { readonly outcome: "fenced"; readonly holder: string }
  /** This entry was sent at or after the due time already. */
  | { readonly outcome: "duplicate"; readonly sentAtMs: number }
  /** This message cannot be delivered: no queue fits, or its list is something else. */
  | { readonly outcome: "refused"; readonly reason: string };

export type { OutgoingMessage as DueMessage } from "./destination.ts";

/** What only one Beat at a time may have. Methods reject with `OperationalError` while Redis is away. */
export interface BeatLock extends AsyncDisposable {
  /** How long it outlives a Beat that died. */
  readonly ttlMs: number;
  /** Takes the lock, or holds it longer; else says who has it and for how long at most. */
  acquire(): Promise<
    { readonly won: true } | { readonly won: false; readonly holder: string; readonly expiresInMs: number }
  >;
  /** Puts the message into its queue if the lock is not somebody else's and the occurrence was not sent before: in one step. */
  publish(occurrence: Occurrence, message: OutgoingMessage): Promise<PublishOutcome>;
  /** When each entry was last sent by any Beat, epoch milliseconds. */
  lastSent(): Promise<ReadonlyMap<string, number>>;
  /** Corrects what `lastSent` says of these entries. For whoever has the lock. */
  noteSent(sentAtMs: ReadonlyMap<string, number>): Promise<void>;
  /** Gives it up if it is ours. */
  release(): Promise<void>;
}

/** @param options.holder unique, and readable: other Beats show it to people. */
export function openBeatLock(url: string, options: { holder: string; ttlMs: number }): BeatLock {
  return new RedisBeatLock(openConnection(url, { name: "celery-beat" }), options);
}

class RedisBeatLock implements BeatLock {
  readonly ttlMs: number;
  readonly #redis: RedisConnection;
  readonly #holder: string;
  readonly #channels: ChannelNames;

  constructor(redis: RedisConnection, options: { holder: string; ttlMs: number }) {
    this.#redis = redis;
    this.#channels = channelNames(redis.url);
    this.#holder = options.holder;
    this.ttlMs = options.ttlMs;
  }

  async acquire(): Promise<Awaited<ReturnType<BeatLock["acquire"]>>> {
    const reply = (await this.#redis.run(
      acquireBeatLock,
      [BEAT_LOCK],
      [this.#holder, this.ttlMs],
    )) as unknown[];
    if (Number(reply[0]) === 1) return { won: true };
    return { won: false, holder: String(reply[1]), expiresInMs: Math.max(0, Number(reply[2])) };
  }

  async publish(occurrence: Occurrence, message: OutgoingMessage): Promise<PublishOutcome> {
    const { entry, dueAtMs, sentAtMs } = occurrence;
    const declared = bindingsOf(message)
      .flatMap(declarations)
      .flatMap(({ key, member }) => [key, member]);
    const keys = [BEAT_LOCK, BEAT_SENT];
    const delivery = deliveryArguments(message, this.#channels);
    const args = [this.#holder, this.ttlMs, entry, dueAtMs, sentAtMs, ...delivery, ...declared];
    const reply = ((await this.#redis.run(publishDue, keys, args)) as unknown[]).map(String);
    if (reply[0] === "fenced") return { outcome: "fenced", holder: reply[1] ?? "" };
    if (reply[0] === "refused") return { outcome: "refused", reason: reply[1] ?? "" };
    return reply[0] === "duplicate"
      ? { outcome: "duplicate", sentAtMs: Number(reply[1]) }
      : { outcome: "sent" };
  }

  async lastSent(): Promise<ReadonlyMap<string, number>> {
    const flat = (await this.#redis.call("HGETALL", BEAT_SENT)) as string[];
    return new Map(flat.flatMap((name, i) => (i % 2 === 0 ? [[name, Number(flat[i + 1])] as const] : [])));
  }

  async noteSent(sentAtMs: ReadonlyMap<string, number>): Promise<void> {
    if (sentAtMs.size > 0) await this.#redis.call("HSET", BEAT_SENT, ...[...sentAtMs].flat());
  }

  async release(): Promise<void> {
    await this.#redis.run(releaseBeatLock, [BEAT_LOCK], [this.#holder]);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#redis[Symbol.asyncDispose]() as Promise<void>;
  }
}
