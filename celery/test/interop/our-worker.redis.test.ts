import { hostname } from "node:os";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { openConnection } from "../../src/redis/connection.ts";
import { redisUrl } from "../support/redis-url.ts";
import { startCelery, type WorkerProcess } from "../support/worker-process.ts";
import { proves } from "./compat.ts";
import { PythonClient, pythonCelery } from "./python-celery.ts";

// Each starts processes of Python, which on a busy machine takes its time.
vi.setConfig({ testTimeout: 120_000 });

/** Real Celery as the client, and our worker. */
const url = `${redisUrl()}/24`;
const node = `ts@${hostname()}`;

let worker: WorkerProcess;
let python: PythonClient;

beforeAll(async () => {
  await using redis = openConnection(url);
  await redis.call("FLUSHDB");
  worker = startCelery({
    args: ["-A", "interop-app", "worker", "-l", "info", "-c", "2", "-n", "ts@%h"],
    cwd: import.meta.dirname,
    env: { REDIS_URL: url },
  });
  [python] = await Promise.all([PythonClient.open(url), worker.line(/ready\./)]);
}, 360_000);

afterAll(async () => {
  await python?.[Symbol.asyncDispose]();
  await worker?.[Symbol.asyncDispose]();
});

test("given this run, when the table is written, then it can say what was compared", async ({ task }) => {
  task.meta.versions = await python.ask<Record<string, string>>({ command: "versions" });

  expect(task.meta.versions["celery"]).toMatch(/^\d+\.\d+/);
});

describe("a task sent by Python", () => {
  test.each([
    ["whole numbers", [2, 3], 5],
    ["floats", [0.1, 0.2], 0.30000000000000004],
    ["text beyond ASCII", ["żółć ", "🥕"], "żółć 🥕"],
  ])("given %s, when our worker adds them, then Python reads the sum", async (_what, args, sum) => {
    proves("Values", "numbers and text", "python → ours");
    proves("Calling", "arguments by position", "python → ours");
    expect(await python.get(await python.send("interop.add", args))).toEqual({
      value: sum,
      state: "SUCCESS",
    });
  });

  test.each([
    ["null", null],
    ["an empty list", []],
    ["an empty object", {}],
    ["deep nesting", { a: [{ b: [1, 2.5, "ü", null, true, { c: {} }] }] }],
    ["a key of digits and one of a quote", { 1: "a", '"': "b" }],
  ])("given %s, when our worker echoes it, then it comes back unchanged", async (_what, value) => {
    proves("Values", "null, lists, objects, nested", "python → ours");
    const outcome = await python.get(await python.send("interop.echo", [value]));

    expect(outcome).toEqual({ value, state: "SUCCESS" });
  });

  test("given values that JSON has no word for, when our worker echoes them, then dates and bytes come back as they were, the rest as text", async () => {
    proves("Values", "dates and times", "python → ours");
    proves("Values", "bytes", "python → ours");

    expect(await python.ask({ command: "echo_typed" })).toEqual({
      datetime: "as sent",
      bytes: "as sent",
      uuid: "'00000000-0000-0000-0000-000000000007'",
      decimal: "'1.50'",
      date: "'2026-11-21'",
      time: "'10:30:00'",
    });
  });

  test("given a whole number beyond 2^53, when our worker echoes it, then no digit is lost", async () => {
    proves("Values", "whole numbers beyond 2^53", "python → ours");
    const sent = await python.askText(
      '{"command": "send", "task": "interop.echo", "args": [9007199254740993]}',
    );
    const id = (JSON.parse(sent) as { ok: string }).ok;

    expect(await python.askText(JSON.stringify({ command: "get", id }))).toContain(
      '"value": 9007199254740993',
    );
  });

  test("given keyword arguments, when our worker runs the task, then they come as one object after the others", async () => {
    proves("Calling", "keyword arguments", "python → ours");
    const id = await python.send("interop.describe", [1, "two"], { kwargs: { x: 3, deep: { y: [4] } } });

    expect(await python.get(id)).toMatchObject({
      value: {
        id,
        args: [1, "two", { x: 3, deep: { y: [4] } }],
        retries: 0,
        root_id: id,
        parent_id: null,
        redelivered: false,
      },
    });
  });

  test("given a countdown, when Python asks along the way, then the task starts no earlier", async () => {
    proves("Calling", "countdown and eta", "python → ours");
    const sent = performance.now();

    const outcome = await python.get(await python.send("interop.add", [1, 1], { countdown: 1 }));

    expect(outcome.value).toBe(2);
    expect(performance.now() - sent).toBeGreaterThan(950);
  });

  test("given a message that has expired, when our worker meets it, then Python sees it revoked", async () => {
    proves("Calling", "expires", "python → ours");
    const outcome = await python.get(await python.send("interop.add", [1, 1], { expires: -5 }));

    expect(outcome).toMatchObject({ error: "TaskRevokedError", args: ["expired"], state: "REVOKED" });
  });
});

describe("what goes wrong in our worker", () => {
  test("given a TypeError, when Python asks for the result, then it is raised there, with our traceback", async () => {
    proves("Results", "errors with type, message and traceback", "python → ours");
    const outcome = await python.get(await python.send("interop.fail", ["no such table: żółć"]));

    expect(outcome).toMatchObject({ state: "FAILURE", error: "TypeError", args: ["no such table: żółć"] });
    expect(outcome.traceback).toContain("interop-app.ts");
  });

  test("given an error class that only we have, when Python asks, then an exception of that name is raised", async () => {
    proves("Results", "error classes the other side does not have", "python → ours");
    const outcome = await python.get(await python.send("interop.refuse", ["card expired"]));

    expect(outcome).toMatchObject({ state: "FAILURE", error: "PaymentRefused", args: ["card expired"] });
    expect(outcome.bases).toContain("Exception");
  });

  test("given a task that retries twice, when Python watches, then it sees RETRY and in the end the result", async () => {
    proves("Running", "retry with countdown", "python → ours");
    const id = await python.send("interop.flaky", [2]);

    const states = await python.ask<string[]>({ command: "states", id, until: "SUCCESS" });

    expect(states).toContain("RETRY");
    expect(await python.get(id)).toEqual({ value: 2, state: "SUCCESS" });
  });

  test("given a task that we do not have, when Python asks, then it is NotRegistered", async () => {
    proves("Running", "unknown tasks are NotRegistered", "python → ours");
    expect(await python.get(await python.send("interop.nobody", []))).toMatchObject({
      state: "FAILURE",
      error: "NotRegistered",
    });
  });
});

describe("Celery's own tools", () => {
  test("given our worker, when `celery inspect ping` and `celery status` of real Celery look, then they find it", async () => {
    proves("Remote control", "ping", "python → ours");
    proves("Command line", "celery inspect ping, celery status", "python → ours");
    expect(await pythonCelery(url, ["inspect", "ping", "-t", "5", "-d", node])).toEqual({
      status: 0,
      output: `->  ${node}: OK\n        pong\n\n1 node online.`,
    });
    expect((await pythonCelery(url, ["status", "-t", "2"])).output).toContain(`->  ${node}: OK`);
  });

  test("given a task running on our worker, when Celery's receiver listens, then it sees the task's life and our signs of life", async () => {
    proves("Events", "task events and worker heartbeats", "python → ours");
    const events = await python.ask<Record<string, unknown>[]>({
      command: "capture",
      task: "interop.add",
      args: [4, 4],
      until: "task-succeeded",
    });

    const done = events.at(-1);
    const life = events.filter((event) => event["uuid"] === done?.["uuid"]).map((event) => event["type"]);
    expect(done).toMatchObject({ type: "task-succeeded", result: "8", hostname: node });
    expect(life).toEqual(expect.arrayContaining(["task-received", "task-started", "task-succeeded"]));
    expect(life.indexOf("task-started")).toBeLessThan(life.indexOf("task-succeeded"));
    expect(events.some((event) => event["type"] === "worker-heartbeat" && event["hostname"] === node)).toBe(
      true,
    );
  });
});
