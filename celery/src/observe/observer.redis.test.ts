import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { freePort, startRedisServer } from "../../test/support/redis-server.ts";
import { redisUrl } from "../../test/support/redis-url.ts";
import { openEventDispatcher } from "../events/index.ts";
import { encodeResultMeta, type ResultMeta } from "../protocol/result-meta.ts";
import { openConnection, type RedisConnection } from "../redis/connection.ts";
import { bindingKey, bindingMember, deadLetterKey, ETA_INDEX, queueKey, resultKey } from "../redis/keys.ts";
import { type Observer, openObserver } from "./index.ts";

const url = `${redisUrl()}/22`;

let redis: RedisConnection;
beforeEach(async () => {
  redis = openConnection(url);
  onTestFinished(() => redis[Symbol.asyncDispose]() as Promise<void>);
  await redis.call("FLUSHDB");
});

const anObserver = (broker = url): Observer => {
  const observer = openObserver(broker);
  onTestFinished(() => observer[Symbol.asyncDispose]());
  return observer;
};

/** Every key with its serialized value. */
async function everything(): Promise<unknown> {
  const keys = ((await redis.call("KEYS", "*")) as string[]).sort();
  return Promise.all(keys.map(async (key) => [key, await redis.call("DUMP", key)]));
}

const aResult: ResultMeta = {
  taskId: "t1",
  status: "SUCCESS",
  result: 8,
  traceback: null,
  children: [],
  dateDone: "2026-11-21T10:00:00+00:00",
};

describe("counting", () => {
  test("given messages in all places, when a snapshot is taken, then each is counted where it lies, and nothing is changed", async () => {
    await redis.call("SADD", bindingKey("celery"), bindingMember("celery", "celery"));
    await redis.call("SADD", bindingKey("celery.pidbox"), bindingMember("", "w1@vm.celery.pidbox"));
    await redis.call("LPUSH", queueKey("celery", 0), "a", "b");
    await redis.call("LPUSH", queueKey("celery", 9), "c");
    await redis.call("LPUSH", "training", "d");
    await redis.call("HSET", "unacked", "x", "1", "y", "2");
    await redis.call("ZADD", ETA_INDEX, "7", "y");
    await redis.call("LPUSH", deadLetterKey("celery"), "e");
    const before = await everything();

    const snapshot = await anObserver().snapshot(["training", "empty"]);

    expect(snapshot).toEqual({
      queues: { training: 1, empty: 0, celery: 3 },
      unacked: 2,
      scheduled: 1,
      dead: 1,
      knownQueues: ["celery"],
    });
    expect(await everything()).toEqual(before);
  });

  test("given something else under a queue's name, when a snapshot is taken, then it counts as nothing and the rest is counted", async () => {
    await redis.call("SET", "celery", "oops");
    await redis.call("LPUSH", "training", "d");

    expect((await anObserver().snapshot(["celery", "training"])).queues).toEqual({ celery: 0, training: 1 });
  });

  test("given keys of all kinds, when asked for them, then values, lengths and names come out, and null for what is not there", async () => {
    await redis.call("SET", "greeting", "hi");
    await redis.call("LPUSH", "greetings", "hi", "ho");
    const observer = anObserver();

    expect(
      await Promise.all([observer.get("greeting"), observer.get("greetings"), observer.get("nothing")]),
    ).toEqual(["hi", null, null]);
    expect(
      await Promise.all([observer.llen("greetings"), observer.llen("greeting"), observer.llen("nothing")]),
    ).toEqual([2, 0, 0]);
    expect(await Promise.all([observer.exists("greeting"), observer.exists("nothing")])).toEqual([
      true,
      false,
    ]);
    expect(await observer.keys("greet*")).toEqual(["greeting", "greetings"]);
  });
});

describe("listening", () => {
  test("given an event and a result, when they are published, then both are told, and the queue of a sent task becomes known", async () => {
    const observer = anObserver();
    await once(observer, "up");
    const [event, result] = [once(observer, "event"), once(observer, "result")];
    const events = openEventDispatcher(url, { hostname: "gen1@vm", taskEvents: true });
    onTestFinished(() => events[Symbol.asyncDispose]());

    const sent = {
      uuid: "t1",
      name: "tasks.add",
      args: "(4, 4)",
      kwargs: "{}",
      root_id: "t1",
      parent_id: null,
      retries: 0,
      eta: null,
      expires: null,
    };
    events.send("task-sent", { ...sent, queue: "priority", exchange: "", routing_key: "priority" });
    expect(await event).toMatchObject([{ type: "task-sent", uuid: "t1" }]);
    const publish = async (): Promise<void> => {
      await redis.call("PUBLISH", resultKey("t1"), "no result");
      await redis.call("PUBLISH", resultKey("t1"), encodeResultMeta(aResult));
    };
    await publish();

    expect(await result).toEqual([aResult]);
    expect((await observer.snapshot()).knownQueues).toEqual(["priority"]);
  });

  test("given a Redis that is not there yet, when it starts, then the observer tells both, and listens", async () => {
    const dir = await mkdtemp(join(tmpdir(), "celery-observe-"));
    onTestFinished(() => rm(dir, { recursive: true, force: true }));
    const place = { port: await freePort(), dir };
    const observer = anObserver(`redis://127.0.0.1:${place.port}/0`);
    await once(observer, "down");
    await expect(observer.snapshot()).rejects.toThrow(/Cannot connect to Redis/);

    const up = once(observer, "up");
    const server = await startRedisServer([], place);
    onTestFinished(() => server.stop());

    await up;
    expect(await observer.snapshot(["celery"])).toMatchObject({ queues: { celery: 0 } });
  });
});
