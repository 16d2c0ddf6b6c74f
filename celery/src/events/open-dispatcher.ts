import { openConnection } from "../redis/connection.ts";
import { type Clock, systemClock } from "../runtime/clock.ts";
import { LamportClock } from "../runtime/lamport-clock.ts";
import { type Log, silentLog } from "../runtime/log.ts";
import { eventChannel } from "./channel.ts";
import { EventDispatcher } from "./dispatcher.ts";

export interface OpenEventDispatcherOptions {
  /** Node name that every event carries: `celery@host` of a worker, `gen<pid>@host` of a client. */
  readonly hostname: string;
  /** `-E`, `worker_send_task_events`; for a client, `task_send_sent_event`. */
  readonly taskEvents: boolean;
  /** Shared with the node's mailbox, if it has one. */
  readonly lamport?: LamportClock;
  readonly clock?: Clock;
  readonly log?: Log;
}

/** A dispatcher on a connection of its own, opened with the first event and closed with the dispatcher. */
export function openEventDispatcher(brokerUrl: string, options: OpenEventDispatcherOptions): EventDispatcher {
  const redis = openConnection(brokerUrl, { name: "celery-events" });
  return new EventDispatcher({
    lamport: new LamportClock(),
    clock: systemClock,
    log: silentLog,
    ...options,
    channel: (routingKey) => eventChannel(brokerUrl, routingKey),
    publish: async (channel, payload) => {
      await redis.call("PUBLISH", channel, payload);
    },
    close: () => redis[Symbol.asyncDispose]() as Promise<void>,
  });
}
