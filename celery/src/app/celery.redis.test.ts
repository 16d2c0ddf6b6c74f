import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { redisUrl } from "../../test/support/redis-url.ts";
import { until } from "../../test/support/until.ts";
import { TaskError, TaskRevokedError, TimeoutError } from "../protocol/errors.ts";
import type { TaskMessage } from "../protocol/message.ts";
import { decodeMessage } from "../protocol/message-decode.ts";
import type { ResultMeta } from "../protocol/result-meta.ts";
import { openConnection, type RedisConnection } from "../redis/connection.ts";
import { openSubscriber } from "../redis/subscriber.ts";
import { Celery } from "./celery.ts";

const url = `${redisUrl()}/5`;

let redis: RedisConnection;
let app: Celery;

beforeEach(async () => {
  redis = openConnection(url);
  await redis.call("FLUSHDB");
  app = new Celery("tests", { broker: url, backend: url });
});
afterEach(async () => {
  await app.close();
  await redis[Symbol.asyncDispose]();
});

async function sent(queue = "celery"): Promise<readonly TaskMessage[]> {
  const raws = (await redis.call("LRANGE", queue, 0, -1)) as readonly string[];
  return raws.toReversed().map((raw) => {
    const decoded = decodeMessage(raw);
    if (!decoded.ok) throw new Error(decoded.reason);
    return decoded.message;
  });
}

/** Stores a result as a worker would. */
async function store(taskId: string, changes: Partial<ResultMeta>): Promise<void> {
  const rest = { traceback: null, children: [], dateDone: null };
  await app.backend()?.store({ taskId, status: "SUCCESS", result: null, ...rest, ...changes });
}

test("given a task, when delayed, then the promise settles when Redis has the message", async () => {
  const add = app.task("tests.add", (x: number, y: number) => x + y);
  const result = await add.delay(4, 4);
  expect(await sent()).toMatchObject([{ headers: { id: result.id, task: "tests.add" }, args: [4, 4] }]);
});

test("given options, when applied, then the message and its place follow them", async () => {
  const add = app.task("tests.add", { typing: false }, (x: number) => x);
  await add.applyAsync([1], {
    queue: "slow",
    priority: 6,
    taskId: "mine",
    kwargs: { a: 1 },
    headers: { tenant: "t" },
  });
  expect(await sent("slow\x06\x166")).toMatchObject([
    { headers: { id: "mine", custom: { tenant: "t" } }, kwargs: { a: 1 }, properties: { priority: 6 } },
  ]);
});

test("given a task unknown here, when sent by name, then it goes out all the same", async () => {
  await app.sendTask("elsewhere.task", [1, "é"]);
  expect(await sent()).toMatchObject([{ headers: { task: "elsewhere.task" }, args: [1, "é"] }]);
});

test("given many calls at once, when all are awaited, then all are there, in order", async () => {
  const add = app.task("tests.add", (x: number) => x);
  await Promise.all(Array.from({ length: 1200 }, (_, index) => add.delay(index)));
  expect((await sent()).map(({ args }) => args[0])).toEqual(
    Array.from({ length: 1200 }, (_, index) => index),
  );
});

test("given task_send_sent_event, when a task is sent, then monitors are told", async () => {
  app.conf.task_send_sent_event = true;
  await using subscriber = openSubscriber(url);
  const heard: string[] = [];
  subscriber.events.on("message", (_channel, text) => heard.push(text));
  await subscriber.subscribe("/5.celeryev/task.sent");
  const result = await app.sendTask("tests.add", [1]);
  await until(() => heard.length === 1);
  const { body } = JSON.parse(heard[0] ?? "") as { body: string };
  expect(JSON.parse(Buffer.from(body, "base64").toString())).toMatchObject({
    type: "task-sent",
    uuid: result.id,
    name: "tests.add",
    args: "(1,)",
    queue: "celery",
  });
});

test("given a result, when waited for, then its value, state and more can be asked for", async () => {
  const result = await app.sendTask("tests.add", [1]);
  expect([await result.state(), await result.ready(), await result.result()]).toEqual([
    "PENDING",
    false,
    null,
  ]);
  const got = result.get({ timeout: 10 });
  await store(result.id, { result: { sum: 8 } });
  expect(await got).toEqual({ sum: 8 });
  expect([
    await result.state(),
    await result.ready(),
    await result.successful(),
    await result.failed(),
  ]).toEqual(["SUCCESS", true, true, false]);
  await result.forget();
  expect(await result.state()).toBe("PENDING");
});

test("given a failure, when waited for, then the task's error is thrown, with its traceback", async () => {
  const error = { excType: "ValueError", excMessage: ["boom", 42], excModule: "builtins" };
  await store("1", { status: "FAILURE", result: error, traceback: "Traceback: boom" });
  const result = app.AsyncResult("1");
  const thrown = await result.get({ timeout: 5 }).catch((reason: unknown) => reason);
  expect(thrown).toBeInstanceOf(TaskError);
  expect(thrown).toMatchObject({
    ...error,
    message: "ValueError: boom, 42",
    traceback: "Traceback: boom",
    taskId: "1",
  });
  expect(await result.get({ propagate: false })).toBeInstanceOf(TaskError);
  expect(await result.failed()).toBe(true);
  expect(await result.result()).toBeInstanceOf(TaskError);
  expect(await result.traceback()).toBe("Traceback: boom");
});

test("given a revoked task, when waited for, then that is its own error", async () => {
  const error = { excType: "TaskRevokedError", excMessage: ["expired"], excModule: "celery.exceptions" };
  await store("1", { status: "REVOKED", result: error });
  await expect(app.AsyncResult("1").get()).rejects.toThrow(TaskRevokedError);
});

test("given states on the way, when waited for, then each is told", async () => {
  const seen: unknown[] = [];
  const got = app
    .AsyncResult("1")
    .get({ timeout: 10, onMessage: ({ status, result }) => seen.push([status, result]) });
  await until(
    async () => ((await redis.call("PUBSUB", "CHANNELS", "celery-task-meta-1")) as string[]).length === 1,
  );
  await store("1", { status: "PROGRESS", result: { done: 1 } });
  await store("1", { result: 2 });
  expect(await got).toBe(2);
  expect(seen).toEqual([
    ["PROGRESS", { done: 1 }],
    ["SUCCESS", 2],
  ]);
});

test("given nobody who works, when the time is up, then that is a TimeoutError, and the task is still there", async () => {
  const result = await app.sendTask("tests.add", [1]);
  await expect(result.get({ timeout: 0.05 })).rejects.toThrow(TimeoutError);
  await expect(result.get({ timeout: 0.05 })).rejects.toThrow(/did not end within 0.05 seconds/);
  expect(await sent()).toHaveLength(1);
  await until(async () => ((await redis.call("PUBSUB", "CHANNELS", "*")) as string[]).length === 0);
});

test("given one who stops waiting, then its reason is the error", async () => {
  const stop = new AbortController();
  const got = app.AsyncResult("1").get({ signal: stop.signal });
  stop.abort(new Error("changed my mind"));
  await expect(got).rejects.toThrow("changed my mind");
});

test("given an app that is closed while somebody waits, then the wait ends, and the app can be used again", async () => {
  const got = app.AsyncResult("1").get();
  const ended = expect(got).rejects.toThrow(/closed while it waited/);
  await app.close();
  await ended;
  await app.sendTask("tests.add");
  expect(await sent()).toHaveLength(1);
});

/** Runs a program that uses the library, and tells how it ended. */
async function run(program: string): Promise<{ code: number | null; output: string; ms: number }> {
  const dir = await mkdtemp(join(tmpdir(), "celery-test-program-"));
  const file = join(dir, "program.mts");
  const door = new URL("../index.ts", import.meta.url).href;
  await writeFile(
    file,
    `import { Celery } from ${JSON.stringify(door)};\nconst url = ${JSON.stringify(url)};\n${program}`,
  );
  const started = performance.now();
  const child = spawn(process.execPath, ["--import", import.meta.resolve("tsx"), file], { stdio: "pipe" });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (output += String(chunk)));
  const limit = setTimeout(() => child.kill("SIGKILL"), 60_000);
  const [code] = (await once(child, "exit")) as [number | null];
  clearTimeout(limit);
  await rm(dir, { recursive: true, force: true });
  return { code, output, ms: performance.now() - started };
}

test("given a program that sends and does not close, when it has nothing left to do, then it ends by itself", async () => {
  const { code, output } = await run(`
    const app = new Celery("program", { broker: url, backend: url, task_send_sent_event: true });
    const result = await app.sendTask("tests.add", [1, 2]);
    console.log("sent", await result.state());
    await result.get({ timeout: 0.1 }).catch((error) => console.log(error.name));
  `);
  expect(output).toBe("sent PENDING\nTimeoutError\n");
  expect(code).toBe(0);
});

test("given a program that waits for a result, when it comes, then the program has waited for it", async () => {
  const running = run(`
    const app = new Celery("program", { broker: url, backend: url });
    console.log(await app.AsyncResult("slow").get());
  `);
  await until(
    async () => ((await redis.call("PUBSUB", "CHANNELS", "celery-task-meta-slow")) as string[]).length === 1,
  );
  await store("slow", { result: "there" });
  expect(await running).toMatchObject({ code: 0, output: "there\n" });
});

test("given a program whose Redis is away, when it sends, then it ends with an error that says so", async () => {
  const { code, output } = await run(`
    const app = new Celery("program", { broker: "redis://127.0.0.1:1/0" });
    await app.sendTask("tests.add");
  `);
  expect(code).toBe(1);
  expect(output).toContain(
    'Could not send to queue "celery" after 4 tries: Cannot connect to Redis at redis://127.0.0.1:1/0',
  );
});
