import type { CeleryApp } from "../app/types.ts";
import type { Pool } from "../pool/pool.ts";
import { decodeMessage } from "../protocol/message-decode.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Claim, Consumer } from "../transport/transport.ts";
import { type Delivery, isAcked, makeDelivery } from "./delivery.ts";
import { isExpired, judge, type Verdict } from "./judge.ts";
import type { Refusals } from "./refuse.ts";
import type { TaskRunner } from "./run-task.ts";
import { type EventSink, receivedEvent, sendEvent } from "./task-event.ts";
import { MAIN_PROCESS, type WorkerLog } from "./worker-log.ts";

export interface ConsumeDeps {
  readonly app: CeleryApp;
  readonly consumer: Consumer;
  readonly pool: Pool;
  readonly runner: TaskRunner;
  readonly refusals: Refusals;
  readonly events: EventSink;
  readonly log: WorkerLog;
  readonly clock: Clock;
  /** Unanswered messages held at once: prefetch multiplier × concurrency. */
  readonly prefetch: number;
}

/** One call claims at most this many: a script that takes long would stop Redis for everybody. */
const CLAIM_BATCH = 64;
/** Ids of parked messages that are remembered, so that their reception is told only once. */
const PARKED_REMEMBERED = 10_000;

/** Takes messages as long as there is room, and hands them to the pool as long as it has free slots. */
export class TaskConsumer {
  readonly #deps: ConsumeDeps;
  /** Claimed and waiting for a slot, oldest first. */
  readonly #waiting: Delivery[] = [];
  readonly #running = new Map<Delivery, Promise<void>>();
  readonly #parked = new Set<string>();
  #received = 0;
  #stopped = false;
  #wakeUp: (() => void) | undefined;

  constructor(deps: ConsumeDeps) {
    this.#deps = deps;
    deps.pool.events.on("free", () => this.#dispatch());
    deps.consumer.events.on("lost", (ids) => this.#onLost(new Set(ids)));
  }

  /** Tasks running now, and tasks received since the start: what heartbeat events tell. */
  counts(): { active: number; processed: number } {
    return { active: this.#running.size, processed: this.#received };
  }

  /** Consumes until `stop` aborts. What was claimed by then is kept until `releaseWaiting`. */
  async consume(stop: AbortSignal): Promise<void> {
    stop.addEventListener("abort", () => (this.#stopped = true), { once: true });
    while (!stop.aborted) {
      const room = this.#room();
      if (room <= 0) {
        await this.#roomMade(stop);
        continue;
      }
      const claims = await this.#deps.consumer.claim(Math.min(room, CLAIM_BATCH));
      // In their order: what is to be run is queued before anything here waits.
      await Promise.all(claims.map((claim) => this.#accept(claim)));
      if (claims.length === 0) await this.#deps.consumer.waitForWork(stop);
    }
  }

  /** Gives what has not begun back to its queues, for other workers. */
  async releaseWaiting(): Promise<void> {
    const ids = this.#waiting.splice(0).map(({ claim }) => claim.id);
    if (ids.length === 0) return;
    this.#log("WARNING", `Restoring ${ids.length} unacknowledged message(s)`);
    await this.#deps.consumer.release(ids);
  }

  /** Settles when nothing runs any more. */
  async drained(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running.values());
  }

  #room(): number {
    const unanswered = [...this.#running.keys()].filter((delivery) => !isAcked(delivery)).length;
    return this.#deps.prefetch - this.#waiting.length - unanswered;
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

  /** Every way out of here answers for the claim: a claim that is forgotten would stay with us for ever. */
  async #accept(claim: Claim): Promise<void> {
    const { app, clock, consumer, log } = this.#deps;
    try {
      const decoded = decodeMessage(claim.raw, {
        maxBytes: app.conf.broker_transport_options.max_message_bytes,
      });
      await this.#follow(claim, judge(decoded, app, clock.nowMs()));
    } catch (error) {
      log.error({ error, claim: claim.id }, "a message could not be taken in and goes back to its queue");
      await consumer
        .release([claim.id])
        .catch((refused: unknown) => log.error({ error: refused }, "nor given back"));
    }
  }

  async #follow(claim: Claim, verdict: Verdict): Promise<void> {
    switch (verdict.kind) {
      case "run":
        this.#tellReceived(verdict.message.headers.id, verdict);
        this.#waiting.push(makeDelivery(claim, verdict.message, verdict.task));
        return this.#dispatch();
      case "park": {
        const { id } = verdict.message.headers;
        this.#tellReceived(id, verdict);
        this.#remember(id);
        await this.#deps.consumer.park(claim.id, verdict.etaEpochSeconds);
        return;
      }
      case "expired":
      case "unregistered":
      case "refused":
        return this.#deps.refusals.refuse(claim, verdict);
    }
  }

  #tellReceived(id: string, verdict: Extract<Verdict, { kind: "run" | "park" }>): void {
    if (this.#parked.delete(id)) return;
    this.#received++;
    const { headers } = verdict.message;
    this.#log("INFO", `Task ${headers.shadow || headers.task}[${id}] received`);
    sendEvent(this.#deps.events, receivedEvent(verdict.message));
    const { callbacks, errbacks, chain, chord } = verdict.message.embed;
    if (callbacks?.length || errbacks?.length || chain?.length || chord) {
      this.#log(
        "WARNING",
        `Task ${headers.task}[${id}] has follow-up tasks (link, chain or chord). This worker does not send them yet.`,
      );
    }
  }

  #remember(id: string): void {
    this.#parked.add(id);
    if (this.#parked.size <= PARKED_REMEMBERED) return;
    for (const oldest of this.#parked) {
      this.#parked.delete(oldest);
      break;
    }
  }

  #dispatch(): void {
    const { pool, app, clock, refusals } = this.#deps;
    while (!this.#stopped && this.#waiting.length > 0 && pool.free() > this.#starting()) {
      const delivery = this.#waiting.shift() as Delivery;
      const expired = isExpired(delivery.message, app, clock.nowMs());
      const work = expired
        ? refusals.refuse(delivery.claim, { kind: "expired", message: delivery.message })
        : this.#deps.runner.run(delivery, () => this.#wakeUp?.());
      this.#track(delivery, work);
    }
  }

  /** Deliveries that are on their way to a slot without holding it yet. */
  #starting(): number {
    return [...this.#running.keys()].filter(({ phase }) => phase.name === "waiting").length;
  }

  #track(delivery: Delivery, work: Promise<void>): void {
    const tracked = work
      .catch((error: unknown) => this.#rescue(delivery, error))
      .finally(() => {
        this.#running.delete(delivery);
        this.#wakeUp?.();
        this.#dispatch();
      });
    this.#running.set(delivery, tracked);
  }

  /** A message that could not be answered goes back; if it was answered already, Redis knows. */
  async #rescue({ claim, label }: Delivery, error: unknown): Promise<void> {
    const { consumer, log } = this.#deps;
    log.error({ error }, `Task ${label} could not be settled`);
    try {
      await consumer.release([claim.id]);
    } catch (refused) {
      log.error({ error: refused }, `Task ${label} could not be given back either`);
    }
  }

  /** Another worker has taken these over while this one was away: it must not run them too. */
  #onLost(ids: ReadonlySet<string>): void {
    const taken = this.#waiting.filter(({ claim }) => ids.has(claim.id));
    for (const delivery of taken) this.#waiting.splice(this.#waiting.indexOf(delivery), 1);
    const running = [...this.#running.keys()].filter((d) => ids.has(d.claim.id) && !isAcked(d));
    for (const { giveUp } of running) giveUp.abort();
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
