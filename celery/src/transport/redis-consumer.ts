import { randomUUID } from "node:crypto";
import { EventEmitter } from "node:events";
import type { ResultBackend } from "../backend/backend.ts";
import { openConnection, type RedisConnection } from "../redis/connection.ts";
import { heartbeatKey, laneKey, PARKED_PREFIX, UNACKED, UNACKED_INDEX, WORKERS } from "../redis/keys.ts";
import { heartbeatScript } from "../redis/scripts/heartbeat.ts";
import { BrokerLink } from "./broker-link.ts";
import { ClaimIds } from "./claim-ids.ts";
import { ConsumedQueues } from "./consumed-queues.ts";
import { type Binding, type ChannelNames, channelNames, deliveryArguments } from "./destination.ts";
import { flowArguments, storeElsewhere } from "./flow-parts.ts";
import { Heartbeat } from "./heartbeat.ts";
import { Intake } from "./intake.ts";
import { type SettleItem, type SettleOutcome, Settler, type Settling } from "./settler.ts";
import type {
  Claim,
  ClaimOutcome,
  Completion,
  Consumer,
  ConsumerEvents,
  ConsumerOptions,
  EndPace,
  FinishOutcome,
  OnEnded,
  PendingEnd,
} from "./transport.ts";
import { Upkeep } from "./upkeep.ts";

const DEFAULT_HEARTBEAT_TTL_MS = 10_000;
const DEFAULT_VISIBILITY_TIMEOUT_MS = 3_600_000;
/** How long closing waits for a Redis that is away before it leaves the claims to the other workers. */
const CLOSE_LIMIT_MS = 5000;

/** Starts at once; connects in the background, and says so by its events. */
export function openRedisConsumer(url: string, options: ConsumerOptions): Consumer {
  return new RedisConsumer(url, options);
}

class RedisConsumer implements Consumer {
  readonly workerId: string;
  readonly events = new EventEmitter<ConsumerEvents>();
  readonly #held = new Set<string>();
  readonly #options: ConsumerOptions;
  readonly #redis: RedisConnection;
  readonly #link: BrokerLink;
  readonly #intake: Intake;
  readonly #settler: Settler;
  readonly #heartbeat: Heartbeat;
  readonly #upkeep: Upkeep;
  /** `undefined` when one script can write the result too. */
  readonly #otherBackend: ConsumerOptions["backend"];
  readonly #channels: ChannelNames;
  readonly #queues: ConsumedQueues;
  /** Several times as long as a worker may be silent before it counts as dead. */
  readonly #rescueSeconds: number;
  #suspects: ReadonlySet<string> = new Set();
  /** Said to be lost, and not looked at a second time yet. */
  readonly #doubtful = new Set<string>();
  #closing: Promise<void> | undefined;

  constructor(url: string, options: ConsumerOptions) {
    const { backend, queues, log } = options;
    const ttlMs = options.heartbeatTtlMs ?? DEFAULT_HEARTBEAT_TTL_MS;
    this.workerId = `${options.nodeName}:${randomUUID().slice(0, 8)}`;
    const { workerId } = this;
    this.#rescueSeconds = (3 * ttlMs) / 1000;
    this.#options = options;
    this.#otherBackend = backend?.sharesDatabaseWith(url) ? undefined : backend;
    this.#redis = openConnection(url, { name: "celery-worker", resultsUrl: backend?.url ?? url });
    this.#link = new BrokerLink(this.#redis);
    const ids = new ClaimIds(workerId);
    this.#channels = channelNames(url);
    const { nodeName } = options;
    this.#queues = new ConsumedQueues(queues, {
      url,
      nodeName,
      link: this.#link,
      channels: this.#channels,
      log,
    });
    this.#intake = new Intake({
      url,
      workerId,
      ttlMs,
      ids,
      lists: this.#queues.lists,
      queueOrder: options.queueOrder,
      link: this.#link,
      log,
      isHeld: (id) => this.#held.has(id),
      onTaken: (claims) => this.#hold(claims.map(({ id }) => id)),
      giveBack: (claims) => this.#giveBack(claims.map(({ id }) => id)),
      onDoubt: () => this.#upkeep.reconcileSoon(),
    });
    this.#settler = new Settler({ link: this.#link, workerId, claimsHeld: () => this.#held.size });
    const onLost = (lost: readonly string[]): void => this.#onLost(lost);
    const beat = (): Promise<unknown> =>
      this.#redis.run(
        heartbeatScript,
        [heartbeatKey(workerId), WORKERS, UNACKED_INDEX],
        [workerId, ttlMs, Date.now() + ttlMs],
      );
    this.#heartbeat = new Heartbeat({ url, workerId, ttlMs, ids, log, beat, onLost });
    const onOwnClaims = (own: readonly string[]): void => this.#onOwnClaims(own);
    const { visibilityTimeoutMs = DEFAULT_VISIBILITY_TIMEOUT_MS } = options;
    this.#upkeep = new Upkeep({ link: this.#link, workerId, ttlMs, visibilityTimeoutMs, log, onOwnClaims });
    this.#relayLinkEvents();
    this.#upkeep.start();
  }

  get held(): ReadonlySet<string> {
    return this.#held;
  }

  nowMs(): number {
    return this.#link.clock.nowMs();
  }

  async claim(max: number): Promise<readonly Claim[]> {
    return this.#closing === undefined ? this.#intake.claim(max) : [];
  }

  claimNext(max: number, signal: AbortSignal): Promise<readonly Claim[]> {
    return this.#intake.claimNext(max, signal);
  }

  get queues(): readonly string[] {
    return this.#queues.names;
  }

  async addQueue(queue: string | Binding): Promise<void> {
    const list = this.#queues.add(queue);
    await Promise.all([
      this.#intake.addList(list, this.#queues.lists),
      this.#link.run((redis) => this.#queues.declare(redis)),
    ]);
  }

  async removeQueue(queue: string): Promise<void> {
    const list = this.#queues.remove(queue);
    await this.#intake.removeList(list, this.#queues.lists);
  }

  confirm(claimId: string): ClaimOutcome | Promise<ClaimOutcome> {
    if (!this.#held.has(claimId)) return "fenced";
    const isSure = this.#heartbeat.isFresh && !this.#doubtful.has(claimId);
    return isSure ? "done" : this.#ask(claimId);
  }

  end(claimId: string, completion: Completion, onEnded: OnEnded, pace: EndPace = "prompt"): PendingEnd {
    if (claimId === "" && isEmpty(completion)) {
      queueMicrotask(() => onEnded("done"));
      return GONE;
    }
    if (this.#otherBackend !== undefined && (completion.result ?? completion.flow) !== undefined) {
      this.#endElsewhere(claimId, completion, this.#otherBackend).then(onEnded, (error: Error) =>
        onEnded(error),
      );
      return GONE;
    }
    const item = this.#itemOf(claimId, completion);
    const onSettled = (outcome: SettleOutcome | Error): void => {
      if (outcome instanceof Error) return onEnded(outcome);
      this.#drop(claimId);
      onEnded(asFinished(outcome));
    };
    if (pace === "patient") return this.#settler.startPatiently(item, onSettled);
    return this.#settler.start(item, onSettled);
  }

  withdraw(pending: PendingEnd): boolean {
    return pending !== GONE && this.#settler.withdraw(pending as Settling);
  }

  async ack(claimId: string): Promise<ClaimOutcome> {
    return (await this.#ended(claimId, {})) === "fenced" ? "fenced" : "done";
  }

  finish(claimId: string, completion: Completion): Promise<FinishOutcome> {
    return this.#ended(claimId, completion);
  }

  complete(completion: Completion): Promise<FinishOutcome> {
    return this.#ended("", completion);
  }

  /** The last first, so that the oldest comes to lie at the head. */
  async release(claimIds: readonly string[]): Promise<void> {
    await Promise.all(
      claimIds.toReversed().map((claimId) => this.#end({ verb: "release", claimId, args: [] })),
    );
  }

  async releaseCounted(
    claimId: string,
    taskId: string,
    limit: number,
  ): Promise<"released" | "over" | "fenced"> {
    const outcome = await this.#settle({ verb: "count", claimId, args: [taskId, String(limit)] });
    return outcome === "over" || outcome === "fenced" ? outcome : "released";
  }

  async park(claimId: string, etaEpochSeconds: number): Promise<ClaimOutcome> {
    const args = [PARKED_PREFIX + randomUUID(), String(etaEpochSeconds)];
    const outcome = await this.#end({ verb: "park", claimId, args });
    this.#upkeep.expect(etaEpochSeconds);
    return outcome;
  }

  deadLetter(claimId: string, reason: string): Promise<ClaimOutcome> {
    return this.#end({ verb: "dead", claimId, args: [reason] });
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  #hold(claimIds: readonly string[]): void {
    for (const id of claimIds) this.#held.add(id);
    this.#heartbeat.add(claimIds);
  }

  #giveBack(claimIds: readonly string[]): void {
    void this.release(claimIds).catch(() => this.#upkeep.reconcileSoon());
  }

  #ended(claimId: string, completion: Completion): Promise<FinishOutcome> {
    return new Promise((resolve, reject) => {
      this.end(claimId, completion, (outcome) =>
        outcome instanceof Error ? reject(outcome) : resolve(outcome),
      );
    });
  }

  /** Result first, then the message: a crash in between repeats the task, the other way round its result would be lost. */
  async #endElsewhere(claimId: string, completion: Completion, other: ResultBackend): Promise<FinishOutcome> {
    if (claimId !== "" && (await this.#ask(claimId)) === "fenced") return "fenced";
    const { publish, afterwards } = await storeElsewhere(completion, other);
    const { dead } = completion;
    const outcome = await this.#ended(claimId, { publish, ...(dead && { dead }) });
    // Nothing was sent then: a chord that counted as ended would never have its body.
    if (outcome !== "fenced") await afterwards();
    return outcome;
  }

  async #end(item: SettleItem): Promise<ClaimOutcome> {
    return (await this.#settle(item)) === "fenced" ? "fenced" : "done";
  }

  async #settle(item: SettleItem): Promise<SettleOutcome> {
    const outcome = await this.#settler.settle(item);
    if (outcome !== "over") this.#drop(item.claimId);
    return outcome;
  }

  /** @returns false when it was not held. */
  #drop(claimId: string): boolean {
    if (!this.#held.delete(claimId)) return false;
    this.#heartbeat.remove(claimId);
    return true;
  }

  /** Asks Redis whether the claim is still ours. */
  async #ask(claimId: string): Promise<ClaimOutcome> {
    if ((await this.#link.run((redis) => redis.call("HEXISTS", UNACKED, claimId))) === 1) return "done";
    this.#drop(claimId);
    return "fenced";
  }

  #itemOf(claimId: string, { result, publish = [], flow, dead }: Completion): SettleItem {
    const args: string[] = publish.flatMap((message) => deliveryArguments(message, this.#channels));
    if (dead) args.push("dead", dead.reason, dead.taskId);
    if (this.#otherBackend !== undefined) return { verb: "finish", claimId, args };
    if (result !== undefined) {
      const seconds = result.expiresSeconds === null ? "" : String(Math.ceil(result.expiresSeconds));
      if (args.length === 0 && !flow) {
        return { verb: "result", claimId, args: [result.key, result.payload, seconds] };
      }
      args.push("result", result.key, result.payload, seconds);
    }
    if (flow && this.#options.backend)
      args.push(...flowArguments(flow, this.#options.backend.chords, this.#rescueSeconds));
    return { verb: "finish", claimId, args };
  }

  #onLost(claimIds: readonly string[]): void {
    const lost = claimIds.filter((id) => this.#held.has(id));
    if (lost.length === 0) return;
    for (const id of lost) this.#doubtful.add(id);
    // A settle under way may be what removed them: look once more before anybody's task is stopped for it.
    void this.#settler.idle().then(() => {
      for (const id of lost) this.#doubtful.delete(id);
      const gone = lost.filter((id) => this.#drop(id));
      if (gone.length > 0) this.events.emit("lost", gone);
    });
  }

  /** A claim that nobody here knows of, seen twice half a second apart, is given back: it would wait for ever. */
  #onOwnClaims(claimIds: readonly string[]): void {
    const unknown = claimIds.filter((id) => !this.#held.has(id) && !this.#intake.isAsked(id));
    if (this.#intake.hasLost) void this.#intake.giveBackLost();
    const sure = this.#intake.hasLost ? [] : unknown.filter((id) => this.#suspects.has(id));
    this.#suspects = new Set(unknown);
    if (unknown.length > sure.length) this.#upkeep.reconcileSoon();
    if (sure.length === 0) return;
    this.#options.log.warn({ claimIds: sure }, "gave back claims that this worker did not know of");
    this.#giveBack(sure);
  }

  #relayLinkEvents(): void {
    const { events } = this.#link;
    events.on("disconnected", (error) => this.events.emit("disconnected", error));
    events.on("reconnecting", (...details) => this.events.emit("reconnecting", ...details));
    events.on("connected", () => {
      this.#upkeep.reconcileSoon();
      void this.#link.run((redis) => this.#queues.declare(redis)).catch(() => undefined); // closed meanwhile
      this.events.emit("connected");
    });
  }

  async #close(): Promise<void> {
    // Nothing to give back, and nobody to give it to: signing off is not worth a wait.
    const isIdle = this.#held.size === 0 && !this.#intake.isAsking;
    const limit = setTimeout(() => this.#link.close(), isIdle && !this.#link.isUp ? 0 : CLOSE_LIMIT_MS);
    await this.#queues.close();
    try {
      await this.#intake.close();
      await this.#settler.idle();
      await this.release([...this.#held]);
      await this.#link.run((redis) => this.#signOff(redis));
    } catch (error) {
      if (!isIdle)
        this.#options.log.warn({ err: error }, "left claims behind; other workers will take them over");
    } finally {
      clearTimeout(limit);
      this.#link.close();
      await this.#upkeep.stop();
      await this.#heartbeat.stop();
      await this.#redis[Symbol.asyncDispose]();
    }
  }

  async #signOff(redis: RedisConnection): Promise<void> {
    await this.#heartbeat.stop(); // or it would sign on again
    const { workerId } = this;
    await redis.call("DEL", heartbeatKey(workerId), laneKey(workerId, "claim"), laneKey(workerId, "settle"));
    await redis.call("SREM", WORKERS, workerId);
  }
}

/** What went another way cannot be taken back. */
const GONE: PendingEnd = { isGone: true };

function isEmpty({ result, publish = [], flow }: Completion): boolean {
  return result === undefined && publish.length === 0 && flow === undefined;
}

function asFinished(outcome: SettleOutcome): FinishOutcome {
  return outcome === "dead" || outcome === "over" ? "done" : outcome;
}
