import { EventEmitter } from "node:events";
import { decodeBroadcast } from "../protocol/broadcast.ts";
import { type CeleryEvent, readEvents } from "../protocol/event.ts";
import { openSubscriber } from "../redis/subscriber.ts";
import { parseRedisUrl } from "../redis/url.ts";
import { eventChannel } from "./dispatcher.ts";

export interface EventReceiverEvents {
  event: [event: CeleryEvent];
  /** Listening. After a gap: what was sent meanwhile is missed, as pub/sub has no memory. */
  up: [];
  /** The broker is away. It goes on trying. */
  down: [error: Error];
}

export interface EventReceiver extends AsyncDisposable {
  readonly events: EventEmitter<EventReceiverEvents>;
}

/**
 * Listens to the events of all workers and clients of a broker, Python's and ours. Messages that are no events are skipped.
 * It does not keep the process alive.
 *
 * @returns when it listens.
 * @throws OperationalError when the broker cannot be reached now.
 * @see celery 5.7.0 events/receiver.py
 */
export async function openEventReceiver(brokerUrl: string): Promise<EventReceiver> {
  const subscriber = openSubscriber(brokerUrl, { name: "celery-event-receiver" });
  const events = new EventEmitter<EventReceiverEvents>();
  subscriber.events.on("message", (_channel, text) => {
    const broadcast = decodeBroadcast(text);
    for (const event of broadcast ? readEvents(broadcast.body) : []) events.emit("event", event);
  });
  subscriber.events.on("up", () => events.emit("up"));
  subscriber.events.on("down", (fault) => events.emit("down", fault));
  try {
    await subscriber.subscribePattern(eventChannel(parseRedisUrl(brokerUrl).db, "*"));
  } catch (error) {
    await subscriber[Symbol.asyncDispose]();
    throw error;
  }
  return { events, [Symbol.asyncDispose]: () => subscriber[Symbol.asyncDispose]() as Promise<void> };
}
