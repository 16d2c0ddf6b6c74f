import { channelNames, fanoutChannel } from "../redis/destination.ts";

/** Celery's `event_exchange`. */
export const EVENT_EXCHANGE = "celeryev";

/** `/0.celeryev/task.multi`, or the pattern of all of them for `*`. @see kombu 5.7.0 transport/redis.py, `_get_publish_topic` */
export function eventChannel(brokerUrl: string, routingKey: string): string {
  return fanoutChannel({ exchange: EVENT_EXCHANGE, routingKey }, channelNames(brokerUrl));
}
