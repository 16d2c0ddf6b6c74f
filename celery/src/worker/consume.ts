import type { CeleryApp } from "../app/types.ts";
import type { Pool } from "../pool/pool.ts";
import type { TaskMessage } from "../protocol/message.ts";
import { decodeMessage } from "../protocol/message-decode.ts";
import { Bag } from "../runtime/bag.ts";
import type { Claim, Consumer } from "../transport/transport.ts";
import { type Delivery, isAcked, labelOf, makeDelivery } from "./delivery.ts";
import { judge, judgeAgain, type Verdict } from "./judge.ts";
import { Parked } from "./parked.ts";
import type { RateLimits } from "./rate-limits.ts";
import type { Refusals } from "./refuse.ts";
import type { Revokes } from "./revokes.ts";
import type { RunProgress, TaskRunner } from "./run-task.ts";
import { type EventSink, receivedEvent, sendEvent } from "./task-event.ts";
import { tellReceived } from "./tell-signals.ts";
import { isWritten, MAIN_PROCESS, type WorkerLog } from "./worker-log.ts";

export interface ConsumeDeps {
  readonly app: CeleryApp;
  readonly consumer: Consumer;
  readonly pool: Pool;
  readonly runner: TaskRunner;
  readonly refusals: Refusals;
  readonly events: EventSink;
  readonly log: WorkerLog;
  readonly revokes: Revokes;
  readonly rateLimits: RateLimits<Delivery>;
  /** How much may be held now: the pool may have grown. */
  readonly prefetch: () => Prefetch;
  /** Called for each task that waits for a slot now. */
  readonly onReserved?: () => void;
}

/** `unanswered`: messages held and not acked. `held`: also counts those that run and were acked early; Infinity leaves that open. */
export interface Prefetch {
  readonly unanswered: number;
  readonly held: number;
}

/** One call claims at most this many: a script that takes long would stop Redis for everybody. This one takes one to two milliseconds. */
const CLAIM_BATCH = 150;
/**
 * No more is claimed while so many tasks are over and not answered for yet: Redis is behind then, and what waits for it grows old in
 * memory, which costs more than it brings.
 */
const MOST_ENDING = 3 * CLAIM_BATCH;

/** Such a share of the prefetch has to be free before more is asked for, while there is something to begin. */
const FILL_UP = 0.75;

/** A claim under way. */
interface Asked {
  readonly max: number;
  /** It waits until there is something. */
  readonly isWait: boolean;
  readonly claims: Promise<readonly Claim[]>;
}

/** Takes messages as long as there is room, and hands them to the pool as long as it has free slots. */
export class TaskConsumer implements RunProgress {
  readonly #deps: ConsumeDeps;
  /** Claimed and waiting for a slot, oldest first. */
  readonly #waiting: Delivery[] = [];
  readonly #running = new Bag<Delivery>();
  readonly #parked = new Parked();
  readonly #total = new Map<string, number>();
  #received = 0;
  #started = 0;
  /** Of those that run: on their way to a slot without holding it yet. */
  #starting = 0;
  /** Of those that run: not acked. */
  #unanswered = 0;
  /** Of those that run: over, and not answered for yet. */
  #ending = 0;
  #stopped = false;
  #wakeUp: (() => void) | undefined;
  #onDrained: (() => void)[] = [];

  constructor(deps: ConsumeDeps) {
    this.#deps = deps;
    deps.pool.events.on("free", () => this.#dispatch());
    deps.consumer.events.on("lost", (ids) => this.#onLost(new Set(ids)));
  }

  /** Tasks running now, and tasks started since the start: what heartbeat events tell. */
  counts(): { active: number; processed: number } {
    return { active: this.#running.size, processed: this.#started };
  }

  /** Running or waiting for a slot. */
  get load(): number {
    return this.#running.size + this.#waiting.length;
  }

  /** Those that run, and those that wait for a slot, as they were received. */
  held(): readonly Delivery[] {
    return [...this.#running, ...this.#waiting].toSorted((a, b) => a.order - b.order);
  }

  get parked(): Parked {
    return this.#parked;
  }

  /** Tasks started, by name. */
  get total(): ReadonlyMap<string, number> {
    return this.#total;
  }

  get prefetch(): Prefetch {
    return this.#deps.prefetch();
  }

  /** Something that `prefetch` depends on has changed. */
  roomChanged(): void {
    this.#wakeUp?.();
  }

  /** Consumes until `stop` aborts. What was claimed by then is kept until `releaseWaiting`. */
  async consume(stop: AbortSignal): Promise<void> {
    stop.addEventListener("abort", () => (this.#stopped = true), { once: true });
    let asked: Asked | undefined;
    let isDrained = false;
    while (asked || !stop.aborted) {
      asked ??= isDrained ? this.#claimNext(stop) : this.#claimUpTo(this.#room());
      if (!asked) {
        await this.#roomMade(stop);
        continue;
      }
      const claims: readonly Claim[] = await asked.claims;
      // Fewer than asked for: the queues were empty then. Nothing from a wait is no news of them.
      isDrained = claims.length < asked.max && !(asked.isWait && claims.length === 0);
      // While these are run, Redis looks for the next.
      asked = isDrained || stop.aborted ? undefined : this.#claimUpTo(this.#room() - claims.length);
      await this.#acceptAll(claims);
    }
  }

  /** Gives what has not begun back to its queues, for other workers. */
  async releaseWaiting(): Promise<void> {
    const held = [...this.#waiting.splice(0), ...this.#deps.rateLimits.take(() => true)];
    if (held.length === 0) return;
    const ids = held.toSorted((a, b) => a.order - b.order).map(({ claim }) => claim.id);
    this.#log("WARNING", `Restoring ${ids.length} unacknowledged message(s)`);
    await this.#deps.consumer.release(ids);
  }

  /** Settles when nothing runs any more. */
  drained(): Promise<void> {
    if (this.#running.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#onDrained.push(resolve));
  }

  /** A task that was held back by its rate may start now. */
  enqueue(delivery: Delivery): void {
    this.#waiting.push(delivery);
    this.#deps.onReserved?.();
    this.#dispatch();
  }

  onStarting(): void {
    this.#starting -= 1;
  }

  onStarted(delivery: Delivery): void {
    const { name } = delivery.task;
    this.#started += 1;
    this.#total.set(name, (this.#total.get(name) ?? 0) + 1);
    if (!isAcked(delivery)) return;
    this.#unanswered -= 1;
    this.#wake();
  }

  onOver(): void {
    this.#ending += 1;
  }

  onEnded(delivery: Delivery, error?: unknown): void {
    if (error === undefined) this.#end(delivery);
    else void this.#rescue(delivery, error);
  }

  #room(): number {
    const { prefetch, rateLimits } = this.#deps;
    const { unanswered, held } = prefetch();
    const waiting = this.#waiting.length + rateLimits.size;
    return Math.min(
      unanswered - waiting - this.#unanswered,
      held - waiting - this.#running.size,
      MOST_ENDING - this.#ending,
    );
  }

  /**
   * A call costs as much as running several short tasks does: as long as there is something to begin, a few are asked for at once. Of
   * these one waits in the pool, behind a short one, or here.
   */
  #isWorthACall(room: number): boolean {
    if (room <= 0) return false;
    const { unanswered, held } = this.#deps.prefetch();
    if (room >= FILL_UP * Math.min(unanswered, held, CLAIM_BATCH)) return true;
    return this.#waiting.length === 0 && !this.#deps.pool.hasWaiting();
  }

  #wake(): void {
    if (this.#wakeUp && this.#isWorthACall(this.#room())) this.#wakeUp();
  }

  #roomMade(stop: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        stop.removeEventListener("abort", done);
        this.#wakeUp = undefined;
        resolve();
      };
      this.#wakeUp = done;
      stop.addEventListener("abort", done, { once: true });
    });
  }

  /** In their order: what is to be run is queued before anything here waits. */
  #claimUpTo(room: number): Asked | undefined {
    if (!this.#isWorthACall(room)) return undefined;
    const max = Math.min(room, CLAIM_BATCH);
    return { max, isWait: false, claims: this.#deps.consumer.claim(max) };
  }

  #claimNext(stop: AbortSignal): Asked | undefined {
    const max = Math.min(this.#room(), CLAIM_BATCH);
    if (max <= 0) return undefined;
    return { max, isWait: true, claims: this.#deps.consumer.claimNext(max, stop) };
  }

  #acceptAll(claims: readonly Claim[]): Promise<unknown> | undefined {
    const pending: Promise<void>[] = [];
    for (const claim of claims) {
      const work = this.#accept(claim);
      if (work) pending.push(work);
    }
    return pending.length === 0 ? undefined : Promise.all(pending);
  }

  /**
   * Every way out of here answers for the claim: a claim that is forgotten would stay with us for ever.
   *
   * @returns undefined when there is nothing to wait for, which is the rule.
   */
  #accept(claim: Claim): Promise<void> | undefined {
    const { app, consumer, revokes } = this.#deps;
    let verdict: Verdict | undefined;
    try {
      const decoded = decodeMessage(claim.raw, {
        maxBytes: app.conf.broker_transport_options.max_message_bytes,
      });
      verdict = judge(decoded, app, consumer.nowMs(), revokes);
      return this.#follow(claim, verdict)?.catch((error: unknown) => this.#giveBack(claim, error, verdict));
    } catch (error) {
      return this.#giveBack(claim, error, verdict);
    }
  }

  async #giveBack(claim: Claim, error: unknown, verdict: Verdict | undefined): Promise<void> {
    const { consumer, refusals, log } = this.#deps;
    const message = verdict && "message" in verdict ? verdict.message : undefined;
    log.error({ error, claim: claim.id }, "a message could not be taken in and goes back to its queue");
    const given = message ? refusals.giveBack(claim, message, error) : consumer.release([claim.id]);
    await given.catch((refused: unknown) => log.error({ error: refused }, "nor given back"));
  }

  #follow(claim: Claim, verdict: Verdict): Promise<void> | undefined {
    switch (verdict.kind) {
      case "run":
        return this.#reserve(claim, verdict);
      case "park":
        return this.#park(claim, verdict);
      case "expired":
      case "revoked":
        this.#logReceived(verdict.message);
        return this.#deps.refusals.refuse(claim, verdict);
      case "unregistered":
      case "refused":
        return this.#deps.refusals.refuse(claim, verdict);
    }
  }

  #reserve(claim: Claim, verdict: Extract<Verdict, { kind: "run" }>): undefined {
    const { message, task } = verdict;
    this.#tellReceived(verdict);
    const delivery = makeDelivery(claim, message, task, this.#received);
    const { rateLimits } = this.#deps;
    if (rateLimits.limits(task.name)) rateLimits.hold(task.name, delivery);
    else this.enqueue(delivery);
  }

  async #park(claim: Claim, verdict: Extract<Verdict, { kind: "park" }>): Promise<void> {
    const { message, etaEpochSeconds } = verdict;
    this.#tellReceived(verdict);
    this.#parked.add(message, etaEpochSeconds, claim.raw.length);
    await this.#deps.consumer.park(claim.id, etaEpochSeconds);
  }

  #tellReceived({ message }: Extract<Verdict, { kind: "run" | "park" }>): void {
    this.#received++;
    if (!this.#logReceived(message)) return;
    if (this.#deps.events.taskEventsEnabled !== false) sendEvent(this.#deps.events, receivedEvent(message));
    tellReceived(this.#deps.app.signals, message);
  }

  /** @returns false when it was received before, and parked. */
  #logReceived(message: TaskMessage): boolean {
    if (this.#parked.delete(message.headers.id)) return false;
    if (isWritten(this.#deps.log, "INFO")) this.#log("INFO", `Task ${labelOf(message)} received`);
    return true;
  }

  #dispatch(): void {
    const { pool, consumer, refusals, revokes, runner } = this.#deps;
    while (!this.#stopped && this.#waiting.length > 0 && pool.room() > this.#starting) {
      const delivery = this.#waiting.shift() as Delivery;
      const discard = judgeAgain(delivery.message, delivery.task, consumer.nowMs(), revokes);
      this.#running.add(delivery);
      this.#starting += 1;
      this.#unanswered += 1;
      if (!discard) {
        runner.start(delivery, this);
        continue;
      }
      refusals.refuse(delivery.claim, discard).then(
        () => this.#end(delivery),
        (error: unknown) => this.#rescue(delivery, error),
      );
    }
  }

  #end(delivery: Delivery): void {
    this.#running.delete(delivery);
    if (delivery.phase.name === "waiting") this.#starting -= 1;
    if (delivery.isOver) this.#ending -= 1;
    if (!isAcked(delivery)) this.#unanswered -= 1;
    this.#dispatch();
    this.#wake();
    if (this.#running.size > 0) return;
    for (const resolve of this.#onDrained.splice(0)) resolve();
  }

  /** A message that could not be answered for goes back, but not for ever. */
  async #rescue(delivery: Delivery, error: unknown): Promise<void> {
    const { refusals, log } = this.#deps;
    const label = labelOf(delivery.message);
    log.error({ error }, `Task ${label} could not be settled`);
    try {
      await refusals.giveBack(delivery.claim, delivery.message, error);
    } catch (refused) {
      log.error({ error: refused }, `Task ${label} could not be given back either`);
    }
    this.#end(delivery);
  }

  /** Another worker has taken these over while this one was away: it must not run them too. */
  #onLost(ids: ReadonlySet<string>): void {
    const isLost = ({ claim }: Delivery): boolean => ids.has(claim.id);
    const taken = [...this.#waiting.filter(isLost), ...this.#deps.rateLimits.take(isLost)];
    for (const delivery of taken) {
      const at = this.#waiting.indexOf(delivery);
      if (at >= 0) this.#waiting.splice(at, 1);
    }
    const running = [...this.#running].filter((delivery) => isLost(delivery) && !isAcked(delivery));
    for (const delivery of running) this.#deps.runner.cancel(delivery);
    this.#log(
      "WARNING",
      `${taken.length + running.length} message(s) were given to another worker while this one was not heard of.`,
    );
    this.#wakeUp?.();
  }

  #log(level: "INFO" | "WARNING", text: string): void {
    this.#deps.log.record({ level, processName: MAIN_PROCESS, text });
  }
}
