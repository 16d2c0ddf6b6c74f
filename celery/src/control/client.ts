import { randomUUID } from "node:crypto";
import { decodeBroadcast, encodeBroadcast } from "../protocol/broadcast.ts";
import {
  CONTROL_EXCHANGE,
  type ControlReply,
  REPLY_EXCHANGE,
  readControlReply,
  writeControlRequest,
} from "../protocol/control.ts";
import { openConnection, type RedisConnection } from "../redis/connection.ts";
import { bindingKey, bindingMember, queueKeys } from "../redis/keys.ts";
import { parseRedisUrl } from "../redis/url.ts";
import { type Clock, systemClock } from "../runtime/clock.ts";

export interface AskOptions {
  /** How long to wait for answers; with named nodes, until all of them have answered. */
  readonly timeoutSeconds: number;
  /** Node names; without it every node is asked. */
  readonly destination?: readonly string[];
  readonly arguments?: Readonly<Record<string, unknown>>;
  /** Called with each answer as it comes. */
  readonly onReply?: (reply: ControlReply) => void;
  readonly clock?: Clock;
}

/** Redis calls are cut this short, so that a silent connection is noticed and a short timeout is kept. */
const LONGEST_WAIT_SECONDS = 1;

/**
 * Asks all workers of a broker, or some, and gathers what they answer. Leaves nothing behind on the broker.
 *
 * @returns answers by node name; empty when nobody answered in time.
 * @throws OperationalError when the broker cannot be reached.
 * @see kombu 5.7.0 pidbox.py, `Mailbox._broadcast`
 */
export async function askWorkers(
  brokerUrl: string,
  method: string,
  options: AskOptions,
): Promise<ReadonlyMap<string, unknown>> {
  await using redis = openConnection(brokerUrl, { name: "celery-control" });
  const oid = randomUUID();
  const queue = `${oid}.${REPLY_EXCHANGE}`;
  const member = bindingMember(oid, queue);
  await redis.call("SADD", bindingKey(REPLY_EXCHANGE), member);
  try {
    const ticket = randomUUID();
    const heard = await publish(redis, method, { ...options, oid, ticket });
    return heard === 0 ? new Map() : await collect(redis, queue, ticket, options);
  } finally {
    await redis.pipeline([
      ["srem", bindingKey(REPLY_EXCHANGE), member],
      ["del", ...queueKeys(queue)],
    ]);
  }
}

/** @returns how many listeners the broker passed it to. */
async function publish(
  redis: RedisConnection,
  method: string,
  options: AskOptions & { oid: string; ticket: string },
): Promise<number> {
  const request = writeControlRequest({
    method,
    arguments: options.arguments ?? {},
    destination: options.destination ?? null,
    pattern: null,
    matcher: null,
    reply: { exchange: REPLY_EXCHANGE, routingKey: options.oid, ticket: options.ticket },
    clock: 1,
    expires: (options.clock ?? systemClock).nowMs() / 1000 + options.timeoutSeconds,
  });
  const address = {
    exchange: CONTROL_EXCHANGE,
    routingKey: "",
    deliveryMode: 2,
    deliveryTag: randomUUID(),
  } as const;
  const channel = `/${parseRedisUrl(redis.url).db}.${CONTROL_EXCHANGE}`;
  return Number(await redis.call("PUBLISH", channel, encodeBroadcast(request, address)));
}

async function collect(
  redis: RedisConnection,
  queue: string,
  ticket: string,
  options: AskOptions,
): Promise<ReadonlyMap<string, unknown>> {
  const clock = options.clock ?? systemClock;
  const endMs = clock.monotonicMs() + options.timeoutSeconds * 1000;
  const answers = new Map<string, unknown>();
  const expected = options.destination?.length ?? Number.POSITIVE_INFINITY;
  while (answers.size < expected) {
    const leftSeconds = (endMs - clock.monotonicMs()) / 1000;
    if (leftSeconds <= 0) break;
    const raw = await takeReply(redis, queue, Math.min(leftSeconds, LONGEST_WAIT_SECONDS));
    const broadcast = raw === undefined ? undefined : decodeBroadcast(raw);
    const reply = broadcast && readControlReply(broadcast);
    if (!reply || (reply.ticket !== null && reply.ticket !== ticket)) continue;
    answers.set(reply.node, reply.answer);
    options.onReply?.(reply);
  }
  return answers;
}

async function takeReply(
  redis: RedisConnection,
  queue: string,
  seconds: number,
): Promise<string | undefined> {
  const reply = (await redis.call("BRPOP", queue, Math.max(0.01, seconds).toFixed(3))) as
    | [string, string]
    | null;
  return reply?.[1];
}
