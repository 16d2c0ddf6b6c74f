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
}

interface List {
  readonly key: string;
  readonly queue: string;
  /** Ends the entry in `unacked`: empty exchange, the queue as routing key, one space per priority step. */
  readonly closing: string;
}

/** Most messages of one call. */
const MAX_CLAIMS = 200;

/** Takes messages, and remembers what a call asked for until it is answered. */
export class Claimer {
  readonly #workerId: string;
  readonly #heartbeatTtlMs: number;
  readonly #queues: QueueCycle;
  readonly #keys: readonly string[];
  readonly #ids: ClaimIds;
  #number = 0;
  /** Ids of a call whose answer was lost: they may or may not be claims. */
  #unanswered: IdRange | undefined;

  constructor(workerId: string, ids: ClaimIds, queues: QueueCycle, heartbeatTtlMs: number) {
    this.#workerId = workerId;
    this.#ids = ids;
    this.#heartbeatTtlMs = heartbeatTtlMs;
    this.#queues = queues;
    this.#keys = [UNACKED, UNACKED_INDEX, heartbeatKey(workerId), WORKERS, laneKey(workerId, "claim")];
  }

  get hasUnanswered(): boolean {
    return this.#unanswered !== undefined;
  }

  /**
   * One call at a time. After one that failed, the next asks for the same ids again: whatever it got is found then.
   *
   * @throws RedisFault
   */
  async claim(redis: RedisConnection, max: number): Promise<ClaimReply> {
    const again = this.#unanswered !== undefined;
    const ids = this.#unanswered ?? this.#ids.take(Math.min(max, MAX_CLAIMS));
    const lists = this.#lists();
    this.#number += 1;
    this.#unanswered = ids;
    const keys = [...this.#keys, ...lists.map(({ key }) => key)];
    const reply = await redis.run(claimScript, keys, [
      this.#workerId,
      this.#heartbeatTtlMs,
      this.#number,
      again ? "again" : "",
      ids.count,
      this.#ids.prefix,
      ids.first,
      ...lists.map(({ closing }) => closing),
    ]);
    this.#unanswered = undefined;
    return readReply(reply as ClaimTuple, ids, this.#ids, lists);
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
  };
}

function pairs<T>(flat: readonly T[]): readonly (readonly [T, T])[] {
  return flat.flatMap((item, at) => (at % 2 === 0 ? [[item, flat[at + 1] as T] as const] : []));
}
