import { expect, test } from "vitest";
import { freshApps } from "../test/support/fresh-apps.ts";
import { freePort } from "../test/support/redis-server.ts";
import { redisUrl } from "../test/support/redis-url.ts";
import { askWorkers } from "./control/index.ts";
import { openConnection } from "./redis/connection.ts";
import { makeDeferred } from "./runtime/deferred.ts";
import { type LogRecord, startWorker } from "./start-worker.ts";

const url = `${redisUrl()}/89`;
const anApp = freshApps(url);

test("given a program with an app, when it starts a worker inside itself, then tasks run here, the log is its own, and others can ping it", async () => {
  const app = anApp();
  const where = app.task("inside.where", () => process.pid);
  const log: LogRecord[] = [];

  await using worker = await startWorker(app, { nodeName: "inner@here", log: (record) => log.push(record) });

  expect(await (await where.delay()).get({ timeout: 10 })).toBe(process.pid);
  expect(log.map(({ text }) => text)).toContain("inner@here ready.");
  expect(await askWorkers(url, "ping", { timeoutSeconds: 5, destination: [worker.nodeName] })).toEqual(
    new Map([["inner@here", { ok: "pong" }]]),
  );
});

test("given a task under way and one that waits, when the worker is stopped, then the first ends, the second stays in its queue, and the worker is gone", async () => {
  const app = anApp();
  const begun = makeDeferred<void>();
  const gate = makeDeferred<void>();
  const slow = app.task("inside.slow", { acksLate: true }, async () => {
    begun.resolve();
    await gate.promise;
    return "done";
  });

  const worker = await startWorker(app, { concurrency: 1, log: () => undefined });
  const results = [await slow.delay(), await slow.delay()];
  await begun.promise;

  const stopping = worker.stop();
  gate.resolve();
  await stopping;

  expect(await Promise.all(results.map((result) => result.state()))).toEqual(["SUCCESS", "PENDING"]);
  await using redis = openConnection(url);
  expect(await redis.call("LLEN", "celery")).toBe(1);
  expect(await redis.call("HLEN", "unacked")).toBe(0);
});

test("given a broker that is not there, when a worker is started, then the start fails once the settings give up, and says so", async () => {
  const broker = `redis://127.0.0.1:${await freePort()}/0`;
  const app = anApp({ broker, backend: undefined, broker_connection_max_retries: 0 });

  await expect(startWorker(app, { log: () => undefined })).rejects.toThrow(/has lost its broker/);
});

test("given a module, when a worker is started with it, then tasks run in processes of their own, which end with it", async () => {
  const app = anApp();
  const pid = app.task("pool.pid", () => process.pid);
  const worker = await startWorker(app, {
    module: "pool-app",
    cwd: new URL("../test/support/apps/", import.meta.url).pathname,
    concurrency: 1,
    log: () => undefined,
  });

  const child = await (await pid.delay()).get({ timeout: 20 });
  expect(child).not.toBe(process.pid);
  await worker.stop();

  await expect.poll(() => isAlive(child)).toBe(false);
});

test("given a module and one task per child, when two tasks run, then each has a process of its own", async () => {
  const app = anApp({ worker_max_tasks_per_child: 1 });
  const pid = app.task("pool.pid", () => process.pid);
  await using _worker = await startWorker(app, {
    module: "pool-app",
    cwd: new URL("../test/support/apps/", import.meta.url).pathname,
    concurrency: 1,
    log: () => undefined,
  });

  const first = await (await pid.delay()).get({ timeout: 20 });
  const second = await (await pid.delay()).get({ timeout: 20 });

  expect(second).not.toBe(first);
});

test("given a broker URL that carries settings, when a worker connects, then its log does not show them", async () => {
  const app = anApp({ broker_transport_options: { global_keyprefix: "hidden-" } });
  const log: LogRecord[] = [];

  await using _worker = await startWorker(app, { log: (record) => log.push(record) });

  const lines = log.map(({ text }) => text);
  expect(lines).toContain(`Connected to ${url}`);
  expect(lines.join("\n")).not.toContain("hidden-");
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false; // ESRCH: there is no such process
  }
}

test("given a module that cannot be loaded, when a worker is started with it, then the start fails and says why", async () => {
  await expect(
    startWorker(anApp(), { module: "no-such-module", concurrency: 1, log: () => undefined }),
  ).rejects.toThrow(/no-such-module/);
});
