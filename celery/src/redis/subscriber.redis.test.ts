import { expect, test } from "vitest";
import { startRedisServer } from "../../test/support/redis-server.ts";
import { redisUrl } from "../../test/support/redis-url.ts";
import { openTcpProxy } from "../../test/support/tcp-proxy.ts";
import { until } from "../../test/support/until.ts";
import { openConnection } from "./connection.ts";
import { openSubscriber, type RedisSubscriber } from "./subscriber.ts";

const url = redisUrl();

function listen(subscriber: RedisSubscriber): string[] {
  const heard: string[] = [];
  subscriber.events.on("message", (channel, text, pattern) =>
    heard.push(`${pattern ?? ""} ${channel} ${text}`),
  );
  return heard;
}

test("given channels and patterns, when something is published, then each is heard with its kind", async () => {
  await using redis = openConnection(url);
  await using subscriber = openSubscriber(url);
  const heard = listen(subscriber);
  await Promise.all([subscriber.subscribe("w:a"), subscriber.subscribePattern("w:b*")]);
  await redis.call("PUBLISH", "w:a", "1");
  await redis.call("PUBLISH", "w:bc", "2");
  await until(() => heard.length === 2);
  expect(heard).toEqual([" w:a 1", "w:b* w:bc 2"]);
});

test("given thousands of channels asked for at once, when they come and go, then it takes few commands and none is left", async () => {
  // A server of its own: its command statistics count everybody's.
  await using server = await startRedisServer();
  await using redis = openConnection(server.url);
  await using subscriber = openSubscriber(server.url);
  const channels = Array.from({ length: 10_000 }, (_, index) => `many:${index}`);
  const count = async (): Promise<number> =>
    ((await redis.call("PUBSUB", "CHANNELS", "many:*")) as string[]).length;

  await Promise.all(channels.map((channel) => subscriber.subscribe(channel)));
  expect(await count()).toBe(channels.length);
  for (const channel of channels) subscriber.unsubscribe(channel);
  await until(async () => (await count()) === 0);

  const stats = String(await redis.call("INFO", "commandstats"));
  expect(Number(/cmdstat_subscribe:calls=(\d+)/.exec(stats)?.[1])).toBeLessThan(40);
});

test("given a channel that is let go before it was asked for, then it is never subscribed", async () => {
  await using redis = openConnection(url);
  await using subscriber = openSubscriber(url);
  const asked = subscriber.subscribe("brief");
  subscriber.unsubscribe("brief");
  await asked;
  expect(await redis.call("PUBSUB", "CHANNELS", "brief")).toEqual([]);
});

test("given the line cut, when it is back, then everything is subscribed again and that is told", async () => {
  await using redis = openConnection(url);
  await using proxy = await openTcpProxy(url);
  await using subscriber = openSubscriber(proxy.url);
  const told: string[] = [];
  subscriber.events.on("up", () => told.push("up"));
  subscriber.events.on("down", () => told.push("down"));
  const heard = listen(subscriber);
  await subscriber.subscribe("again");
  await subscriber.subscribePattern("again:*");

  proxy.cut();
  await until(() => told.join() === "up,down,up");
  await redis.call("PUBLISH", "again", "1");
  await redis.call("PUBLISH", "again:x", "2");
  await until(() => heard.length === 2);
  expect(heard).toEqual([" again 1", "again:* again:x 2"]);
});

test("given a line that is silently dead, when a ping is not answered, then the connection is replaced", async () => {
  await using proxy = await openTcpProxy(url);
  await using subscriber = openSubscriber(proxy.url, { pingIntervalMs: 50, replyTimeoutMs: 200 });
  let ups = 0;
  subscriber.events.on("up", () => (ups += 1));
  await subscriber.subscribe("dead-line");
  proxy.freeze();
  await new Promise((resolve) => subscriber.events.once("down", resolve));
  proxy.heal();
  await until(() => ups === 2);
});

test("given a line that is silently dead and pings that are far off, when it is checked after a while, then the connection is replaced; a sound one stays", async () => {
  await using proxy = await openTcpProxy(url);
  await using subscriber = openSubscriber(proxy.url, { pingIntervalMs: 0, replyTimeoutMs: 100 });
  const told: string[] = [];
  subscriber.events.on("up", () => told.push("up"));
  subscriber.events.on("down", () => told.push("down"));
  await subscriber.subscribe("checked");
  let isAsked = false;
  void proxy.passed("ping").then(() => (isAsked = true));
  await until(() => {
    subscriber.check();
    return isAsked;
  });
  expect(told).toEqual(["up"]);
  proxy.freeze();
  await until(() => {
    subscriber.check();
    return told.includes("down");
  });
  proxy.heal();
  await until(() => told.join() === "up,down,up");
});

test("given nobody listening, when subscribing, then that is an error, and it is not tried for ever", async () => {
  await using subscriber = openSubscriber("redis://127.0.0.1:1");
  await expect(subscriber.subscribe("x")).rejects.toMatchObject({ kind: "unreachable" });
  let downs = 0;
  subscriber.events.on("down", () => (downs += 1));
  await until(() => downs === 2);
  subscriber.unsubscribe("x");
  expect(subscriber.isUp).toBe(false);
});
