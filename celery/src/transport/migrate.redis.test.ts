import { beforeEach, describe, expect, test } from "vitest";
import { redisUrl } from "../../test/support/redis-url.ts";
import { openConnection } from "../redis/connection.ts";
import { migratingKey, queueKey } from "../redis/keys.ts";
import { type MigrateOptions, migrateMessages } from "./migrate.ts";

const [source, destination] = [`${redisUrl()}/78`, `${redisUrl()}/79`];
const never = new AbortController().signal;

/** What a sender would have pushed, spaces and all: it must arrive as it is. */
const aMessage = (task: string, id: string): string =>
  `{"body": "W1tdLHt9LHt9XQ==",  "headers": {"task": "${task}", "id": "${id}"}, "properties": {"x": "ü"}}`;

async function fill(list: string, ...messages: readonly string[]): Promise<void> {
  await using redis = openConnection(source);
  for (const message of messages) await redis.call("LPUSH", list, message);
}

async function keysOf(url: string): Promise<Record<string, readonly string[]>> {
  await using redis = openConnection(url);
  const lists: Record<string, readonly string[]> = {};
  for (const key of (await redis.call("KEYS", "*")) as string[])
    if (!key.startsWith("_kombu") && !key.startsWith("ts1:bind"))
      lists[key] = ((await redis.call("LRANGE", key, 0, -1)) as string[]).toReversed();
  return lists;
}

async function migrate(options: Partial<MigrateOptions>): Promise<readonly string[]> {
  const told: string[] = [];
  const onTask: MigrateOptions["onTask"] = ({ name, id, count }) => told.push(`${count} ${name} ${id}`);
  const all = { queues: new Map([["celery", "celery"]]), move: true, onTask, ...options };
  const count = await migrateMessages(source, destination, all, never);
  expect(count).toBe(told.length);
  return told;
}

beforeEach(async () => {
  for (const url of [source, destination]) {
    await using redis = openConnection(url);
    await redis.call("FLUSHDB");
  }
});

describe("messages carried to another broker", () => {
  test("given messages of two priorities, when moved, then they are there unchanged and in order, and bound", async () => {
    const [a, b, urgent] = [aMessage("t.a", "1"), aMessage("t.b", "2"), aMessage("t.c", "3")];
    await fill("celery", a, b, a);
    await fill(queueKey("celery", 3), urgent);

    expect(await migrate({})).toEqual(["1 t.a 1", "2 t.b 2", "3 t.a 1", "4 t.c 3"]);

    expect(await keysOf(source)).toEqual({});
    expect(await keysOf(destination)).toEqual({ celery: [a, b, a], [queueKey("celery", 3)]: [urgent] });
    await using redis = openConnection(destination);
    expect(await redis.call("SMEMBERS", "_kombu.binding.celery")).toEqual([
      "celery\u0006\u0016\u0006\u0016celery",
    ]);
  });

  test("given more messages than are read at once, when copied, then each is there once, and still in the source", async () => {
    const messages = Array.from({ length: 250 }, (_, i) => aMessage("t.a", String(i)));
    await fill("celery", ...messages);

    await migrate({ move: false });

    expect(await keysOf(source)).toEqual({ celery: messages });
    expect(await keysOf(destination)).toEqual({ celery: messages });
  });

  test("given names, a limit and another name for the queue, when moved, then only those go, to that queue", async () => {
    const messages = Array.from({ length: 120 }, (_, i) => aMessage(i % 2 ? "t.odd" : "t.even", String(i)));
    await fill("celery", "no message at all", ...messages);

    const told = await migrate({
      tasks: new Set(["t.odd"]),
      limit: 55,
      queues: new Map([["celery", "other"]]),
    });

    expect(told).toHaveLength(55);
    const odd = messages.filter((message) => message.includes("t.odd"));
    expect(await keysOf(destination)).toEqual({ other: odd.slice(0, 55) });
    expect((await keysOf(source))["celery"]).toEqual([
      "no message at all",
      ...messages.filter((message) => !odd.slice(0, 55).includes(message)),
    ]);
  });

  test("given what an interrupted run had under way, when moved again, then that arrives too", async () => {
    const [lost, waiting] = [aMessage("t.a", "lost"), aMessage("t.a", "waiting")];
    await fill(migratingKey("celery"), lost);
    await fill("celery", waiting);

    expect(await migrate({})).toEqual(["1 t.a lost", "2 t.a waiting"]);
    expect(await keysOf(source)).toEqual({});
  });
});
