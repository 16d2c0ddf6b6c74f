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
import { bindingKey, bindingMember, permanentBindingKey, queueKeys } from "../redis/keys.ts";
import { type Clock, systemClock } from "../runtime/clock.ts";
import { controlChannel } from "./channel.ts";

/** Who is meant, and what is said to them. */
export interface TellOptions {
  /** Node names; without it every node is meant. */
  readonly destination?: readonly string[];
  /** Nodes whose names fit, instead of `destination`; read as `matcher` says, `glob` if it does not. */
  readonly pattern?: string;
  readonly matcher?: "glob" | "pcre";
  readonly arguments?: Readonly<Record<string, unknown>>;
  readonly clock?: Clock;
}

export interface AskOptions extends TellOptions {
  /** How long to wait for answers; not that long when all that listen have answered, all named ones, or as many as `limit` says. */
  readonly timeoutSeconds: number;
  /** Enough answers. Default: as many as nodes are named. */
  readonly limit?: number;
  /** Called with each answer as it comes. */
  readonly onReply?: (reply: ControlReply) => void;
  /** Ends the wait; what has come by then is returned. */
  readonly signal?: AbortSignal;
}

/** Redis calls are cut this short, so that a silent connection is noticed and a short timeout is kept. */
const LONGEST_WAIT_SECONDS = 1;
/** What is told without waiting for an answer goes stale like a question with Celery's default timeout. */
const TOLD_EXPIRES_SECONDS = 1;

/**
 * Asks all workers of a broker, or some, and gathers what they answer. Leaves nothing behind on the broker.
 *
 * @returns answers by node name, in the order of coming; empty when nobody answered in time.
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
  // The second keeps a Python worker from sweeping the first away, should nobody have asked anything for an hour before.
  const bindings = [bindingKey(REPLY_EXCHANGE), permanentBindingKey(REPLY_EXCHANGE)];
  await redis.pipeline(bindings.map((key) => ["sadd", key, member] as const));
  try {
    const ticket = randomUUID();
    const reply = { exchange: REPLY_EXCHANGE, routingKey: oid, ticket };
    const heard = await publish(redis, method, options, reply);
    const enough = Math.min(heard, options.limit ?? options.destination?.length ?? heard);
    return await collect(redis, queue, { ticket, enough }, options);
  } finally {
    await redis.pipeline([
      ...bindings.map((key) => ["srem", key, member] as const),
      ["del", ...queueKeys(queue)],
    ]);
  }
}

/** Tells workers on connections that stay open, and hears no answer. */
export interface ControlTeller extends AsyncDisposable {
  /** Settles when the broker has passed it on. @throws OperationalError when the broker cannot be reached. */
  tell(method: string, options: TellOptions): Promise<void>;
}

/** Opens nothing before the first word. */
export function openControlTeller(brokerUrl: string): ControlTeller {
  const redis = openConnection(brokerUrl, { name: "celery-control" });
  return {
    tell: async (method, options) => void (await publish(redis, method, options, null)),
    [Symbol.asyncDispose]: () => redis[Symbol.asyncDispose]() as Promise<void>,
  };
}

/** @returns how many listeners the broker passed it to. */
async function publish(
  redis: RedisConnection,
  method: string,
  options: TellOptions & { readonly timeoutSeconds?: number },
  reply: { readonly exchange: string; readonly routingKey: string; readonly ticket: string } | null,
): Promise<number> {
  const { pattern, timeoutSeconds = TOLD_EXPIRES_SECONDS, clock = systemClock } = options;
  const request = writeControlRequest({
    method,
    arguments: options.arguments ?? {},
    destination: options.destination ?? null,
    pattern: pattern ?? null,
    matcher: pattern === undefined ? null : (options.matcher ?? "glob"),
    reply,
    clock: 1,
    expires: clock.nowMs() / 1000 + timeoutSeconds,
  });
  const address = {
    exchange: CONTROL_EXCHANGE,
    routingKey: "",
    deliveryMode: 2,
    deliveryTag: randomUUID(),
  } as const;
  const channel = controlChannel(redis.url);
  return Number(await redis.call("PUBLISH", channel, encodeBroadcast(request, address)));
}

async function collect(
  redis: RedisConnection,
  queue: string,
  { ticket, enough }: { readonly ticket: string; readonly enough: number },
  options: AskOptions,
): Promise<ReadonlyMap<string, unknown>> {
  const clock = options.clock ?? systemClock;
  const endMs = clock.monotonicMs() + options.timeoutSeconds * 1000;
  const answers = new Map<string, unknown>();
  let missing = enough;
  while (missing > 0 && !options.signal?.aborted) {
    const leftSeconds = (endMs - clock.monotonicMs()) / 1000;
    if (leftSeconds <= 0) break;
    const raw = await takeReply(redis, queue, Math.min(leftSeconds, LONGEST_WAIT_SECONDS));
    const broadcast = raw === undefined ? undefined : decodeBroadcast(raw);
    const reply = broadcast && readControlReply(broadcast);
    if (!reply || (reply.ticket !== null && reply.ticket !== ticket)) continue;
    answers.set(reply.node, reply.answer);
    missing -= 1;
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
