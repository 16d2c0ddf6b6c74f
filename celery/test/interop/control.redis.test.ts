import { hostname } from "node:os";
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { Celery } from "../../src/app/celery.ts";
import { command as migrateCommand } from "../../src/cli/migrate.ts";
import { openConnection } from "../../src/redis/connection.ts";
import { runCommand } from "../support/command-run.ts";
import { redisUrl } from "../support/redis-url.ts";
import { until } from "../support/until.ts";
import { proves } from "./compat.ts";
import { type PythonProcess, startPython } from "./python-celery.ts";

// A process of Python is started, which on a busy machine takes its time.
vi.setConfig({ testTimeout: 120_000 });

/** `app.control` of ours, and a worker of Python's. */
const url = `${redisUrl()}/74`;
const node = `py@${hostname()}`;
const app = new Celery("control", { broker: url, backend: url });
/** Asked by name: nobody waits for the timeout, however busy the machine. */
const asked = { destination: [node], timeout: 30 };
let worker: PythonProcess;

beforeAll(async () => {
  await using redis = openConnection(url);
  await redis.call("FLUSHDB");
  worker = await startPython(
    ["-m", "celery", "-A", "control_app", "worker", "-l", "info", "-c", "1", "-n", "py@%h"],
    { REDIS_URL: url },
  );
  await worker.line(/ready\.$/);
}, 360_000);

afterAll(async () => {
  await app.close();
  await worker?.[Symbol.asyncDispose]();
});

describe("app.control.inspect()", () => {
  test("given a Python worker at work, when inspected, then all its answers are understood", async () => {
    proves("Remote control", "inspect by app.control", "ours → python");
    const inspect = app.control.inspect(asked);
    const running = await app.sendTask("control.wait", [2]);
    const later = await app.sendTask("control.add", [1, 2], { countdown: 600 });
    await until(async () => (await inspect.active())[node]?.length === 1);

    expect((await inspect.active())[node]?.[0]).toMatchObject({
      id: running.id,
      args: [2],
      acknowledged: true,
    });
    expect((await inspect.active({ safe: true }))[node]?.[0]?.args).toBe("(2,)");
    await until(async () => (await inspect.scheduled())[node]?.[0]?.request.id === later.id);
    expect((await inspect.queryTask(running.id, "nobody's"))[node]).toMatchObject({
      [running.id]: ["active", { id: running.id }],
    });
    expect((await inspect.registered("rate_limit"))[node]).toContain("control.add [rate_limit=1000/s]");
    expect((await inspect.activeQueues())[node]?.map(({ name }) => name)).toEqual(["celery"]);
    expect((await inspect.stats())[node]).toMatchObject({ total: { "control.wait": 1 } });
    expect((await inspect.conf())[node]).toMatchObject({ task_track_started: true });
    expect((await inspect.clock())[node]?.clock).toBeGreaterThan(0);
    expect((await inspect.report())[node]?.ok).toContain("software -> celery:");
    expect(await inspect.ping()).toEqual({ [node]: { ok: "pong" } });
    await app.control.revoke(later.id, { ...asked, reply: true });
    expect((await inspect.revoked())[node]).toEqual([later.id]);
  });
});

describe("app.control", () => {
  test("given a task that waits for its time, when revoked without waiting for an answer, then it ends as revoked", async () => {
    proves("Remote control", "revoke", "ours → python");
    const later = await app.sendTask("control.add", [1, 2], { countdown: 600 });

    expect(await app.control.revoke(later.id)).toEqual({});

    await expect(later.get({ timeout: 20 })).rejects.toThrow("revoked");
  });

  test("given commands of every kind, when sent, then the Python worker says that it did what was asked", async () => {
    proves("Remote control", "rate_limit", "ours → python");
    proves("Remote control", "time_limit", "ours → python");
    proves("Remote control", "enable_events and disable_events", "ours → python");
    proves("Remote control", "revoke by stamped headers", "ours → python");
    const { control } = app;
    const options = { ...asked, reply: true };

    expect(await control.rateLimit("control.add", "10/m", options)).toEqual({
      [node]: { ok: "new rate limit set successfully" },
    });
    expect(await control.rateLimit("control.add", null, options)).toEqual({
      [node]: { ok: "rate limit disabled successfully" },
    });
    expect(await control.timeLimit("control.add", { soft: 5, hard: 10, ...options })).toEqual({
      [node]: { ok: "time limits set successfully" },
    });
    expect(await control.enableEvents(options)).toEqual({ [node]: { ok: "task events already enabled" } });
    expect(await control.revokeByStampedHeaders({ tenant: ["acme"] }, options)).toEqual({
      [node]: { ok: "headers {'tenant': ['acme']} flagged as revoked, but not terminated" },
    });
    expect(await control.poolRestart(options)).toEqual({
      [node]: { error: "ValueError('Pool restarts not enabled')" },
    });
    expect(await control.autoscale(3, 1, options)).toEqual({
      [node]: { error: "ValueError('Autoscale not enabled')" },
    });
    expect(await control.terminate("nobody's", { ...options, signal: "SIGKILL" })).toEqual({
      [node]: { ok: "terminate: tasks unknown" },
    });
  });

  test("given a queue that nobody takes from, when it is added, then its tasks run", async () => {
    proves("Remote control", "add_consumer and cancel_consumer", "ours → python");
    const waiting = await app.sendTask("control.add", [2, 2], { queue: "extra" });

    expect(await app.control.addConsumer("extra", { ...asked, reply: true })).toEqual({
      [node]: { ok: "add consumer extra" },
    });

    expect(await waiting.get({ timeout: 20 })).toBe(4);
    await app.control.cancelConsumer("extra", { ...asked, reply: true });
  });

  test("given nodes by pattern, by a limit, and none, when asked, then only those that fit answer", async () => {
    proves("Remote control", "destination, pattern and matcher", "ours → python");
    const { control } = app;

    expect(await control.ping({ timeout: 30 })).toEqual({ [node]: { ok: "pong" } });
    expect(await control.ping({ destination: node, timeout: 30 })).toEqual({ [node]: { ok: "pong" } });
    expect(await control.ping({ pattern: "p?@*", limit: 1, timeout: 30 })).toEqual({
      [node]: { ok: "pong" },
    });
    expect(await control.ping({ pattern: "p[xyz]@", matcher: "pcre", limit: 1, timeout: 30 })).toEqual({
      [node]: { ok: "pong" },
    });
    expect(await control.ping({ pattern: "ts@*", timeout: 0.2 })).toEqual({});
    const heard: string[] = [];
    await control.broadcast("ping", {}, { ...asked, reply: true, callback: (name) => heard.push(name) });
    expect(heard).toEqual([node]);
  });

  test("given messages of every priority that wait, when purged, then the app's queues are empty, and the number is told", async () => {
    const quiet = new Celery("quiet", { broker: url, backend: url, task_default_queue: "unread" });
    onTestFinished(() => quiet.close());
    for (const priority of [0, 5, 9]) await quiet.sendTask("control.add", [1, 2], { priority });

    expect(await quiet.control.purge()).toBe(3);
    expect(await quiet.control.purge()).toBe(0);
  });

  test("given messages that wait at another broker, when migrated, then the Python worker here runs them", async () => {
    proves("Command line", "migrate", "ours → python");
    const elsewhere = `${redisUrl()}/75`;
    const there = new Celery("there", { broker: elsewhere, backend: url });
    onTestFinished(() => there.close());
    const results = [];
    for (const n of [1, 2, 3]) results.push(await there.sendTask("control.add", [n, n], { queue: "old" }));

    const { status, stdout } = await runCommand(migrateCommand, ["-a", "-Q", "old:celery", elsewhere, url], {
      app,
    });

    expect([status, stdout.split("\n").at(-2)]).toEqual([0, "Moved 3 messages."]);
    expect(await Promise.all(results.map((result) => result.get({ timeout: 20 })))).toEqual([2, 4, 6]);
  });

  test("given a Python worker, when told to shut down, then it ends", async () => {
    proves("Remote control", "shutdown", "ours → python");

    await app.control.shutdown({ destination: [node] });

    await worker.line(/Got shutdown from remote/);
    await until(() => worker.child.exitCode !== null);
  });
});
