import { randomUUID } from "node:crypto";
import { encodeBroadcast } from "../protocol/broadcast.ts";
import { type EventFields, type EventType, eventRoutingKey, makeEvent } from "../protocol/event.ts";
import type { Clock } from "../runtime/clock.ts";
import type { LamportClock } from "../runtime/lamport-clock.ts";
import type { Log } from "../runtime/log.ts";
import { EVENT_EXCHANGE } from "./channel.ts";

/** A batch leaves at the latest with this many events. @see celery 5.7.0 events/dispatcher.py, `buffer_limit` */
const BATCH_LIMIT = 24;
/** Events of a broker's absence that are kept for its return; older ones are dropped: they tell, nothing depends on them. */
const KEPT_WHILE_AWAY = 1000;
/** Messages that share a trip to the broker: a busy worker makes more in one turn of its event loop than would leave one by one. */
const TOGETHER = 100;

type Message = readonly [channel: string, payload: string];

export interface EventDispatcherOptions {
  /** The channel of a routing key, e.g. `task.multi`. */
  readonly channel: (routingKey: string) => string;
  /** Node name that every event carries. */
  readonly hostname: string;
  /** `-E`, `worker_send_task_events`: whether `task-*` events are sent from the start. `worker-*` always are. */
  readonly taskEvents: boolean;
  /** Puts one message on a channel; rejects while the broker is away. */
  readonly publish: (channel: string, payload: string) => Promise<void>;
  /** Gives back what `publish` uses; called once, at the end. */
  readonly close: () => Promise<void>;
  /** Shared with the node's mailbox. */
  readonly lamport: LamportClock;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Sends events as Celery does: `worker-*` and `task-sent` at once, a worker's `task-*` gathered into lists that leave on the next turn
 * of the event loop. Sending never throws and never waits; while the broker is away the newest thousand messages are kept.
 *
 * @see celery 5.7.0 events/dispatcher.py
 */
export class EventDispatcher implements AsyncDisposable {
  readonly hostname: string;
  taskEventsEnabled: boolean;
  readonly #options: EventDispatcherOptions;
  #batch: Record<string, unknown>[] = [];
  #outbox: Message[] = [];
  #sending: Promise<void> | undefined;
  #scheduled: NodeJS.Immediate | undefined;

  constructor(options: EventDispatcherOptions) {
    this.#options = options;
    this.hostname = options.hostname;
    this.taskEventsEnabled = options.taskEvents;
  }

  send<T extends EventType>(type: T, fields: EventFields<T>): void {
    const isTask = type.startsWith("task-");
    if (isTask && !this.taskEventsEnabled) return;
    const event = this.#stamp(type, fields);
    // Clients send `task-sent` by itself, as Celery's do; only workers gather.
    if (isTask && type !== "task-sent") this.#addToBatch(event);
    else this.#post(eventRoutingKey(type), event);
  }

  /**
   * Sends an event of a type that somebody made up, `payment-refused`; goes out by itself, and whatever events are switched off.
   *
   * @see celery 5.7.0 app/task.py, `Task.send_event`
   */
  sendCustom(type: string, fields: Readonly<Record<string, unknown>>): void {
    this.#post(eventRoutingKey(type), this.#stamp(type, fields));
  }

  /** Settles when all that was sent before is with the broker, or is kept because the broker is away. */
  async flush(): Promise<void> {
    this.#closeBatch();
    await this.#drain();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.flush();
    await this.#options.close();
  }

  #stamp(
    type: string,
    fields: Readonly<Record<string, unknown>> | EventFields<EventType>,
  ): Record<string, unknown> {
    return makeEvent(type, fields, {
      hostname: this.hostname,
      utcoffset: utcOffsetHours(this.#options.clock),
      pid: process.pid,
      clock: this.#options.lamport.forward(),
      timestamp: this.#options.clock.nowMs() / 1000,
    });
  }

  #addToBatch(event: Record<string, unknown>): void {
    this.#batch.push(event);
    if (this.#batch.length >= BATCH_LIMIT) this.#closeBatch();
    else this.#scheduled ??= setImmediate(() => this.#closeBatch());
  }

  #closeBatch(): void {
    clearImmediate(this.#scheduled);
    this.#scheduled = undefined;
    if (this.#batch.length > 0) this.#post("task.multi", this.#batch.splice(0));
  }

  #post(routingKey: string, body: unknown): void {
    const address = {
      exchange: EVENT_EXCHANGE,
      routingKey,
      deliveryMode: 1,
      deliveryTag: randomUUID(),
    } as const;
    const payload = encodeBroadcast({ headers: { hostname: this.hostname }, body }, address);
    this.#outbox.push([this.#options.channel(routingKey), payload]);
    if (this.#outbox.length > KEPT_WHILE_AWAY) this.#outbox.shift();
    void this.#drain();
  }

  /** One trip at a time, so that receivers see them in the order of sending. */
  #drain(): Promise<void> {
    if (this.#outbox.length > 0) this.#sending ??= this.#drainOutbox();
    return this.#sending ?? Promise.resolve();
  }

  async #drainOutbox(): Promise<void> {
    try {
      while (this.#outbox.length > 0) {
        if (!(await this.#publish(this.#outbox.splice(0, TOGETHER)))) return;
      }
    } finally {
      // Now, and not when somebody hears of the promise: what is posted until then would lie there until the next event.
      this.#sending = undefined;
    }
  }

  /** @returns whether the broker has them all; those that it has not are kept. */
  async #publish(messages: readonly Message[]): Promise<boolean> {
    const told = await Promise.allSettled(messages.map((message) => this.#options.publish(...message)));
    const missed = messages.filter((_message, index) => told[index]?.status === "rejected");
    if (missed.length === 0) return true;
    this.#outbox.unshift(...missed);
    this.#outbox.splice(0, this.#outbox.length - KEPT_WHILE_AWAY);
    // Whoever owns the connection reports its loss; the next event, a heartbeat at the latest, tries again.
    const error: unknown = told.find((one) => one.status === "rejected")?.reason;
    this.#options.log.debug({ error, kept: this.#outbox.length }, "events wait for the broker");
    return false;
  }
}

/** Hours west of UTC, as Python counts them. */
function utcOffsetHours(clock: Clock): number {
  return new Date(clock.nowMs()).getTimezoneOffset() / 60;
}
