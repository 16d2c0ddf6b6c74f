import { hostname } from "node:os";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { openConnection } from "../../src/redis/connection.ts";
import { redisUrl } from "../support/redis-url.ts";
import { until } from "../support/until.ts";
import { startCelery, type WorkerProcess } from "../support/worker-process.ts";
import { proves } from "./compat.ts";
import { PythonClient, type PythonProcess, startPythonWorker } from "./python-celery.ts";

// Each starts processes of Python, which on a busy machine takes its time.
vi.setConfig({ testTimeout: 120_000 });

/** Real Celery at the controls; our worker, and beside it one of Python. */
const url = `${redisUrl()}/51`;
const ours = `ts@${hostname()}`;
const theirs = `py@${hostname()}`;

let worker: WorkerProcess;
let pythonWorker: PythonProcess;
let python: PythonClient;

type Answers = Readonly<Record<string, { ok?: string; error?: string } & Readonly<Record<string, unknown>>>>;

function startOurs(name: string, ...args: readonly string[]): WorkerProcess {
  const env = { REDIS_URL: url, WORKER_DIRECT: name === "second" ? "1" : "0" };
  return startCelery({
    args: ["-A", "worker-app", "worker", "-l", "info", "-n", `${name}@%h`, ...args],
    cwd: import.meta.dirname,
    env,
  });
}

/** What a node answers to a command of Python's `app.control`; undefined when it does not. */
async function ask(
  method: string,
  args: object,
  node: string,
  timeout: number,
): Promise<Answers[string] | undefined> {
  const question = { command: "control", method, arguments: args, destination: [node], timeout };
  return (await python.ask<Answers>(question))[node];
}

async function control(method: string, args: object = {}, node: string = ours): Promise<Answers[string]> {
  const answer = await ask(method, args, node, 10);
  if (answer === undefined) throw new Error(`${node} did not answer ${method}`);
  return answer;
}

async function whenStarted(id: string): Promise<void> {
  await until(
    async () => (await python.ask<{ status: string }>({ command: "meta", id })).status === "STARTED",
  );
}

/** Sends it to the queue that only our worker consumes. */
function send(task: string, more: object = {}): Promise<string> {
  return python.send(task, [], { queue: "ts", ...more });
}

beforeAll(async () => {
  await using redis = openConnection(url);
  await redis.call("FLUSHDB");
  worker = startOurs("ts", "-c", "2", "-Q", "ts");
  [python, pythonWorker] = await Promise.all([
    PythonClient.open(url, "controller.py"),
    startPythonWorker(url, ["-P", "solo", "-Q", "py"]),
    worker.line(/ready\./),
  ]);
}, 360_000);

afterAll(async () => {
  await python?.[Symbol.asyncDispose]();
  await pythonWorker?.[Symbol.asyncDispose]();
  await worker?.[Symbol.asyncDispose]();
});

describe("revoke", () => {
  test.each([
    ["interop.hold", "SIGTERM"],
    ["interop.hold_late", "SIGKILL"],
  ])(
    "given %s running here, when Python revokes it with %s, then its process ends and the result says so",
    async (task, signal) => {
      proves("Remote control", "revoke with terminate", "python → ours");
      const id = await send(task);
      await whenStarted(id);

      await python.ask({ command: "revoke", id, terminate: true, signal });

      expect(await python.get(id)).toMatchObject({
        state: "REVOKED",
        error: "TaskRevokedError",
        args: ["terminated"],
      });
      await worker.line(new RegExp(`Terminating ${id} \\(${signal === "SIGTERM" ? 15 : 9}\\)`));
      expect(await python.get(await send("interop.add", { args: [1, 2] }))).toMatchObject({ value: 3 });
    },
  );

  test("given a task with an ETA, when Python revokes it, then the result says so at once, and when it is due it is discarded", async () => {
    proves("Remote control", "revoke", "python → ours");
    const id = await send("interop.hold", { countdown: 2 });
    await worker.line(new RegExp(`${id}\\] received`));
    expect(await control("scheduled")).toEqual([
      expect.objectContaining({ request: expect.objectContaining({ id, name: "interop.hold" }) }),
    ]);

    await python.ask({ command: "revoke", id });

    expect(await python.get(id)).toMatchObject({ state: "REVOKED", args: ["revoked"] });
    await worker.line(new RegExp(`Discarding revoked task: interop.hold\\[${id}\\]`));
    expect(await python.get(id)).toMatchObject({ state: "REVOKED" });
  });

  test("given a revoked stamp, when a task comes that carries it, then it is discarded, and others run", async () => {
    proves("Remote control", "revoke by stamped headers", "python → ours");
    await python.ask({ command: "revoke_by_stamped_headers", headers: { tenant: ["acme"] } });
    const stamped = { stamped_headers: ["tenant"], tenant: "acme" };

    const id = await send("interop.hold", stamped);
    const other = await send("interop.stamp", { ...stamped, tenant: "globex" });

    expect(await python.get(id)).toMatchObject({ state: "REVOKED" });
    await worker.line(new RegExp(`\\[${id}\\] \\(revoked by header: {'tenant': 'acme'}\\)`));
    expect(await python.get(other)).toMatchObject({ state: "SUCCESS" });
  });

  test("given both kinds of worker, when Python revokes once, then both have heard it", async () => {
    proves("Remote control", "revoke", "mixed");
    await python.ask({ command: "revoke", id: "told-to-all" });

    await until(async () => {
      const lists = await Promise.all([ours, theirs].map((node) => nodeRevokes(node)));
      return lists.every((ids) => ids.includes("told-to-all"));
    });
  });
});

/** None of a node that does not answer: Python's says that it is ready a moment before it listens. */
async function nodeRevokes(node: string): Promise<readonly string[]> {
  return ((await ask("revoked", {}, node, 1)) ?? []) as unknown as readonly string[];
}

describe("limits", () => {
  test("given a rate limit set by Python, when tasks come at once, then they start evenly; without it, at once", async () => {
    proves("Remote control", "rate_limit", "python → ours");
    const task = "interop.stamp";
    expect(await control("rate_limit", { task_name: task, rate_limit: "5/s" })).toEqual({
      ok: "new rate limit set successfully",
    });

    const ids = [await send(task), await send(task), await send(task), await send(task)];
    const starts: number[] = [];
    for (const id of ids) starts.push(Number((await python.get(id)).value));

    const gaps = starts.slice(1).map((at, index) => at - (starts[index] ?? 0));
    expect(Math.min(...gaps)).toBeGreaterThan(0.15);
    expect(Math.max(...gaps)).toBeLessThan(0.6);
    expect(await control("rate_limit", { task_name: task, rate_limit: 0 })).toEqual({
      ok: "rate limit disabled successfully",
    });
  });

  test("given time limits set by Python, when a task runs longer, then it is killed; a limit of its own wins", async () => {
    proves("Remote control", "time_limit", "python → ours");
    const limits = { task_name: "interop.hold", hard: 0.5 };
    expect(await control("time_limit", limits)).toEqual({ ok: "time limits set successfully" });

    expect(await python.get(await send("interop.hold"))).toMatchObject({
      error: "TimeLimitExceeded",
      args: [0.5],
    });
    await control("time_limit", { task_name: "interop.hold" });
    expect(await python.get(await send("interop.hold", { time_limit: 1 }))).toMatchObject({ args: [1] });
  });
});

describe("queues and pool", () => {
  test("given a queue added by Python, when a task is sent there, then it runs; after the queue was cancelled, it waits", async () => {
    proves("Remote control", "add_consumer and cancel_consumer", "python → ours");
    expect(await control("add_consumer", { queue: "extra" })).toEqual({ ok: "add consumer extra" });
    await worker.line(/Started consuming from extra/);
    expect(await python.get(await send("interop.add", { args: [2, 2], queue: "extra" }))).toMatchObject({
      value: 4,
    });
    const names = ((await control("active_queues")) as unknown as readonly { name: string }[]).map(
      ({ name }) => name,
    );
    expect(names).toEqual(["extra", "ts"]);

    expect(await control("cancel_consumer", { queue: "extra" })).toEqual({
      ok: "no longer consuming from extra",
    });
    await worker.line(/Canceling queue extra/);
    const waiting = await send("interop.add", { args: [2, 3], queue: "extra" });
    expect(await python.get(await send("interop.add", { args: [1, 1] }))).toMatchObject({ value: 2 });
    expect(await python.ask({ command: "meta", id: waiting })).toMatchObject({ status: "PENDING" });
  });

  test("given pool_grow, pool_shrink and pool_restart by Python, when stats are asked for, then they show it", async () => {
    proves("Remote control", "pool_grow, pool_shrink, pool_restart", "python → ours");
    const processes = async (): Promise<readonly number[]> =>
      ((await control("stats")) as unknown as { pool: { processes: number[] } }).pool.processes;
    expect(await control("pool_grow", { n: 1 })).toEqual({ ok: "pool will grow" });
    await until(async () => (await processes()).length === 3);
    expect(await control("pool_shrink", { n: 1 })).toEqual({ ok: "pool will shrink" });
    await until(async () => (await processes()).length === 2);
    const before = await processes();

    expect(await control("pool_restart")).toEqual({ ok: "reload started" });

    await until(async () => (await processes()).every((pid) => !before.includes(pid)));
    expect(await python.get(await send("interop.add", { args: [3, 3] }))).toMatchObject({ value: 6 });
    expect((await control("autoscale", { max: 4, min: 2 })).error).toBe(
      "ValueError('Autoscale not enabled')",
    );
  });
});

describe("neighbors", () => {
  test("given ids revoked at one worker only, when another starts, then it has learned them: ours from Python's, and the other way round", async () => {
    proves("Remote control", "mingle", "mixed");
    await python.ask({ command: "revoke", id: "known-to-python", destination: [theirs] });
    await python.ask({ command: "revoke", id: "known-to-us", destination: [ours] });
    await until(async () => (await nodeRevokes(theirs)).includes("known-to-python"));
    await until(async () => (await nodeRevokes(ours)).includes("known-to-us"));

    await using second = startOurs("second", "-P", "async", "-Q", "second", "--autoscale=3,1");
    await second.line(/mingle: sync with 2 nodes/);
    await second.line(/ready\./);

    await worker.line(new RegExp(`sync with second@${hostname()}`));
    await pythonWorker.line(new RegExp(`sync with second@${hostname()}`));
    expect(await nodeRevokes(`second@${hostname()}`)).toEqual(
      expect.arrayContaining(["known-to-python", "known-to-us"]),
    );
    await expectDirect(`second@${hostname()}`);
    await expectAutoscale(`second@${hostname()}`);
    await expectShutdown(second, `second@${hostname()}`);
  });

  test("given ids revoked at ours, when a worker of Python starts, then it has learned them", async () => {
    proves("Remote control", "mingle", "python → ours");
    await using late = await startPythonWorker(url, ["-P", "solo", "-Q", "late", "-n", "late@%h"]);

    await late.line(/mingle: sync with 2 nodes/);

    await until(async () => (await nodeRevokes(`late@${hostname()}`)).includes("known-to-us"));
  });
});

async function expectDirect(node: string): Promise<void> {
  proves("Routing", "worker_direct", "python → ours");
  const id = await python.ask<string>({ command: "send_direct", node, task: "interop.add", args: [4, 5] });
  expect(await python.get(id)).toMatchObject({ value: 9 });
}

async function expectAutoscale(node: string): Promise<void> {
  proves("Remote control", "autoscale", "python → ours");
  expect(await control("autoscale", { max: 5, min: 2 }, node)).toEqual({ ok: "autoscale now max=5 min=2" });
  expect(await control("stats", {}, node)).toMatchObject({
    pool: { "max-concurrency": 2 },
    autoscaler: { max: 5, min: 2, current: 2 },
  });
  expect((await control("pool_grow", {}, node)).error).toContain("not supported with autoscale");
}

async function expectShutdown(process: WorkerProcess, node: string): Promise<void> {
  proves("Remote control", "shutdown", "python → ours");
  await python.ask({ command: "control", method: "shutdown", destination: [node], timeout: 0.2 });
  await process.line(/Got shutdown from remote/);
  expect(await process.exited).toBe(0);
}
