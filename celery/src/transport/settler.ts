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
  /** It leaves then at the latest, by `performance.now()`. */
  readonly dueMs: number;
  /** It is in a batch that has left, or it was withdrawn. */
  isGone: boolean;
}

export interface SettlerDeps {
  readonly link: Pick<BrokerLink, "run">;
  readonly workerId: string;
  /** Of this worker: those that end are among them until they are told. */
  readonly claimsHeld: () => number;
}

/** Items in one script call. */
const BATCH = 200;
/** So many are worth a call, however short ago the last one left. */
const WORTH_A_CALL = 100;
/** While there is more to come, a batch leaves so long after the one before. */
const PACE_MS = 1;
/** And so long an item waits that can wait. */
const PATIENCE_MS = 1;

/**
 * Ends claims in batches: what ends in one turn of the event loop, or while a batch is under way, goes out as one call.
 * One batch at a time, numbered, so that one whose answer was lost can be said again.
 *
 * As long as the worker holds claims beside those that end, there is more to come, and a batch leaves about every millisecond: a call costs
 * more than what is in it. What ends last, or alone, leaves at once (ADR 43).
 */
export class Settler {
  readonly #deps: SettlerDeps;
  readonly #keys: readonly string[];
  #waiting: Settling[] = [];
  /** Those that can wait, the oldest first. */
  #patient: Settling[] = [];
  /** One of those that wait is not to. */
  #isUrgent = false;
  /** How many wait for everything to be settled. */
  #idling = 0;
  #number = 0;
  #leftMs = Number.NEGATIVE_INFINITY;
  #underWay: Promise<void> | undefined;
  #turn: NodeJS.Immediate | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(deps: SettlerDeps) {
    this.#deps = deps;
    this.#keys = [UNACKED, UNACKED_INDEX, laneKey(deps.workerId, "settle"), DELIVERIES, ETA_INDEX];
  }

  /** Somebody waits for this one: it leaves with the turn of the event loop. @throws EndRefused */
  settle(item: SettleItem): Promise<SettleOutcome> {
    this.#isUrgent = true;
    return new Promise((resolve, reject) => {
      this.start(item, (outcome) => (outcome instanceof Error ? reject(outcome) : resolve(outcome)));
    });
  }

  /** Without a promise of its own: there may be thousands a second. */
  start(item: SettleItem, onSettled: OnSettled): Settling {
    const settling = { item, onSettled, dueMs: 0, isGone: false };
    this.#waiting.push(settling);
    if (this.#underWay === undefined) this.#turn ??= setImmediate(() => this.#look());
    return settling;
  }

  /** As `start`, for what had better be withdrawn: it leaves a moment later. */
  startPatiently(item: SettleItem, onSettled: OnSettled): Settling {
    const settling = { item, onSettled, dueMs: performance.now() + PATIENCE_MS, isGone: false };
    this.#patient.push(settling);
    if (this.#underWay === undefined) this.#lookLater();
    return settling;
  }

  /** Takes back what has not left yet; nobody is told about it then. */
  withdraw(settling: Settling): boolean {
    if (settling.isGone) return false;
    settling.isGone = true;
    return true;
  }

  /** Sends everything, and settles when nothing is under way. */
  async idle(): Promise<void> {
    this.#idling += 1;
    for (;;) {
      if (this.#underWay === undefined) this.#look();
      if (this.#underWay === undefined) break;
      await this.#underWay;
    }
    this.#idling -= 1;
  }

  #lookLater(): void {
    if (this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (this.#underWay === undefined) this.#look();
    }, PACE_MS);
  }

  /** Sends what is to leave now. Only while nothing is under way. */
  #look(): void {
    clearImmediate(this.#turn);
    this.#turn = undefined;
    const nowMs = performance.now();
    const batch = this.#take(nowMs);
    if (batch.length > 0) {
      this.#leftMs = nowMs;
      this.#underWay = this.#send(batch).then(() => {
        this.#underWay = undefined;
        this.#look();
      });
    } else if (this.#waiting.length > 0 || this.#patient.length > 0) this.#lookLater();
  }

  #take(nowMs: number): readonly Settling[] {
    const waiting = this.#waiting.filter(isThere);
    const patient = this.#patient.filter(isThere);
    const dueMs = this.#idling > 0 ? Number.POSITIVE_INFINITY : nowMs;
    const due = patient.filter((settling) => settling.dueMs <= dueMs);
    const isTime = due.length > 0 || !this.#hasToWait(waiting, nowMs);
    const leaving = isTime ? [...due, ...waiting] : [];
    this.#patient = isTime ? patient.slice(due.length) : patient;
    this.#waiting = isTime ? leaving.slice(BATCH) : waiting;
    this.#isUrgent &&= this.#waiting.length > 0;
    return leaving.slice(0, BATCH);
  }

  /** The last batch has only just left, and there is more to come. */
  #hasToWait(waiting: readonly Settling[], nowMs: number): boolean {
    if (this.#isUrgent || this.#idling > 0 || nowMs >= this.#leftMs + PACE_MS) return false;
    if (waiting.length >= WORTH_A_CALL) return false;
    let claims = 0;
    for (const { item } of waiting) if (item.claimId !== "") claims += 1;
    return this.#deps.claimsHeld() > claims;
  }

  async #send(batch: readonly Settling[]): Promise<void> {
    this.#number += 1;
    const args = encode(batch, this.#number);
    for (const settling of batch) settling.isGone = true;
    let reply: unknown;
    try {
      reply = await this.#deps.link.run((redis: RedisConnection) =>
        redis.run(settleScript, this.#keys, args),
      );
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

function isThere({ isGone }: Settling): boolean {
  return !isGone;
}
