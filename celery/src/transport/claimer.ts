import type { RedisConnection } from "../redis/connection.ts";
import {
  heartbeatKey,
  laneKey,
  PRIORITY_STEPS,
  queueKey,
  UNACKED,
  UNACKED_INDEX,
  WORKERS,
} from "../redis/keys.ts";
import { claimScript } from "../redis/scripts/claim.ts";
import type { ClaimIds, IdRange } from "./claim-ids.ts";
import type { QueueCycle } from "./queue-order.ts";
import type { Claim } from "./transport.ts";

export interface ListFault {
  readonly queue: string;
  readonly reason: string;
}

export interface ClaimReply {
  readonly claims: readonly Claim[];
  /** Queues that could not be read, e.g. because the key is no list. */
  readonly faults: readonly ListFault[];
  /** The call was void: there may be messages all the same. */
  readonly isVoid: boolean;
}

const VOID: ClaimReply = { claims: [], faults: [], isVoid: true };

export interface List {
  readonly key: string;
  readonly queue: string;
  /** Ends the entry in `unacked`: empty exchange, the queue as routing key, one space per priority step. */
  readonly closing: string;
}

/** Most messages of one call. */
const MAX_CLAIMS = 200;

/** A call to take messages. Said twice, also over two connections, it takes what there is once: the first to arrive gets it. */
export interface ClaimCall {
  readonly ids: IdRange;
  readonly number: number;
  readonly lists: readonly List[];
}

/** Takes messages, and remembers what a call asked for until it is answered. */
export class Claimer {
  readonly #workerId: string;
  readonly #heartbeatTtlMs: number;
  readonly #queues: QueueCycle;
  readonly #keys: readonly string[];
  readonly #ids: ClaimIds;
  #number = 0;
  /** How many answers are awaited to the call with these ids. */
  readonly #asked = new Map<IdRange, number>();
  /** Ids of calls whose answers were lost: they may or may not be claims. */
  readonly #lost = new Set<IdRange>();

  constructor(workerId: string, ids: ClaimIds, queues: QueueCycle, heartbeatTtlMs: number) {
    this.#workerId = workerId;
    this.#ids = ids;
    this.#heartbeatTtlMs = heartbeatTtlMs;
    this.#queues = queues;
    this.#keys = [UNACKED, UNACKED_INDEX, heartbeatKey(workerId), WORKERS, laneKey(workerId, "claim")];
  }

  /** An answer was lost, and what the call got is not known yet. */
  get hasLost(): boolean {
    return this.#lost.size > 0;
  }

  /** The answer to a call may be on its way that makes this a claim. */
  isAsked(claimId: string): boolean {
    const number = this.#ids.numberOf(claimId) ?? 0;
    for (const { first, count } of this.#asked.keys())
      if (number >= first && number < first + count) return true;
    return false;
  }

  /** Is void once a call that was made later has got something. */
  prepare(max: number): ClaimCall {
    this.#number += 1;
    return {
      ids: this.#ids.take(Math.min(max, MAX_CLAIMS)),
      number: this.#number,
      lists: this.#lists(),
    };
  }

  /**
   * Up to `max` at once.
   *
   * @throws RedisFault
   */
  claim(redis: RedisConnection, max: number): Promise<ClaimReply> {
    return this.#send(redis, this.prepare(max), "");
  }

  /**
   * To be sent behind a command that waits for work.
   *
   * @throws RedisFault
   */
  stand(redis: RedisConnection, call: ClaimCall): Promise<ClaimReply> {
    return this.#send(redis, call, "standing");
  }

  /**
   * What calls got whose answers were lost.
   *
   * @throws RedisFault
   */
  async recover(redis: RedisConnection): Promise<readonly Claim[]> {
    const claims: Claim[] = [];
    for (const ids of this.#lost) {
      this.#number += 1;
      const reply = await this.#run(redis, { ids, number: this.#number, lists: [] }, "again");
      this.#lost.delete(ids);
      claims.push(...reply.claims);
    }
    return claims;
  }

  async #send(redis: RedisConnection, call: ClaimCall, mode: "" | "standing"): Promise<ClaimReply> {
    const { ids } = call;
    this.#asked.set(ids, (this.#asked.get(ids) ?? 0) + 1);
    try {
      return await this.#run(redis, call, mode);
    } catch (error) {
      this.#lost.add(ids);
      throw error;
    } finally {
      const left = (this.#asked.get(ids) ?? 1) - 1;
      if (left > 0) this.#asked.set(ids, left);
      else this.#asked.delete(ids);
    }
  }

  async #run(
    redis: RedisConnection,
    { ids, number, lists }: ClaimCall,
    mode: "" | "standing" | "again",
  ): Promise<ClaimReply> {
    const keys = [...this.#keys, ...lists.map(({ key }) => key)];
    const reply = await redis.run(claimScript, keys, [
      this.#workerId,
      this.#heartbeatTtlMs,
      number,
      mode,
      ids.count,
      this.#ids.prefix,
      ids.first,
      ...lists.map(({ closing }) => closing),
    ]);
    return reply === null ? VOID : readReply(reply as ClaimTuple, ids, this.#ids, lists);
  }

  /** Every queue's most urgent list, then every queue's next, as kombu does. */
  #lists(): readonly List[] {
    const queues = this.#queues.turn();
    return PRIORITY_STEPS.flatMap((step) =>
      queues.map((queue) => ({
        key: queueKey(queue, step),
        queue,
        closing: `, "", ${JSON.stringify(queue)}${" ".repeat(step)}]`,
      })),
    );
  }
}

type ClaimTuple = readonly [
  messages: readonly string[],
  runs: readonly number[],
  faults: readonly (string | number)[],
  known: readonly string[],
];

function readReply(
  [messages, runs, faults, known]: ClaimTuple,
  range: IdRange,
  ids: ClaimIds,
  lists: readonly List[],
): ClaimReply {
  const queueOf = (position: unknown): string => lists[Number(position) - 1]?.queue ?? "";
  const queues = pairs(runs).flatMap(([position, count]) => Array<string>(count).fill(queueOf(position)));
  const fresh = messages.map((raw, at) => ({
    id: ids.at(range.first + at),
    queue: queues[at] ?? "",
    raw,
  }));
  const older = known.flatMap((id, at) =>
    at % 3 === 0 ? [{ id, queue: known[at + 1] ?? "", raw: known[at + 2] ?? "" }] : [],
  );
  return {
    claims: older.length === 0 ? fresh : older,
    faults: pairs(faults).map(([list, reason]) => ({ queue: queueOf(list), reason: String(reason) })),
    isVoid: false,
  };
}

function pairs<T>(flat: readonly T[]): readonly (readonly [T, T])[] {
  return flat.flatMap((item, at) => (at % 2 === 0 ? [[item, flat[at + 1] as T] as const] : []));
}
