import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { startEmulatedRedis } from "../../test/support/emulated-redis.ts";
import { redisUrl } from "../../test/support/redis-url.ts";
import { openTcpProxy } from "../../test/support/tcp-proxy.ts";
import { message, nameOf } from "../../test/support/transport-lab.ts";
import { until } from "../../test/support/until.ts";
import { openConnection, type RedisConnection } from "../redis/connection.ts";
import { publishScript } from "../redis/scripts/publish.ts";
import { publishOneScript } from "../redis/scripts/publish-one.ts";
import { openTransport } from "./open-transport.ts";

const LANE = "ts1:s:test:publish";
let emulator: Awaited<ReturnType<typeof startEmulatedRedis>>;
let redis: RedisConnection;
beforeAll(async () => {
  emulator = await startEmulatedRedis();
});
afterAll(() => emulator[Symbol.asyncDispose]());

describe.each([
  ["Redis", () => `${redisUrl()}/45`],
  ["a key prefix", () => `${redisUrl()}/45?global_keyprefix=p:`],
  ["the emulator", () => `${emulator.url}/0`],
])("given a publisher over %s", (_name, url) => {
  beforeEach(async () => {
    redis = openConnection(url());
    await redis.call("FLUSHDB");
    return () => redis[Symbol.asyncDispose]();
  });

  const one = (number: number, raw: string, before = ""): Promise<unknown> =>
    redis.run(publishOneScript, [LANE, "celery"], [`${number}:d`, before, raw]);
  const many = (number: number, raw: string): Promise<unknown> =>
    redis.run(publishScript, [LANE], [number, "push", "celery", String(raw.length), raw]);
  const queue = (): Promise<unknown> => redis.call("LRANGE", "celery", 0, -1);

  test("when a message is pushed again under its number, then it is there once, whether or not its sender knows what was before", async () => {
    expect(await one(1, "a")).toBe("d");
    expect(await one(1, "a")).toBe("d");
    expect(await one(1, "a", "0:d")).toBe("d");
    expect(await one(2, "b", "1:d")).toBe("d");
    expect(await one(2, "b", "1:d")).toBe("d");
    expect(await one(3, "c", "no longer true")).toBe("d");
    expect(await queue()).toEqual(["c", "b", "a"]);
    expect(Number(await redis.call("TTL", LANE))).toBeGreaterThan(500);
  });

  test("when a message comes after a later one, then it is never pushed", async () => {
    expect(await one(9, "a")).toBe("d");
    expect(await one(10, "b", "9:d")).toBe("d");
    expect(await one(9, "late", "8:d")).toBe("stale");
    expect(await many(8, "late")).toEqual(["stale"]);
    expect(await queue()).toEqual(["b", "a"]);
  });

  test("when a message is pushed alone and said again in a batch, or the other way round, then it is there once", async () => {
    expect(await one(1, "a")).toBe("d");
    expect(await many(1, "a")).toEqual(["d"]);
    expect(await many(2, "b")).toEqual(["d"]);
    expect(await one(2, "b", "1:d")).toBe("d");
    expect(await queue()).toEqual(["b", "a"]);
  });

  test("when the queue is no list, then a message is refused with the reason, and the next ones go out", async () => {
    await using transport = openTransport(url());
    await transport.publish(message("first"));
    await redis.call("SET", "broken", "no list");
    await redis.call("DEL", "celery");
    await redis.call("SET", "celery", "no list");
    await expect(transport.publish(message("second"))).rejects.toThrow(/queue "celery".*WRONGTYPE/);
    await redis.call("DEL", "celery");
    await transport.publish(message("third"));
    expect(((await queue()) as string[]).map((raw) => nameOf({ raw }))).toEqual(["third"]);
  });

  test("when answers are lost while one message and then many are under way, then each is there once, in order", async () => {
    await using proxy = await openTcpProxy(url());
    await using transport = openTransport(proxy.url);
    const sent = [transport.publish(message("0"))];
    await sent[0];
    for (let cut = 1; cut <= 5; cut += 1) {
      proxy.dropReplies();
      const before = sent.length;
      for (let n = before; n < before + 20; n += 1) sent.push(transport.publish(message(String(n))));
      await until(async () => (await redis.call("LLEN", "celery")) === before + 1);
      proxy.heal();
      proxy.cut();
      await Promise.all(sent);
    }
    const names = ((await queue()) as string[]).map((raw) => nameOf({ raw }));
    expect(names.toReversed()).toEqual(sent.map((_, n) => String(n)));
  });

  test("when each message is waited for, then it takes one command, and its lane goes with the transport", async () => {
    const transport = openTransport(url());
    for (let n = 0; n < 5; n += 1) await transport.publish(message(String(n)));
    expect((await redis.call("KEYS", "ts1:s:*")) as unknown[]).toHaveLength(1);
    expect(await redis.call("GET", ((await redis.call("KEYS", "ts1:s:*")) as string[])[0] ?? "")).toBe("5:d");
    await transport[Symbol.asyncDispose]();
    expect(await redis.call("KEYS", "ts1:s:*")).toEqual([]);
    expect(await redis.call("LLEN", "celery")).toBe(5);
  });
});
