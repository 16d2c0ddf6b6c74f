import { EventEmitter } from "node:events";
import { decodeBroadcast } from "../protocol/broadcast.ts";
import { type CeleryEvent, type RawEvent, readEvents, readRawEvents } from "../protocol/event.ts";
import { openSubscriber } from "../redis/subscriber.ts";
import { eventChannel } from "./channel.ts";

export interface EventReceiverEvents {
  event: [event: CeleryEvent];
  /** Every event, of types that somebody made up too, with every field as it came. */
  raw: [event: RawEvent];
  /** Listening. After a gap: what was sent meanwhile is missed, as pub/sub has no memory. */
  up: [];
  /** The broker is away. It goes on trying. */
  down: [error: Error];
}

export interface EventReceiver extends AsyncDisposable {
  readonly events: EventEmitter<EventReceiverEvents>;
  /**
   * Settles when it listens for the first time.
   *
   * Rejects with `OperationalError` when the broker cannot be reached now; it goes on trying nevertheless.
   */
  readonly ready: Promise<void>;
}

/**
 * Longest wait between two attempts to reconnect. Short, because what is said meanwhile is missed for good: a task whose
 * `task-sent` and `task-received` were missed has no name.
 */
export const LISTENER_RETRY_MS = 200;

/**
 * Listens to the events of all workers and clients of a broker, Python's and ours. Messages that are no events are skipped.
 * It reconnects by itself and does not keep the process alive.
 *
 * @see celery 5.7.0 events/receiver.py
 */
export function openEventReceiver(brokerUrl: string): EventReceiver {
  const subscriber = openSubscriber(brokerUrl, {
    name: "celery-event-receiver",
    maxRetryDelayMs: LISTENER_RETRY_MS,
  });
  const events = new EventEmitter<EventReceiverEvents>();
  subscriber.events.on("message", (_channel, text) => {
    const broadcast = decodeBroadcast(text);
    if (!broadcast) return;
    if (events.listenerCount("raw") > 0)
      for (const event of readRawEvents(broadcast.body)) events.emit("raw", event);
    if (events.listenerCount("event") > 0)
      for (const event of readEvents(broadcast.body)) events.emit("event", event);
  });
  subscriber.events.on("up", () => events.emit("up"));
  subscriber.events.on("down", (fault) => events.emit("down", fault));
  const ready = subscriber.subscribePattern(eventChannel(brokerUrl, "*"));
  ready.catch(() => undefined); // told as `down` too
  return { events, ready, [Symbol.asyncDispose]: () => subscriber[Symbol.asyncDispose]() as Promise<void> };
}
