import { afterEach, beforeEach, expect, test } from "vitest";
import { type GatedApp, openGatedApp } from "../../test/support/gated-app.ts";
import { redisUrl } from "../../test/support/redis-url.ts";
import { NOTHING_LEFT } from "../../test/support/test-broker.ts";
import { startTestWorker } from "../../test/support/test-worker.ts";
import { until } from "../../test/support/until.ts";
import { Celery } from "../app/celery.ts";
import type { TaskContext } from "../app/types.ts";
import { Reject } from "../protocol/task-signals.ts";

let lab: GatedApp;

beforeEach(async () => {
  lab = await openGatedApp(`${redisUrl()}/11`);
});

afterEach(() => lab[Symbol.asyncDispose]());

test("given a task, when it has run, then result, log and events are Celery's and nothing is left", async () => {
  lab.app.task("tasks.add", (x: number, y: number) => x + y);
  await using worker = await startTestWorker(lab.app);

  const result = await lab.broker.app.sendTask("tasks.add", [2, 3]);

  expect(await result.get({ timeout: 10 })).toBe(5);
  await worker.logged(/succeeded/);
  expect(worker.records.map(({ text }) => text.replace(/\d+\.\d+(e-\d+)?s/, "Ns"))).toEqual([
    `Connected to ${lab.broker.url}`,
    "w1@test ready.",
    `Task tasks.add[${result.id}] received`,
    `Task tasks.add[${result.id}] succeeded in Ns: 5`,
  ]);
  expect(worker.events.map(([type]) => type)).toEqual(["task-received", "task-started", "task-succeeded"]);
  expect(await lab.broker.leftovers()).toEqual(NOTHING_LEFT);
});

test("given an early ack, when the task runs, then its message is gone already", async () => {
  lab.app.task("tasks.wait", () => lab.gate.promise);
  await using worker = await startTestWorker(lab.app);

  const result = await lab.broker.app.sendTask("tasks.wait");
  await until(() => worker.events.some(([type]) => type === "task-started"));

  await until(async () => (await lab.broker.unacked()) === 0);
  lab.gate.resolve("opened");
  expect(await result.get({ timeout: 10 })).toBe("opened");
});

test("given a late ack, when the task runs, then its message is kept until the result is stored", async () => {
  lab.app.task("tasks.wait", { acksLate: true }, () => lab.gate.promise);
  await using worker = await startTestWorker(lab.app);

  const result = await lab.broker.app.sendTask("tasks.wait");
  await until(() => worker.events.some(([type]) => type === "task-started"));

  expect(await lab.broker.unacked()).toBe(1);
  lab.gate.resolve("opened");
  expect(await result.get({ timeout: 10 })).toBe("opened");
  await until(async () => (await lab.broker.unacked()) === 0);
});

test("given task_track_started, when a task runs, then STARTED names its process and worker", async () => {
  lab.app.conf.task_track_started = true;
  lab.app.task("tasks.wait", () => lab.gate.promise);
  await using _worker = await startTestWorker(lab.app);

  const result = await lab.broker.app.sendTask("tasks.wait");
  await until(async () => (await result.state()) === "STARTED");

  expect(await result.result()).toEqual({ pid: process.pid, hostname: "w1@test" });
  lab.gate.resolve("opened");
  expect(await result.get({ timeout: 10 })).toBe("opened");
});

test("given updateState, when the task goes on, then the state can be read by everybody", async () => {
  lab.app.task("tasks.wait", { bind: true }, async (self: TaskContext) => {
    await self.updateState("PROGRESS", { done: 1, total: 3 });
    return lab.gate.promise;
  });
  await using _worker = await startTestWorker(lab.app);

  const result = await lab.broker.app.sendTask("tasks.wait");
  await until(async () => (await result.state()) === "PROGRESS");

  expect(await result.result()).toEqual({ done: 1, total: 3 });
});

test.each([false, true])(
  "given acksLate %j, when a task is retried, then it runs again under its id until it succeeds",
  async (acksLate) => {
    lab.app.task("tasks.flaky", { bind: true, acksLate }, (self: TaskContext, n: number) => {
      if (self.request.retries < n) throw self.retry({ countdown: 0.2, exc: new TypeError("refused") });
      return [self.request.retries, self.request.parentId === self.request.id];
    });
    await using worker = await startTestWorker(lab.app);

    const result = await lab.broker.app.sendTask("tasks.flaky", [2]);

    expect(await result.get({ timeout: 10 })).toEqual([2, true]);
    await worker.logged(/succeeded/);
    expect(worker.records.filter(({ text }) => text.includes("retry:")).map(({ text }) => text)).toEqual([
      `Task tasks.flaky[${result.id}] retry: Retry in 0.2s: TypeError('refused')`,
      `Task tasks.flaky[${result.id}] retry: Retry in 0.2s: TypeError('refused')`,
    ]);
    expect(await lab.broker.leftovers()).toEqual(NOTHING_LEFT);
  },
);

test("given a countdown, when it is over, then the task runs, and its reception was told once", async () => {
  lab.app.task("tasks.now", () => Date.now());
  await using worker = await startTestWorker(lab.app);

  const sentAt = Date.now();
  const result = await lab.broker.app.sendTask("tasks.now", [], { countdown: 0.5 });

  expect(await result.get({ timeout: 10 })).toBeGreaterThanOrEqual(sentAt + 500);
  await worker.logged(/succeeded/);
  expect(worker.records.filter(({ text }) => text.endsWith("received"))).toHaveLength(1);
  expect(await lab.broker.leftovers()).toEqual(NOTHING_LEFT);
});

test("given an expired task, when it is received, then it is discarded as REVOKED", async () => {
  lab.app.task("tasks.add", () => 1);
  await using worker = await startTestWorker(lab.app);

  const result = await lab.broker.app.sendTask("tasks.add", [], { expires: -1 });

  await worker.logged(/^Discarding revoked task: tasks\.add\[/);
  await until(async () => (await result.state()) === "REVOKED");
  await expect(result.get({ timeout: 10 })).rejects.toThrow("expired");
  expect(worker.events.map(([type]) => type)).toEqual(["task-revoked"]);
});

test("given a task that nobody registered, when it is received, then its caller hears of it and its bytes are kept", async () => {
  lab.app.task("tasks.add", () => 1);
  await using worker = await startTestWorker(lab.app);

  const result = await lab.broker.app.sendTask("tasks.sub", [1]);

  await expect(result.get({ timeout: 10 })).rejects.toThrow("NotRegistered: tasks.sub");
  const { text, level } = await worker.logged(/Received unregistered task of type 'tasks\.sub'\./);
  expect(level).toBe("ERROR");
  expect(text).toContain("Registered here: tasks.add");
  await until(async () => (await lab.broker.leftovers()).dead === 1);
  expect(await lab.broker.unacked()).toBe(0);
});

test.each(["no JSON", "{}", '{"body": "bm8=", "headers": {}, "properties": {}}'])(
  "given %j in the queue, when it is received, then it is a dead letter and the next task runs",
  async (garbage) => {
    lab.app.task("tasks.add", (x: number, y: number) => x + y);
    await using worker = await startTestWorker(lab.app);

    await lab.broker.redis.call("LPUSH", "celery", garbage);
    const result = await lab.broker.app.sendTask("tasks.add", [1, 1]);

    expect(await result.get({ timeout: 10 })).toBe(2);
    expect((await worker.logged(/Received invalid task message: /)).text).toContain(garbage);
    const letter = (await lab.broker.redis.call("LINDEX", "ts1:dead:celery", 0)) as string;
    expect(JSON.parse(letter)).toMatchObject({ queue: "celery", raw: garbage });
  },
);

test("given Reject with requeue, when the ack is late, then the task runs again", async () => {
  let runs = 0;
  lab.app.task("tasks.shy", { acksLate: true }, () => {
    runs += 1;
    if (runs === 1) throw new Reject("not yet", true);
    return runs;
  });
  await using _worker = await startTestWorker(lab.app);

  const result = await lab.broker.app.sendTask("tasks.shy");

  expect(await result.get({ timeout: 10 })).toBe(2);
});

test("given one slot and a multiplier of 2, when five tasks wait, then two are held and three stay for others", async () => {
  lab.app.task("tasks.wait", { acksLate: true }, () => lab.gate.promise);
  await using worker = await startTestWorker(lab.app, { concurrency: 1, prefetchMultiplier: 2 });

  const results = await Promise.all(Array.from({ length: 5 }, () => lab.broker.app.sendTask("tasks.wait")));
  await until(() => worker.records.filter(({ text }) => text.endsWith("received")).length === 2);

  expect(await lab.broker.leftovers()).toMatchObject({ waiting: 3, unacked: 2 });
  lab.gate.resolve("opened");
  await Promise.all(results.map((result) => result.get({ timeout: 10 })));
});

test("given running and waiting tasks, when the worker ends warmly, then those end here and these elsewhere", async () => {
  lab.app.task("tasks.wait", () => lab.gate.promise);
  const worker = await startTestWorker(lab.app, { concurrency: 1 });
  const results = await Promise.all(Array.from({ length: 3 }, () => lab.broker.app.sendTask("tasks.wait")));
  await until(() => worker.records.filter(({ text }) => text.endsWith("received")).length === 3);

  const ended = worker.warm();
  await worker.logged(/^Restoring 2 unacknowledged message\(s\)$/);
  await until(async () => (await lab.broker.leftovers()).waiting === 2);
  lab.gate.resolve("opened");
  await ended;

  expect(await Promise.all(results.map((result) => result.state()))).toEqual([
    "SUCCESS",
    "PENDING",
    "PENDING",
  ]);
  await using _next = await startTestWorker(lab.app);
  await Promise.all(results.map((result) => result.get({ timeout: 10 })));
});

test("given running tasks, when the worker ends coldly, then late ones go back and early ones have failed", async () => {
  lab.app.task("tasks.late", { acksLate: true }, () => lab.gate.promise);
  lab.app.task("tasks.early", () => lab.gate.promise);
  const worker = await startTestWorker(lab.app, { concurrency: 2 });
  const [late, early] = await Promise.all(
    ["tasks.late", "tasks.early"].map((name) => lab.broker.app.sendTask(name)),
  );
  await until(() => worker.events.filter(([type]) => type === "task-started").length === 2);

  await worker.cold();

  expect(await lab.broker.leftovers()).toEqual({ ...NOTHING_LEFT, waiting: 1 });
  expect(await late?.state()).toBe("PENDING");
  await expect(early?.get({ timeout: 10 })).rejects.toThrow(
    "WorkerLostError: The worker was shut down (cold)",
  );
});

test("given a result that the task does not want kept, when it ends, then nothing is stored", async () => {
  lab.app.task("tasks.quiet", { ignoreResult: true }, () => 1);
  await using worker = await startTestWorker(lab.app);

  const result = await lab.broker.app.sendTask("tasks.quiet");

  await worker.logged(/succeeded/);
  expect(await result.state()).toBe("PENDING");
});

test("given an app without result backend, when a task runs, then it runs and nothing is stored", async () => {
  const plain = new Celery("plain", { broker: lab.broker.url });
  plain.task("tasks.add", { bind: true }, async (self: TaskContext) => {
    await self.updateState("PROGRESS", 1);
    return 1;
  });
  await using worker = await startTestWorker(plain);

  const result = await lab.broker.app.sendTask("tasks.add");

  await worker.logged(/succeeded/);
  expect(await result.state()).toBe("PENDING");
  expect(await lab.broker.leftovers()).toEqual(NOTHING_LEFT);
  await plain.close();
});
