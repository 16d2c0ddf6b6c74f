import { OperationalError } from "../protocol/errors.ts";
import type { RedisArgument, RedisConnection } from "../redis/connection.ts";
import { DELIVERIES, ETA_INDEX, laneKey, UNACKED, UNACKED_INDEX } from "../redis/keys.ts";
import { settleScript } from "../redis/scripts/settle.ts";
import type { BrokerLink } from "./broker-link.ts";

/** One claim's end, as `settle.lua` reads it. */
export interface SettleItem {
  /** `result`: a `finish` that leaves a result and nothing else; its arguments are key, payload and seconds. */
  readonly verb: "finish" | "result" | "release" | "count" | "park" | "dead";
  /** Empty: a completion without claim. */
  readonly claimId: string;
  readonly args: readonly string[];
}

/** `chord`: done, and a chord is to be completed. `over`: not done, it was counted too often. */
export type SettleOutcome = "done" | "chord" | "fenced" | "dead" | "over";

/** Redis refuses to end a claim so, because of what is to be left behind; the claim is kept. Saying it again is refused again. */
export class EndRefused extends OperationalError {
  constructor(message: string) {
    super(message);
    this.name = "OperationalError";
  }
}

/** Is told how the item ended; `EndRefused` when Redis refuses it. Must not throw. */
export type OnSettled = (outcome: SettleOutcome | Error) => void;

/** An item on its way. */
export interface Settling {
  readonly item: SettleItem;
  readonly onSettled: OnSettled;
  /** It is in a batch that has left, or it was withdrawn. */
  isGone: boolean;
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
  #waiting: Settling[] = [];
  #number = 0;
  #draining: Promise<void> | undefined;

  constructor(link: BrokerLink, workerId: string) {
    this.#link = link;
    this.#keys = [UNACKED, UNACKED_INDEX, laneKey(workerId, "settle"), DELIVERIES, ETA_INDEX];
  }

  /** @throws EndRefused */
  settle(item: SettleItem): Promise<SettleOutcome> {
    return new Promise((resolve, reject) => {
      this.start(item, (outcome) => (outcome instanceof Error ? reject(outcome) : resolve(outcome)));
    });
  }

  /** As `settle`, without a promise of its own: there may be thousands a second. */
  start(item: SettleItem, onSettled: OnSettled): Settling {
    const settling = { item, onSettled, isGone: false };
    this.#waiting.push(settling);
    this.#draining ??= nextTurn().then(() => this.#drain());
    return settling;
  }

  /** Takes back what has not left yet; nobody is told about it then. */
  withdraw(settling: Settling): boolean {
    if (settling.isGone) return false;
    settling.isGone = true;
    return true;
  }

  /** Settles when nothing is under way. */
  async idle(): Promise<void> {
    await this.#draining;
  }

  async #drain(): Promise<void> {
    while (this.#waiting.length > 0) {
      const waiting = this.#waiting.filter(({ isGone }) => !isGone);
      const batch = waiting.slice(0, BATCH);
      this.#waiting = waiting.slice(BATCH);
      if (batch.length > 0) await this.#send(batch);
    }
    this.#draining = undefined;
  }

  async #send(batch: readonly Settling[]): Promise<void> {
    this.#number += 1;
    const args = encode(batch, this.#number);
    for (const settling of batch) settling.isGone = true;
    let reply: unknown;
    try {
      reply = await this.#link.run((redis: RedisConnection) => redis.run(settleScript, this.#keys, args));
    } catch (error) {
      for (const { onSettled } of batch) onSettled(error as Error);
      return;
    }
    answer(batch, reply as readonly [string, ...unknown[]]);
  }
}

/** Neighbours that leave only a result travel together, which spares the script most of its work. */
function encode(batch: readonly Settling[], number: number): readonly RedisArgument[] {
  const args: RedisArgument[] = [number];
  let countAt = -1;
  for (const { item } of batch) {
    if (item.verb !== "result") {
      countAt = -1;
      args.push(item.verb, item.claimId, item.args.length, ...item.args);
      continue;
    }
    const [key = "", payload = "", seconds = ""] = item.args;
    if (countAt === -1 || args[countAt - 1] !== seconds) {
      args.push("results", seconds, 0);
      countAt = args.length - 1;
    }
    args[countAt] = Number(args[countAt]) + 3;
    args.push(item.claimId, key, payload);
  }
  return args;
}

const OUTCOMES: Readonly<Record<string, SettleOutcome>> = {
  d: "done",
  c: "chord",
  f: "fenced",
  x: "dead",
  o: "over",
};

function answer(batch: readonly Settling[], [outcomes, ...errors]: readonly [string, ...unknown[]]): void {
  for (const [index, { item, onSettled }] of batch.entries()) {
    const outcome = OUTCOMES[outcomes[index] ?? ""];
    if (outcome !== undefined) {
      onSettled(outcome);
      continue;
    }
    const at = errors.indexOf(index);
    const reason = at === -1 ? "no reason was kept" : String(errors[at + 1]);
    onSettled(new EndRefused(`Redis refused to ${item.verb} ${item.claimId}: ${reason}`));
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
