import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { redisUrl } from "../../test/support/redis-url.ts";
import { openTestBroker, type TestBroker } from "../../test/support/test-broker.ts";
import { startCelery, type WorkerProcess } from "../../test/support/worker-process.ts";
import { chain, chord } from "../app/canvas/primitives.ts";
import type { Signature } from "../app/canvas/signature.ts";

vi.setConfig({ testTimeout: 60_000 });

const url = `${redisUrl()}/45`;
const APPS = new URL("../../test/support/apps", import.meta.url).pathname;

let broker: TestBroker;
let worker: WorkerProcess;

beforeAll(async () => {
  broker = await openTestBroker(url);
  const args = ["-A", "canvas-app", "worker", "-l", "info", "-c", "2"];
  worker = startCelery({ args, cwd: APPS, env: { REDIS_URL: url } });
  await worker.line(/ ready\.$/);
}, 60_000);

afterAll(async () => {
  await worker?.[Symbol.asyncDispose]();
  await broker?.[Symbol.asyncDispose]();
});

const s = <R = number>(name: string, ...args: unknown[]): Signature<R> =>
  broker.app.signature<R>(`flow.${name}`, args);

test("given a pool process, when a task is replaced by a group in it, then its chain goes on with their results", async () => {
  const result = await chain(s("replaced", 10), s("sum")).delay();
  expect(await result.get({ timeout: 20 })).toBe(23);
});

test("given a pool process, when a part is added to the chord in it, then the body waits for that part, too", async () => {
  const result = await chord([s("grow", 1), s("add", 1, 1)], s("sum")).delay();
  expect(await result.get({ timeout: 20 })).toBe(104);
});

test("given a pool process, when a task in it sends others, then they are its children", async () => {
  const result = await s<string>("parent").delay();
  expect(await result.getLeaf({ timeout: 20 })).toBe(6);
  expect((await result.children())?.length).toBe(2);
});

test("given a pool process, when a task in it fails, then the errback that takes the error is called there", async () => {
  const result = await s("fail").linkError(s("on_failure")).delay();
  await expect(result.get({ timeout: 20 })).rejects.toThrow(/no/);
  const line = await worker.line(new RegExp(`errback of ${result.id}`));
  expect(line).toContain("TypeError no, Traceback (most recent call last):");
});

test("given a pool process, when a task in it asks for its place, then it is told, and dates stay dates", async () => {
  const when = new Date(0);
  const told = s<Record<string, unknown>>("tell", when).link(s("add", 1)).linkError(s("on_failure", when));
  const body = s<Record<string, unknown>[]>("add", []).stamp({ tenant: "a" });
  const result = await chord(
    [chain(told.stamp({ tenant: "a" }), s("add", "x")), s("add", 1, 1)],
    body,
  ).delay();
  const [first] = (result.parent as unknown as { results: { parent: { get(): Promise<unknown> } }[] })
    .results;
  expect(await first?.parent.get()).toMatchObject({
    groupId: null,
    groupIndex: null,
    chord: null,
    chain: [{ task: "flow.add", options: { group_index: 0 } }],
    callbacks: [{ task: "flow.add" }],
    errbacks: [{ task: "flow.on_failure" }],
    stamps: { tenant: "a" },
    isDate: true,
  });
});

test("given a part whose process dies, when the worker sees it, then the chord fails, and its errback is called by the worker", async () => {
  const body = s("sum").linkError(s("on_failure"));
  const result = await chord([s("die"), s("add", 1, 1)], body).delay();
  await expect(broker.app.AsyncResult(result.id).get({ timeout: 20 })).rejects.toThrow(
    /ChordError: Dependency .* raised WorkerLostError/,
  );
  expect(await worker.line(new RegExp(`errback of ${result.id}`))).toContain("ChordError: Dependency");
});

test("given a bound task, when it is replaced by a map of itself, then each item was run", async () => {
  const result = await s<number[]>("twice", [1, 2, 3]).delay();
  expect(await result.get({ timeout: 20 })).toEqual([2, 4, 6]);
});
