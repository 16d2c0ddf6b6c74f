import { expect, test } from "vitest";
import { type CutMode, type CuttingProxy, openCuttingProxy } from "../../test/support/cutting-proxy.ts";
import { redisUrl } from "../../test/support/redis-url.ts";
import { claimAll, message, nameOf, openTransportLab } from "../../test/support/transport-lab.ts";
import { until } from "../../test/support/until.ts";
import { openConnection, type RedisConnection } from "../redis/connection.ts";
import type { Claim, Consumer, Transport } from "./transport.ts";

const url = `${redisUrl()}/63`;
/** Scenarios at once: each has keys of its own, and most of their time is waiting for a reconnect. */
const AT_ONCE = 12;
const PATIENT = { maxRetries: null, intervalStart: 0.01, intervalStep: 0.01, intervalMax: 0.1 };

/** One way for a message to end each; what is done with it leaves a trace in the list `trace`, in the same step. */
const WAYS = ["acked", "finished", "released", "parked", "dead", "completed"] as const;

interface End {
  readonly proxy: CuttingProxy;
  readonly trace: readonly string[];
  readonly leftovers: Readonly<Record<string, unknown>>;
}

test.each<CutMode>(["before", "after"])(
  "given a worker and a sender, when the line is cut %s the n-th command, for every n, then each message ends once, as it was to",
  async (mode) => {
    await using redis = openConnection(url);
    await redis.call("FLUSHDB");
    const total = (await scenario(redis, Number.POSITIVE_INFINITY, mode)).proxy.commands;
    expect(total).toBeGreaterThan(15);

    const numbers = Array.from({ length: total + 2 }, (_, index) => index + 1);
    const ends: End[] = [];
    await Promise.all(
      Array.from({ length: AT_ONCE }, async () => {
        for (let n = numbers.shift(); n !== undefined; n = numbers.shift())
          ends.push(await scenario(redis, n, mode));
      }),
    );

    const expected = {
      trace: [...WAYS].toSorted(),
      leftovers: { waiting: 0, unacked: 0, index: 0, dead: 1 },
    };
    for (const { proxy, trace, leftovers } of ends)
      expect({ cut: proxy.cut, trace: trace.toSorted(), leftovers }).toEqual({ cut: proxy.cut, ...expected });
    // Signs of life come by the clock, so that no two scenarios have quite as many commands.
    expect(ends.filter(({ proxy }) => proxy.cut !== undefined).length).toBeGreaterThan(total * 0.8);
  },
);

/** The life of a few messages, over a line that breaks at the n-th command. */
async function scenario(redis: RedisConnection, n: number, mode: CutMode): Promise<End> {
  const prefix = `${mode}-${n}:`;
  const suffix = `?global_keyprefix=${prefix}`;
  const proxy = await openCuttingProxy(url, n, mode);
  await using lab = await openTransportLab(`${url}${suffix}`, { keep: true });
  const sender = lab.openTransport(`${proxy.url}${suffix}`, { replyTimeoutMs: 1000, connectTimeoutMs: 1000 });
  const consumer = await lab.openConsumer({ url: `${proxy.url}${suffix}` });
  for (const way of WAYS) await sender.publish(message(way), { policy: PATIENT });
  await work(consumer, lab.transport);
  await until(async () => (await redis.call("LLEN", `${prefix}trace`)) === WAYS.length);
  await consumer[Symbol.asyncDispose]();
  const trace = (await redis.call("LRANGE", `${prefix}trace`, 0, -1)) as string[];
  const leftovers = {
    waiting: await redis.call("LLEN", `${prefix}celery`),
    unacked: await redis.call("HLEN", `${prefix}unacked`),
    index: await redis.call("ZCARD", `${prefix}unacked_index`),
    dead: await redis.call("LLEN", `${prefix}ts1:dead:celery`),
  };
  await proxy[Symbol.asyncDispose]();
  return { proxy, trace, leftovers };
}

/** Takes every message, and those that come back once more. */
async function work(consumer: Consumer, direct: Transport): Promise<void> {
  const again = new Set(["released", "parked"]);
  for (let left = WAYS.length + again.size; left > 0; left -= 1) {
    const [claim] = (await claimAll(consumer, 1)) as [Claim];
    const name = nameOf(claim);
    const isFirst = again.delete(name);
    if (isFirst && name === "released") await consumer.release([claim.id]);
    else if (isFirst) await consumer.park(claim.id, Date.now() / 1000 + 0.1);
    else await end(consumer, claim, direct);
  }
}

async function end(consumer: Consumer, claim: Claim, direct: Transport): Promise<void> {
  const name = nameOf(claim);
  const trace = { queue: "trace", raw: name, priority: 0 };
  expect(await consumer.confirm(claim.id)).toBe("done");
  if (name === "acked" || name === "dead") await direct.publish(trace);
  if (name === "dead") expect(await consumer.deadLetter(claim.id, "to be read")).toBe("done");
  else if (name === "acked") expect(await consumer.ack(claim.id)).toBe("done");
  else if (name === "completed") {
    expect(await consumer.ack(claim.id)).toBe("done");
    await consumer.complete({ publish: [trace] });
  } else expect(await consumer.finish(claim.id, { publish: [trace] })).toBe("done");
}
