import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { freePort, startRedisServer } from "../../test/support/redis-server.ts";
import { redisUrl } from "../../test/support/redis-url.ts";
import { decodeBroadcast } from "../protocol/broadcast.ts";
import type { CeleryEvent } from "../protocol/event.ts";
import { openConnection } from "../redis/connection.ts";
import { openSubscriber } from "../redis/subscriber.ts";
import { type EventDispatcher, openEventDispatcher, openEventReceiver, startHeartbeat } from "./index.ts";

const url = `${redisUrl()}/20`;
const software = { ident: "ts-celery", version: "0.1.0" };
const idle = { load: () => ({ active: 0, processed: 0 }), software };

const aDispatcher = (broker = url, taskEvents = true): EventDispatcher => {
  const events = openEventDispatcher(broker, { hostname: "w1@vm", taskEvents });
  onTestFinished(() => events[Symbol.asyncDispose]());
  return events;
};

/** Every event that arrives, and a way to wait for the first that fits. */
async function listen(broker = url): Promise<{
  seen: CeleryEvent[];
  until: (fits: (event: CeleryEvent) => boolean) => Promise<CeleryEvent>;
  up: () => Promise<unknown>;
}> {
  const receiver = openEventReceiver(broker);
  await receiver.ready;
  onTestFinished(() => receiver[Symbol.asyncDispose]());
  const seen: CeleryEvent[] = [];
  receiver.events.on("event", (event) => seen.push(event));
  const until = async (fits: (event: CeleryEvent) => boolean): Promise<CeleryEvent> => {
    for (;;) {
      const event = seen.find(fits);
      if (event) return event;
      await once(receiver.events, "event");
    }
  };
  return { seen, until, up: () => once(receiver.events, "up") };
}

describe("task events", () => {
  test("given events sent in one turn, when they arrive, then they come in order, with a growing clock, on channels of 24 at most", async () => {
    const raw = openSubscriber(url);
    onTestFinished(() => raw[Symbol.asyncDispose]());
    const batches: number[] = [];
    raw.events.on("message", (channel, text) => {
      if (channel === "/20.celeryev/task.multi") batches.push([decodeBroadcast(text)?.body].flat().length);
    });
    await raw.subscribePattern("/20.celeryev/*");
    const { seen, until } = await listen();
    const events = aDispatcher();

    for (let i = 0; i < 30; i++) events.send("task-started", { uuid: `t${i}` });
    await until((event) => event.type === "task-started" && event.uuid === "t29");

    const clocks = seen.map((event) => event.clock);
    expect(clocks).toEqual([...clocks].sort((a, b) => a - b));
    expect(seen.flatMap((event) => (event.type === "task-started" ? [event.uuid] : []))).toEqual(
      Array.from({ length: 30 }, (_, i) => `t${i}`),
    );
    await expect.poll(() => batches).toEqual([24, 6]);
  });

  test("given a client that tells of a message it sent, when it arrives, then it comes by itself, as from Celery's clients", async () => {
    const raw = openSubscriber(url);
    onTestFinished(() => raw[Symbol.asyncDispose]() as Promise<void>);
    const channels: string[] = [];
    raw.events.on("message", (channel) => channels.push(channel));
    await raw.subscribePattern("/20.celeryev/*");
    const { until } = await listen();

    const task = {
      uuid: "t1",
      name: "tasks.add",
      args: "(2, 3)",
      kwargs: "{}",
      root_id: "t1",
      parent_id: null,
      retries: 0,
      eta: null,
      expires: null,
    };
    aDispatcher().send("task-sent", { ...task, queue: "celery", exchange: "", routing_key: "celery" });

    expect(await until((event) => event.type === "task-sent")).toMatchObject(task);
    await expect.poll(() => channels).toEqual(["/20.celeryev/task.sent"]);
  });

  test("given task events switched off, when a task event and a heartbeat are sent, then only the heartbeat arrives", async () => {
    const { seen, until } = await listen();
    const events = aDispatcher(url, false);

    events.send("task-started", { uuid: "unheard" });
    await events.flush();
    await startHeartbeat(events, idle)[Symbol.asyncDispose]();
    await until((event) => event.type === "worker-offline");

    expect(seen.map((event) => event.type)).toEqual(["worker-online", "worker-offline"]);
  });
});

describe("a worker's signs of life", () => {
  test("given a heartbeat, when it runs and ends, then online, heartbeats with the load of the moment, and offline arrive", async () => {
    const { seen, until } = await listen();
    let active = 0;
    const heart = startHeartbeat(aDispatcher(), {
      load: () => ({ active: active++, processed: 7 }),
      software,
      intervalSeconds: 0.05,
    });

    await until((event) => event.type === "worker-heartbeat" && event.active === 2);
    await heart[Symbol.asyncDispose]();
    await until((event) => event.type === "worker-offline");

    expect(seen[0]).toMatchObject({
      type: "worker-online",
      hostname: "w1@vm",
      pid: process.pid,
      freq: 0.05,
      processed: 7,
      sw_ident: "ts-celery",
    });
    expect(seen[0]).toHaveProperty("loadavg.length", 3);
    expect(seen.at(-1)?.type).toBe("worker-offline");
  });
});

describe("what else is on the channels", () => {
  test("given garbage and custom events, when they are published, then the typed events skip them and the raw ones tell of the custom event", async () => {
    const { seen, until } = await listen();
    const receiver = openEventReceiver(url);
    onTestFinished(() => receiver[Symbol.asyncDispose]());
    await receiver.ready;
    const custom = once(receiver.events, "raw");
    await using redis = openConnection(url);
    for (const text of ["", "{", '{"body": "bm8="}', "\u0000"])
      await redis.call("PUBLISH", "/20.celeryev/task.multi", text);

    const events = aDispatcher(url, false);
    events.sendCustom("payment-refused", { uuid: "t1", amount: 3 });
    await events.flush();
    aDispatcher().send("task-started", { uuid: "after" });
    await until((event) => event.type === "task-started" && event.uuid === "after");

    expect(seen).toHaveLength(1);
    expect((await custom)[0]).toMatchObject({ type: "payment-refused", amount: 3, hostname: "w1@vm" });
  });
});

describe("a broker that goes away", () => {
  test("given a broker killed and started again, when events were sent meanwhile, then they arrive, and the receiver listens again", async () => {
    const dir = await mkdtemp(join(tmpdir(), "celery-events-"));
    onTestFinished(() => rm(dir, { recursive: true, force: true }));
    const place = { port: await freePort(), dir };
    const first = await startRedisServer([], place);
    const broker = `${first.url}/0`;
    const events = aDispatcher(broker);
    const { until, up } = await listen(broker);
    events.send("task-started", { uuid: "before" });
    await until((event) => event.type === "task-started" && event.uuid === "before");

    await first.stop();
    events.send("task-started", { uuid: "while-away" });
    await events.flush();
    const again = up();
    const second = await startRedisServer([], place);
    onTestFinished(() => second.stop());
    await again;
    events.send("task-started", { uuid: "after" });

    await until((event) => event.type === "task-started" && event.uuid === "while-away");
    await until((event) => event.type === "task-started" && event.uuid === "after");
  });
});
