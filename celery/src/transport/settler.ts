import { OperationalError } from "../protocol/errors.ts";
import type { RedisConnection } from "../redis/connection.ts";
import { DELIVERIES, ETA_INDEX, laneKey, UNACKED, UNACKED_INDEX } from "../redis/keys.ts";
import { settleScript } from "../redis/scripts/settle.ts";
import type { BrokerLink } from "./broker-link.ts";

/** One claim's end, as `settle.lua` reads it. */
export interface SettleItem {
  readonly verb: "finish" | "release" | "lost" | "park" | "dead";
  /** Empty: a completion without claim. */
  readonly claimId: string;
  readonly args: readonly string[];
}

/** `chord`: done, and a chord is to be completed. */
export type SettleOutcome = "done" | "chord" | "fenced" | "dead";

interface Waiting {
  readonly item: SettleItem;
  resolve(outcome: SettleOutcome): void;
  reject(error: Error): void;
}

/** Items in one script call. */
const BATCH = 200;

/**
 * Ends claims in batches: what ends in one turn of the event loop, or while a batch is under way, goes out as one call.
 * One batch at a time, numbered, so that one whose answer was lost can be said again.
 */
export class Settler {
  readonly #link: BrokerLink;
  readonly #keys: readonly string[];
  readonly #waiting: Waiting[] = [];
  #number = 0;
  #draining: Promise<void> | undefined;

  constructor(link: BrokerLink, workerId: string) {
    this.#link = link;
    this.#keys = [UNACKED, UNACKED_INDEX, laneKey(workerId, "settle"), DELIVERIES, ETA_INDEX];
  }

  /** @throws OperationalError when Redis refuses this item; its claim is kept then. */
  settle(item: SettleItem): Promise<SettleOutcome> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ item, resolve, reject });
      this.#draining ??= nextTurn().then(() => this.#drain());
    });
  }

  /** Settles when nothing is under way. */
  async idle(): Promise<void> {
    await this.#draining;
  }

  async #drain(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, BATCH);
      this.#number += 1;
      const args = [this.#number, ...batch.flatMap(({ item }) => encode(item))];
      try {
        const reply = await this.#link.run((redis: RedisConnection) =>
          redis.run(settleScript, this.#keys, args),
        );
        answer(batch, reply as readonly [string, ...(string | number)[]]);
      } catch (error) {
        for (const item of batch) item.reject(error as Error);
      }
    }
    this.#draining = undefined;
  }
}

function encode({ verb, claimId, args }: SettleItem): readonly (string | number)[] {
  return [verb, claimId, args.length, ...args];
}

const OUTCOMES: Readonly<Record<string, SettleOutcome>> = {
  d: "done",
  c: "chord",
  f: "fenced",
  x: "dead",
};

function answer(batch: readonly Waiting[], reply: readonly [string, ...(string | number)[]]): void {
  const [outcomes, ...errors] = reply;
  for (const [index, waiting] of batch.entries()) {
    const outcome = OUTCOMES[outcomes[index] ?? ""];
    if (outcome !== undefined) {
      waiting.resolve(outcome);
      continue;
    }
    const at = errors.indexOf(index);
    const reason = at === -1 ? "no reason was kept" : String(errors[at + 1]);
    waiting.reject(
      new OperationalError(`Redis refused to ${waiting.item.verb} ${waiting.item.claimId}: ${reason}`),
    );
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
