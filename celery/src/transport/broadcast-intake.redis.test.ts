import { afterEach, beforeEach, expect, test } from "vitest";
import { redisUrl } from "../../test/support/redis-url.ts";
import { openTransportLab, type TransportLab } from "../../test/support/transport-lab.ts";
import { until } from "../../test/support/until.ts";
import { openConnection, type RedisConnection } from "../redis/connection.ts";
import { BroadcastIntake } from "./broadcast-intake.ts";
import { BrokerLink } from "./broker-link.ts";
import { type Binding, channelNames } from "./destination.ts";

const url = `${redisUrl()}/7`;
const NEWS: Binding = { queue: "news", exchange: "news", type: "fanout", routingKey: "" };
const LIST = "bcast.news.w1@test";
let lab: TransportLab;
let opened: { link: BrokerLink; redis: RedisConnection; intake: BroadcastIntake } | undefined;

beforeEach(async () => {
  lab = await openTransportLab(url);
});

afterEach(async () => {
  await opened?.intake.close();
  opened?.link.close();
  await opened?.redis[Symbol.asyncDispose]();
  await lab[Symbol.asyncDispose]();
});

/** One that listens already. @param linkUrl of its line to the list; what it hears comes over another. */
async function listen(linkUrl: string, keptSeconds: number): Promise<void> {
  const redis = openConnection(linkUrl, { name: "intake" });
  const link = new BrokerLink(redis);
  const ignore = (): void => undefined;
  const log = { debug: ignore, info: ignore, warn: ignore, error: ignore };
  const channels = channelNames(url);
  const intake = new BroadcastIntake({ url, nodeName: "w1@test", link, channels, log, keptSeconds });
  opened = { link, redis, intake };
  intake.listen(NEWS);
  await until(async () => (await hear("probe")) > 0);
  await until(async () => (await length()) > 0);
  await lab.redis.call("DEL", LIST);
}

async function hear(text: string): Promise<number> {
  return Number(await lab.redis.call("PUBLISH", "/7.news", text));
}

async function length(): Promise<number> {
  return Number(await lab.redis.call("LLEN", LIST));
}

test("given a broadcast that waits in its worker's list, while the worker lives, then the list lives on; and not for ever after that", async () => {
  await listen(url, 4);
  await hear("a");
  await until(async () => (await length()) === 1);
  const ttl = async (): Promise<number> => Number(await lab.redis.call("PTTL", LIST));
  for (let renewals = 0, last = await ttl(); renewals < 2; ) {
    const now = await ttl();
    if (now > last) renewals += 1;
    last = now;
  }
  await opened?.intake.close();
  await until(async () => (await ttl()) < 2500); // prolonged every second it would not fall that low
});

test("given a broadcast, when the answer to its intake is lost, then it is put in again, and heard twice", async () => {
  const proxy = await lab.openProxy();
  await listen(proxy.url, 60);
  proxy.dropReplies();
  await hear("a");
  await until(async () => (await length()) === 1);
  proxy.heal();
  proxy.cut();
  await until(async () => (await length()) === 2);
  expect(await lab.redis.call("LRANGE", LIST, 0, -1)).toEqual(["a", "a"]);
});
