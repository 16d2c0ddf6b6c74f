import type { RedisConnection } from "../redis/connection.ts";
import {
  claimPrefix,
  ETA_INDEX,
  heartbeatKey,
  reclaimingKey,
  UNACKED,
  UNACKED_INDEX,
  WORKERS,
} from "../redis/keys.ts";
import { ownClaimsScript } from "../redis/scripts/own-claims.ts";
import { reclaimScript } from "../redis/scripts/reclaim.ts";
import { restoreScript } from "../redis/scripts/restore.ts";
import { tendScript } from "../redis/scripts/tend.ts";
import type { Log } from "../runtime/log.ts";
import { sleep } from "../runtime/sleep.ts";
import type { BrokerLink } from "./broker-link.ts";

export interface UpkeepDeps {
  readonly link: BrokerLink;
  readonly workerId: string;
  /** How long a sign of life lasts. */
  readonly ttlMs: number;
  /** How long a Python worker may hold a message before it is given to others. */
  readonly visibilityTimeoutMs: number;
  readonly log: Log;
  /** Claims that Redis has for this worker and the worker may not know of. */
  onOwnClaims(claimIds: readonly string[]): void;
}

/** Entries that one call looks at, and due messages it brings back. */
const PAGE = 500;
/** Between two rounds, when nothing is known to be due; less where signs of life are short. */
const ROUND_MS = { least: 1000, most: 3500 } as const;
/** After this, a sign of life that was to end has ended. */
const LATE_MS = 30;
/** How often a worker compares its claims with Redis's without a reason. */
const RECONCILE_MS = 30_000;
/** So many pages a look may have; after a longer one it waits for longer, so that it costs Redis the same. */
const RECONCILE_PAGES = 20;
/** Who gives back what a dead worker held has this long for the next page; then others go on. */
const RECLAIM_MS = 2000;
/** Entries that one look takes: unlike the other scripts, it has to decode messages. */
const RESTORE_PAGE = 100;
/** Between two looks for what Python workers left behind; less where their timeout is short. */
const RESTORE_MS = 30_000;

type TendReply = readonly [
  back: number,
  untilNextMs: number,
  firstEnd: string,
  now: string,
  ...dead: string[],
];

/**
 * What every worker does for all of them, every few seconds, jittered, and when it knows that something is due: bring back parked messages that are due,
 * give back what dead workers held, and find claims of its own that it does not know of.
 */
export class Upkeep {
  readonly #deps: UpkeepDeps;
  readonly #closing = new AbortController();
  #wake = new AbortController();
  #nextDueAt = Number.POSITIVE_INFINITY;
  /** When the first of the others' signs of life ends, unless it is renewed. */
  #nextEndAt = Number.POSITIVE_INFINITY;
  #reconcileAt = 0;
  #restoreAt = 0;
  /** Where the next look goes on: entries before it are ours. */
  #restoreOffset = 0;
  #done: Promise<void> | undefined;

  constructor(deps: UpkeepDeps) {
    this.#deps = deps;
  }

  start(): void {
    this.#done = this.#loop();
  }

  async stop(): Promise<void> {
    this.#closing.abort();
    this.#wake.abort();
    await this.#done;
  }

  /** A message was parked: it may be due before the next round. */
  expect(etaEpochSeconds: number): void {
    const dueAt = etaEpochSeconds * 1000;
    if (dueAt >= this.#nextDueAt) return;
    this.#nextDueAt = dueAt;
    this.#wake.abort();
  }

  /** Something went wrong: compare claims in half a second rather than in half a minute. */
  reconcileSoon(): void {
    this.#reconcileAt = performance.now() + 500;
  }

  async #loop(): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      try {
        await this.#round();
      } catch (error) {
        if (signal.aborted) return;
        this.#deps.log.error({ err: error }, "upkeep of the queues failed");
      }
      await this.#pause();
    }
  }

  async #round(): Promise<void> {
    const { link } = this.#deps;
    const dead = await link.run((redis) => this.#tend(redis));
    for (const worker of dead) await link.run((redis) => this.#reclaim(redis, worker));
    if (performance.now() >= this.#restoreAt) await link.run((redis) => this.#restore(redis));
    if (performance.now() < this.#reconcileAt) return;
    this.#reconcileAt = performance.now() + RECONCILE_MS;
    await link.run((redis) => this.#reconcile(redis));
  }

  async #pause(): Promise<void> {
    const round = Math.min(ROUND_MS.most, Math.max(ROUND_MS.least, this.#deps.ttlMs * 0.35));
    const untilDue = Math.max(5, this.#nextDueAt - Date.now() + 2);
    const untilEnd = this.#nextEndAt - Date.now() + LATE_MS;
    const limits = [round * (0.8 + Math.random() * 0.4), untilDue];
    // In the past: another machine's clock, of no use as a hint.
    if (untilEnd > 0) limits.push(untilEnd);
    if (this.#wake.signal.aborted) this.#wake = new AbortController();
    await sleep(Math.min(...limits), AbortSignal.any([this.#closing.signal, this.#wake.signal]));
  }

  async #tend(redis: RedisConnection): Promise<readonly string[]> {
    const keys = [UNACKED, UNACKED_INDEX, ETA_INDEX, WORKERS];
    const reply = await redis.run(tendScript, keys, [PAGE, this.#deps.workerId]);
    const [back, untilNextMs, firstEnd, now, ...dead] = reply as TendReply;
    if (now !== "") this.#deps.link.clock.set(Number(now) * 1000);
    this.#nextEndAt = firstEnd === "" ? Number.POSITIVE_INFINITY : Number(firstEnd);
    if (back === PAGE) this.#nextDueAt = 0;
    else this.#nextDueAt = untilNextMs < 0 ? Number.POSITIVE_INFINITY : Date.now() + untilNextMs;
    return dead;
  }

  async #reclaim(redis: RedisConnection, worker: string): Promise<void> {
    const keys = [UNACKED, UNACKED_INDEX, heartbeatKey(worker), WORKERS, reclaimingKey(worker)];
    let total = 0;
    for (let offset = 0; offset >= 0; ) {
      const mark = total === 0 ? "last" : "";
      const args = [claimPrefix(worker), offset, PAGE, mark, worker, this.#deps.workerId, RECLAIM_MS];
      const [back, next] = (await redis.run(reclaimScript, keys, args)) as [number, number];
      total += back;
      offset = next;
    }
    if (total > 0) this.#deps.log.warn({ worker, messages: total }, "gave back what a dead worker held");
  }

  /** One page; more of them wait for the next round. */
  async #restore(redis: RedisConnection): Promise<void> {
    const { visibilityTimeoutMs, log } = this.#deps;
    this.#restoreAt = performance.now() + Math.min(RESTORE_MS, visibilityTimeoutMs / 10);
    const args = [visibilityTimeoutMs / 1000, this.#restoreOffset, RESTORE_PAGE];
    const reply = await redis.run(restoreScript, [UNACKED, UNACKED_INDEX], args);
    const [back, aside, next] = reply as [number, number, number];
    this.#restoreOffset = Math.max(0, next);
    if (next >= 0) this.#restoreAt = 0;
    if (back > 0) log.warn({ messages: back }, "gave back what a Python worker held for too long");
    if (aside > 0) log.error({ messages: aside }, "what a Python worker held went to the dead letters");
  }

  async #reconcile(redis: RedisConnection): Promise<void> {
    const ids: string[] = [];
    let pages = 0;
    for (let offset = 0; offset >= 0; pages += 1) {
      const args = [claimPrefix(this.#deps.workerId), offset, PAGE];
      const reply = (await redis.run(ownClaimsScript, [UNACKED_INDEX], args)) as readonly [
        number,
        ...string[],
      ];
      offset = reply[0];
      ids.push(...(reply.slice(1) as string[]));
    }
    this.#reconcileAt += RECONCILE_MS * Math.max(0, pages / RECONCILE_PAGES - 1);
    this.#deps.onOwnClaims(ids);
  }
}
