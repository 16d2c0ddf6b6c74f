import { hostname } from "node:os";
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { Celery } from "../../src/app/celery.ts";
import { askWorkers } from "../../src/control/index.ts";
import { type CeleryEvent, openEventReceiver } from "../../src/events/index.ts";
import type { ResultMeta } from "../../src/protocol/result-meta.ts";
import { openConnection } from "../../src/redis/connection.ts";
import { redisUrl } from "../support/redis-url.ts";
import { until } from "../support/until.ts";
import { startCelery } from "../support/worker-process.ts";
import { proves } from "./compat.ts";
import { PythonClient, type PythonProcess, startPythonWorker } from "./python-celery.ts";

// Each starts processes of Python, which on a busy machine takes its time.
vi.setConfig({ testTimeout: 120_000 });

/** Our client, and a worker of real Celery. */
const base = redisUrl();

async function anEmptyDatabase(db: number): Promise<string> {
  await using redis = openConnection(`${base}/${db}`);
  await redis.call("FLUSHDB");
  return `${base}/${db}`;
}

const aClient = (url: string): Celery => new Celery("client", { broker: url, backend: url });

describe.each([
  { pool: "solo", db: 25, args: ["-P", "solo"] },
  { pool: "prefork", db: 26, args: ["-P", "prefork", "-c", "2"] },
])("a real Celery worker with the $pool pool", ({ db, args }) => {
  let worker: PythonProcess;
  let app: Celery;

  beforeAll(async () => {
    const url = await anEmptyDatabase(db);
    app = aClient(url);
    worker = await startPythonWorker(url, args);
  }, 360_000);

  afterAll(async () => {
    await app?.close();
    await worker?.[Symbol.asyncDispose]();
  });

  test.each([
    ["whole numbers", [2, 3], 5],
    ["floats", [0.1, 0.2], 0.30000000000000004],
    ["text beyond ASCII", ["żółć ", "🥕"], "żółć 🥕"],
  ])("given %s sent by us, when Python adds them, then we read the sum", async (_what, values, sum) => {
    proves("Values", "numbers and text", "ours → python");
    proves("Calling", "arguments by position", "ours → python");
    expect(await (await app.sendTask("interop.add", values)).get({ timeout: 20 })).toBe(sum);
  });

  test("given values of all kinds sent by us, when Python echoes them, then each comes back unchanged", async () => {
    proves("Values", "null, lists, objects, nested", "ours → python");
    proves("Values", "whole numbers beyond 2^53", "ours → python");
    proves("Values", "dates and times", "ours → python");
    proves("Values", "bytes", "ours → python");
    const values = [
      null,
      [],
      {},
      { a: [{ b: [1, 2.5, "ü", null, true, { c: {} }] }] },
      9007199254740993n,
      new Date("2026-11-21T10:00:00.123Z"),
      new Uint8Array([0, 127, 128, 255]),
    ];

    const results = await Promise.all(values.map((value) => app.sendTask("interop.echo", [value])));

    expect(await Promise.all(results.map((result) => result.get({ timeout: 20 })))).toEqual(values);
  });

  test("given keyword arguments, when Python runs the task, then it has them under their names", async () => {
    proves("Calling", "keyword arguments", "ours → python");
    const result = await app.sendTask("interop.describe", [1], { kwargs: { x: 3 } });

    expect(await result.get({ timeout: 20 })).toMatchObject({
      id: result.id,
      args: [1],
      kwargs: { x: 3 },
      root_id: result.id,
      parent_id: null,
    });
  });

  test("given a ValueError in Python, when we ask for the result, then it is thrown here with its type, its words and its traceback", async () => {
    proves("Results", "errors with type, message and traceback", "ours → python");
    const result = await app.sendTask("interop.fail", ["no such table: żółć"]);

    await expect(result.get({ timeout: 20 })).rejects.toMatchObject({
      name: "TaskError",
      excType: "ValueError",
      excMessage: ["no such table: żółć"],
      excModule: "builtins",
      traceback: expect.stringMatching(
        /Traceback[\s\S]*interop_app\.py[\s\S]*ValueError: no such table/,
      ) as string,
    });
    expect(await result.state()).toBe("FAILURE");
  });

  test("given an error class that only Python has, when we ask, then its name and all its arguments are here", async () => {
    proves("Results", "error classes the other side does not have", "ours → python");
    const result = await app.sendTask("interop.refuse", ["card expired", 402]);

    await expect(result.get({ timeout: 20 })).rejects.toMatchObject({
      excType: "PaymentRefused",
      excMessage: ["card expired", 402],
    });
  });

  test("given a task that Python retries twice, when we watch, then we see STARTED and RETRY on the way to the result", async () => {
    proves("Running", "retry with countdown", "ours → python");
    proves("Results", "states on the way (STARTED, RETRY)", "ours → python");
    const seen: ResultMeta[] = [];
    const result = await app.sendTask("interop.flaky", [2]);

    expect(await result.get({ timeout: 20, onMessage: (meta) => seen.push(meta) })).toBe(2);
    expect(seen.map(({ status }) => status)).toEqual(expect.arrayContaining(["STARTED", "RETRY", "SUCCESS"]));
    expect(seen.find(({ status }) => status === "RETRY")?.result).toMatchObject({
      excType: "KeyError",
      excMessage: ["missing"],
    });
  });

  test("given a countdown of ours, when Python gets the message, then it waits that long", async () => {
    proves("Calling", "countdown and eta", "ours → python");
    const sent = performance.now();

    expect(await (await app.sendTask("interop.add", [1, 1], { countdown: 1 })).get({ timeout: 20 })).toBe(2);
    expect(performance.now() - sent).toBeGreaterThan(950);
  });

  test("given a Python worker, when we ask who is there, then it answers", async () => {
    proves("Remote control", "ping", "ours → python");
    const node = `py@${hostname()}`;

    expect(await askWorkers(app.brokerUrl, "ping", { timeoutSeconds: 10, destination: [node] })).toEqual(
      new Map([[node, { ok: "pong" }]]),
    );
  });

  test("given a task in Python, when our receiver listens, then it sees the whole of its life", async () => {
    proves("Events", "task events and worker heartbeats", "ours → python");
    await using receiver = openEventReceiver(app.brokerUrl);
    await receiver.ready;
    const seen: CeleryEvent[] = [];
    receiver.events.on("event", (event) => seen.push(event));

    const { id } = await app.sendTask("interop.add", [4, 4]);
    const life = (): string[] =>
      seen.filter((event) => "uuid" in event && event.uuid === id).map((event) => event.type);
    await until(() => life().includes("task-succeeded"));

    expect(life()).toEqual(["task-received", "task-started", "task-succeeded"]);
    expect(seen.find((event) => event.type === "task-succeeded" && event.uuid === id)).toMatchObject({
      result: "8",
      hostname: `py@${hostname()}`,
    });
  });
});

describe("both kinds of worker on one broker", () => {
  async function ourWorker(url: string): Promise<ReturnType<typeof startCelery>> {
    const worker = startCelery({
      args: ["-A", "interop-app", "worker", "-l", "info", "-c", "1", "-n", "ts@%h"],
      cwd: import.meta.dirname,
      env: { REDIS_URL: url, HEARTBEAT_TTL: "1" },
    });
    onTestFinished(() => worker[Symbol.asyncDispose]() as Promise<void>);
    await worker.line(/ready\./);
    return worker;
  }

  async function theirWorker(url: string, env = {}): Promise<PythonProcess> {
    const worker = await startPythonWorker(url, ["-P", "solo", "-Q", "celery,python"], env);
    onTestFinished(() => worker[Symbol.asyncDispose]() as Promise<void>);
    return worker;
  }

  test("given our worker killed with a task in hand, when none of ours is left, then a Python worker runs it after the visibility timeout", {
    timeout: 90_000,
  }, async () => {
    proves("One fleet", "a task of a worker that died is run by the other kind", "mixed");
    const url = await anEmptyDatabase(27);
    const app = aClient(url);
    onTestFinished(() => app.close());
    const ours = await ourWorker(url);
    const result = await app.sendTask("interop.hold");
    await ours.line(/interop\.hold.*received/);
    await until(async () => (await result.state()) === "STARTED");

    ours.killGroup("SIGKILL");
    await ours.exited;
    await theirWorker(url, { VISIBILITY_TIMEOUT: "3" });

    expect(await result.get({ timeout: 60 })).toBe("let go by Python");
    await using redis = openConnection(url);
    await until(async () => Number(await redis.call("HLEN", "unacked")) === 0);
  });

  test("given our worker alive with a task in hand, when Python's sweep runs with a timeout that has passed, then the task stays where it is", {
    timeout: 90_000,
  }, async () => {
    proves("One fleet", "a task in hand is not taken by the other kind's sweep", "mixed");
    const url = await anEmptyDatabase(28);
    const app = aClient(url);
    onTestFinished(() => app.close());
    const ours = await ourWorker(url);
    const held = await app.sendTask("interop.hold");
    await ours.line(/interop\.hold.*received/);
    const theirs = await theirWorker(url, { VISIBILITY_TIMEOUT: "3" });
    const since = performance.now();

    // Python stays busy with work of its own until long after the timeout, through many sweeps.
    while (performance.now() - since < 8_000)
      await (await app.sendTask("interop.add", [1, 1], { queue: "python" })).get({ timeout: 20 });

    expect(theirs.lines.filter((line) => /interop\.hold\[.*received/.test(line))).toEqual([]);
    expect(await held.state()).toBe("STARTED");
  });

  test("given our worker running, when a Python worker starts beside it, then the two greet each other and Python's client finds both", {
    timeout: 60_000,
  }, async () => {
    proves("One fleet", "mingle at start, and a ping that finds both", "mixed");
    const url = await anEmptyDatabase(29);
    await ourWorker(url);
    const theirs = await theirWorker(url);
    await using python = await PythonClient.open(url);

    expect(theirs.lines.some((line) => line.includes("mingle: sync with 1 nodes"))).toBe(true);
    const nodes = await python.ask<Record<string, unknown>>({ command: "ping", timeout: 3 });
    expect(Object.keys(nodes).sort()).toEqual([`py@${hostname()}`, `ts@${hostname()}`]);
  });

  test("given tasks of ours of several priorities that wait, when a Python worker starts, then it takes them most urgent first", async () => {
    proves("Routing", "priorities", "ours → python");
    const url = await anEmptyDatabase(27);
    const app = aClient(url);
    onTestFinished(() => app.close());
    const sent = await Promise.all(
      [9, 0, 5, 3].map((priority) => app.sendTask("interop.echo", [priority], { queue: "python", priority })),
    );

    const theirs = await theirWorker(url);
    await Promise.all(sent.map((result) => result.get({ timeout: 20 })));

    const received = theirs.lines.flatMap((line) => /interop\.echo\[(.*)\] received/.exec(line)?.[1] ?? []);
    // 3 and 5 share one of kombu's four lists: the one that was sent first comes first.
    expect(received.map((id) => [9, 0, 5, 3][sent.findIndex((result) => result.id === id)])).toEqual([
      0, 5, 3, 9,
    ]);
  });
});
