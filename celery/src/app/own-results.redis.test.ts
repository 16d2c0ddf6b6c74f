import { afterEach, beforeEach, expect, test } from "vitest";
import { redisUrl } from "../../test/support/redis-url.ts";
import { openTestBroker, type TestBroker } from "../../test/support/test-broker.ts";
import { startTestWorker, type TestWorker } from "../../test/support/test-worker.ts";
import { Celery } from "./celery.ts";
import type { Task } from "./types.ts";

const url = `${redisUrl()}/44`;
let broker: TestBroker;
let app: Celery;
let worker: TestWorker;
let add: Task<[number, number], number>;

beforeEach(async () => {
  broker = await openTestBroker(url);
  // The worker's own app reads and listens for itself.
  const working = new Celery("working", { broker: url, backend: url });
  working.task("tasks.add", (x: number, y: number) => x + y);
  working.task("tasks.sum", (numbers: number[]) => numbers.reduce((sum, n) => sum + n, 0));
  app = broker.app;
  add = app.task("tasks.add", (x: number, y: number) => x + y);
  worker = await startTestWorker(working);
  expect(await (await add.delay(0, 0)).get({ timeout: 20 })).toBe(0);
});
afterEach(async () => {
  await worker[Symbol.asyncDispose]();
  await broker[Symbol.asyncDispose]();
});

/** What clients do to wait; the lanes of batches are read with GET, too. */
async function waitingCommands(): Promise<number> {
  const info = String(await broker.redis.call("INFO", "commandstats"));
  return ["mget", "subscribe", "unsubscribe", "psubscribe", "punsubscribe"]
    .map((name) => Number(new RegExp(`cmdstat_${name}:calls=(\\d+)`).exec(info)?.[1] ?? 0))
    .reduce((sum, calls) => sum + calls, 0);
}

test("given an app that has waited before, when it sends a group of hundreds and a chain, then no command is there to wait for them", async () => {
  const { group, chain } = await import("./canvas/primitives.ts");
  const before = await waitingCommands();
  const many = await group(Array.from({ length: 300 }, (_, n) => add.s(n, 1))).delay();
  expect(await many.get({ timeout: 60 })).toEqual(Array.from({ length: 300 }, (_, n) => n + 1));
  expect(await (await chain(add.s(1, 1), add.s(2), add.s(3)).delay()).get({ timeout: 20 })).toBe(7);
  expect(await waitingCommands()).toBe(before);
  expect(await broker.redis.call("PUBSUB", "NUMPAT")).toBe(1);
});

test("given ids of one app, then they begin alike, and those of another app differently", async () => {
  const ids = [(await add.delay(1, 1)).id, (await add.delay(1, 1)).id, add.s(1, 1).freeze().id];
  expect(new Set(ids.map((id) => id.slice(0, 14))).size).toBe(1);
  expect(new Set(ids).size).toBe(3);
  const other = new Celery("other", { broker: url });
  expect(other.newTaskId().slice(0, 14)).not.toBe(ids[0]?.slice(0, 14));
});

test("given an id whose result is stored already, when a task is sent under it again, then that result is what get returns", async () => {
  const first = await add.delay(1, 1);
  expect(await first.get({ timeout: 20 })).toBe(2);
  // A stored success is never overwritten, and not published again.
  const again = await add.applyAsync([5, 5], { taskId: first.id });
  expect(await again.get({ timeout: 20 })).toBe(2);
  const frozen = add.s(2, 2);
  const receipt = frozen.freeze();
  await frozen.delay();
  expect(await receipt.get({ timeout: 20 })).toBe(4);
  expect(await (await frozen.delay()).get({ timeout: 20 })).toBe(4);
});

test("given results that come while nobody waits, when they are asked for later, twice and by id alone, then they are there", async () => {
  const sent = await Promise.all(Array.from({ length: 50 }, (_, n) => add.delay(n, n)));
  await (await add.delay(0, 0)).get({ timeout: 20 });
  for (const [n, result] of sent.entries()) {
    expect(await result.get({ timeout: 20 })).toBe(2 * n);
    expect(await result.get({ timeout: 20 })).toBe(2 * n);
    expect(await app.AsyncResult(result.id).get({ timeout: 20 })).toBe(2 * n);
  }
});

test("given a task that keeps no result, when it is waited for, then the wait ends at its limit", async () => {
  const silent = await add.applyAsync([1, 1], { ignoreResult: true });
  await expect(silent.get({ timeout: 0.2 })).rejects.toThrow(/did not end within 0.2 seconds/);
});

test("given an app that was closed, when a receipt of before is asked, then it is answered by the app's new connections", async () => {
  const sent = await add.delay(3, 4);
  await (await add.delay(0, 0)).get({ timeout: 20 });
  await app.close();
  await (await add.delay(0, 0)).get({ timeout: 20 });
  expect(await sent.get({ timeout: 20 })).toBe(7);
});
