import { once } from "node:events";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { startEmulatedRedis } from "../../test/support/emulated-redis.ts";
import { askWorkers, openMailbox } from "../control/index.ts";
import { openEventDispatcher } from "../events/index.ts";
import { openBeatLock } from "../redis/lock.ts";
import { LamportClock } from "../runtime/lamport-clock.ts";
import { silentLog } from "../runtime/log.ts";
import { openObserver } from "./index.ts";

/** What the playground needs beside queues when no redis-server is there: the same on the emulator. */
let emulator: Awaited<ReturnType<typeof startEmulatedRedis>>;
let url: string;
beforeAll(async () => {
  emulator = await startEmulatedRedis();
  url = `${emulator.url}/0`;
});
afterAll(() => emulator?.[Symbol.asyncDispose]() as Promise<void>);

test("given the emulator, when a node is asked, then it answers, and nothing stays behind", async () => {
  const lamport = new LamportClock();
  const mailbox = await openMailbox(url, {
    nodeName: "w1@vm",
    commands: { ping: () => ({ ok: "pong" }) },
    lamport,
    log: silentLog,
  });
  await using observer = openObserver(url);

  expect(await askWorkers(url, "ping", { timeoutSeconds: 20, destination: ["w1@vm"] })).toEqual(
    new Map([["w1@vm", { ok: "pong" }]]),
  );
  await mailbox[Symbol.asyncDispose]();

  expect(await observer.keys("*")).toEqual([]);
});

test("given the emulator, when an event is sent, then the observer hears it", async () => {
  await using observer = openObserver(url);
  await once(observer, "up");
  const heard = once(observer, "event");
  const events = openEventDispatcher(url, { hostname: "w1@vm", taskEvents: true });
  onTestFinished(() => events[Symbol.asyncDispose]());

  events.send("task-started", { uuid: "t1" });

  expect(await heard).toMatchObject([{ type: "task-started", uuid: "t1" }]);
});

test("given the emulator, when two Beats want the lock, then one has it and each due time is sent once", async () => {
  await using a = openBeatLock(url, { holder: "a", ttlMs: 60_000 });
  await using b = openBeatLock(url, { holder: "b", ttlMs: 60_000 });
  await using observer = openObserver(url);
  const due = { entry: "tick", dueAtMs: 1000, sentAtMs: 1500 };
  const message = { queue: "celery", raw: "m", priority: 0 };

  expect(await a.acquire()).toEqual({ won: true });
  expect(await b.acquire()).toMatchObject({ won: false, holder: "a" });
  expect(await b.publish(due, message)).toEqual({ outcome: "fenced", holder: "a" });
  expect(await a.publish(due, message)).toEqual({ outcome: "sent" });
  expect(await a.publish(due, message)).toEqual({ outcome: "duplicate", sentAtMs: 1500 });
  expect(await a.lastSent()).toEqual(new Map([["tick", 1500]]));
  expect(await observer.snapshot()).toMatchObject({ queues: { celery: 1 }, knownQueues: ["celery"] });
  await a.release();
  expect(await b.acquire()).toEqual({ won: true });
});
