import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type GatedApp, openGatedApp } from "../../test/support/gated-app.ts";
import { redisUrl } from "../../test/support/redis-url.ts";
import { NOTHING_LEFT } from "../../test/support/test-broker.ts";
import { startTestWorker, type TestWorker } from "../../test/support/test-worker.ts";
import { until } from "../../test/support/until.ts";
import { makeDeferred } from "../runtime/deferred.ts";

let lab: GatedApp;

const TERMINATE = { terminate: true, signal: "SIGTERM" } as const;
const ONLY_FLAG = { terminate: false, signal: "SIGTERM" } as const;

beforeEach(async () => {
  lab = await openGatedApp(`${redisUrl()}/52`);
});

afterEach(() => lab[Symbol.asyncDispose]());

function texts(worker: TestWorker): readonly string[] {
  return worker.records.map(({ text }) => text);
}

async function whenReceived(worker: TestWorker, count: number): Promise<void> {
  await until(() => texts(worker).filter((text) => text.endsWith("received")).length === count);
}

describe("revoked tasks", () => {
  test("given a task that waits for a slot, when it is revoked, then it is discarded instead of run, and signals tell", async () => {
    lab.app.task("tasks.wait", () => lab.gate.promise);
    const told: unknown[] = [];
    lab.app.signals.taskRevoked.connect((payload) => void told.push(payload));
    await using worker = await startTestWorker(lab.app, { concurrency: 1 });
    const running = await lab.broker.app.sendTask("tasks.wait");
    const waiting = await lab.broker.app.sendTask("tasks.wait");
    await whenReceived(worker, 2);
    await until(() => worker.panel.active().length === 1);
    expect(worker.panel.active()).toMatchObject([{ id: running.id, workerPid: process.pid }]);
    expect(worker.panel.reserved()).toMatchObject([{ id: waiting.id, timeStart: null, acknowledged: false }]);

    await worker.panel.revoke([waiting.id], ONLY_FLAG);

    expect(await waiting.state()).toBe("REVOKED");
    lab.gate.resolve("opened");
    await worker.logged(new RegExp(`^Discarding revoked task: tasks.wait\\[${waiting.id}\\]$`));
    await until(() => told.length > 0);
    expect(told).toEqual([
      {
        request: { id: waiting.id, name: "tasks.wait", args: [], kwargs: {} },
        terminated: false,
        signum: null,
        expired: false,
      },
    ]);
    expect(await running.get({ timeout: 10 })).toBe("opened");
    expect(worker.panel.stats().total).toEqual({ "tasks.wait": 1 });
    await until(async () => (await lab.broker.unacked()) === 0);
  });

  test.each([false, true])(
    "given acksLate %j on the worker's own loop, when a running task is terminated, then it is no longer waited for",
    async (acksLate) => {
      lab.app.task("tasks.wait", { acksLate }, () => lab.gate.promise);
      await using worker = await startTestWorker(lab.app, { concurrency: 1 });
      const running = await lab.broker.app.sendTask("tasks.wait");
      await until(() => worker.panel.active().length === 1);

      await worker.panel.revoke([running.id], TERMINATE);

      await expect(running.get({ timeout: 10 })).rejects.toThrow("terminated");
      await until(async () => (await lab.broker.unacked()) === 0);
      expect(await lab.broker.leftovers()).toEqual(NOTHING_LEFT);
      await until(() => worker.events.some(([type]) => type === "task-revoked"));
      expect(worker.events.at(-1)).toEqual([
        "task-revoked",
        { uuid: running.id, terminated: true, signum: 15, expired: false },
      ]);
    },
  );

  test("given a task with a result, when it is revoked, then the result stays", async () => {
    lab.app.task("tasks.add", (x: number, y: number) => x + y);
    await using worker = await startTestWorker(lab.app);
    const done = await lab.broker.app.sendTask("tasks.add", [2, 3]);
    expect(await done.get({ timeout: 10 })).toBe(5);

    await worker.panel.revoke([done.id, "never-sent"], TERMINATE);

    expect(await done.state()).toBe("SUCCESS");
    expect(await lab.broker.app.AsyncResult("never-sent").state()).toBe("REVOKED");
    expect(worker.panel.revoked()).toEqual([done.id, "never-sent"]);
  });
});

describe("rates", () => {
  test("given a rate limit, when the worker ends, then what waits goes back in its order, and is run elsewhere", async () => {
    const order: number[] = [];
    lab.app.task("tasks.note", { rateLimit: "1/h" }, (n: number) => void order.push(n));
    const first = await startTestWorker(lab.app, { prefetchMultiplier: 0 });
    for (const n of [1, 2, 3, 4]) await lab.broker.app.sendTask("tasks.note", [n]);
    await whenReceived(first, 4);
    await until(() => order.length === 1);
    expect(await lab.broker.unacked()).toBe(3);

    await first.warm();

    expect(texts(first)).toContain("Restoring 3 unacknowledged message(s)");
    lab.app.conf.worker_disable_rate_limits = true;
    await using _second = await startTestWorker(lab.app, { concurrency: 1 });
    await until(() => order.length === 4);
    expect(order).toEqual([1, 2, 3, 4]);
  });

  test("given tasks held back by their rate, when the prefetch is full, then no more is taken", async () => {
    lab.app.task("tasks.note", { rateLimit: "1/h" }, () => 1);
    await using worker = await startTestWorker(lab.app, { concurrency: 1, prefetchMultiplier: 2 });

    for (let n = 0; n < 6; n += 1) await lab.broker.app.sendTask("tasks.note");

    await whenReceived(worker, 3);
    expect(await lab.broker.app.transport().queueLength("celery")).toBe(3);
  });
});

describe("how much is held", () => {
  test("given tasks that wait for a slot, when one after the other begins, then more are asked for when three quarters of the prefetch are free", async () => {
    const gates = Array.from({ length: 8 }, () => makeDeferred<null>());
    const begun: number[] = [];
    lab.app.task("tasks.wait", (n: number) => {
      begun.push(n);
      return gates[n]?.promise;
    });
    for (const n of gates.keys()) await lab.broker.app.sendTask("tasks.wait", [n]);
    await using worker = await startTestWorker(lab.app, { concurrency: 1, prefetchMultiplier: 4 });

    const received: number[] = [];
    for (const n of [0, 1]) {
      await until(() => begun.length === n + 1);
      for (let trips = 0; trips < 5; trips += 1) await lab.broker.redis.call("PING");
      received.push(texts(worker).filter((text) => text.endsWith("received")).length);
      gates[n]?.resolve(null);
    }
    await whenReceived(worker, 7);
    for (const gate of gates) gate.resolve(null);

    expect(received).toEqual([4, 4]);
  });

  test("given --disable-prefetch, when tasks that were acked early fill the slots, then nothing waits here", async () => {
    lab.app.task("tasks.wait", () => lab.gate.promise);
    lab.app.conf.worker_disable_prefetch = true;
    await using worker = await startTestWorker(lab.app, { concurrency: 2 });

    for (let n = 0; n < 5; n += 1) await lab.broker.app.sendTask("tasks.wait");
    await until(() => worker.panel.active().length === 2);

    await whenReceived(worker, 2);
    expect(await lab.broker.app.transport().queueLength("celery")).toBe(3);
    lab.gate.resolve("opened");
    await whenReceived(worker, 5);
  });

  test("given autoscale, when a backlog comes and goes, then the pool follows", async () => {
    lab.app.task("tasks.wait", () => lab.gate.promise);
    const range = { autoscale: { max: 3, min: 1 }, autoscaleKeepalive: 0.1 };
    await using worker = await startTestWorker(lab.app, { concurrency: 1, ...range });

    for (let n = 0; n < 5; n += 1) await lab.broker.app.sendTask("tasks.wait");
    await until(() => worker.panel.active().length === 3);
    expect(worker.panel.stats()).toMatchObject({
      autoscaler: { max: 3, min: 1, current: 3 },
      prefetchCount: 12,
    });
    lab.gate.resolve("opened");

    await worker.logged(/^Scaling down \d processes\.$/);
    await until(() => worker.panel.stats().pool.maxConcurrency === 1);
  });

  test("given a pool that is grown while it is full, when tasks wait in the queue, then they are taken at once", async () => {
    lab.app.task("tasks.wait", () => lab.gate.promise);
    await using worker = await startTestWorker(lab.app, { concurrency: 1, prefetchMultiplier: 1 });
    for (let n = 0; n < 4; n += 1) await lab.broker.app.sendTask("tasks.wait");
    await until(() => worker.panel.active().length === 1);

    worker.panel.growPool(2);

    await until(() => worker.panel.active().length === 3);
  });

  test("given a queue that is added, when tasks are in it, then they run; and it is told with its exchange", async () => {
    lab.app.task("tasks.add", (x: number, y: number) => x + y);
    await using worker = await startTestWorker(lab.app);
    const early = await lab.broker.app.sendTask("tasks.add", [1, 1], { queue: "extra" });

    const asked = { queue: "extra", exchange: "shop", exchangeType: "topic", routingKey: "order.#" };
    await worker.panel.addConsumer(asked);

    expect(await early.get({ timeout: 10 })).toBe(2);
    expect(worker.panel.activeQueues()).toEqual([
      { name: "celery", exchange: "celery", exchangeType: "direct", routingKey: "celery" },
      { name: "extra", exchange: "shop", exchangeType: "topic", routingKey: "order.#" },
    ]);
    await worker.panel.cancelConsumer("extra");
    expect(worker.panel.activeQueues()).toHaveLength(1);
    await expect(worker.panel.addConsumer({ ...asked, exchangeType: "headers" })).rejects.toThrow("headers");
  });
});

describe("acknowledgements", () => {
  test("given acksOnFailure off, when a late-ack task fails, then its result says so and its message is a dead letter", async () => {
    lab.app.task("tasks.fail", { acksLate: true, acksOnFailure: false }, () => {
      throw new TypeError("no");
    });
    await using _worker = await startTestWorker(lab.app);

    const result = await lab.broker.app.sendTask("tasks.fail");

    await expect(result.get({ timeout: 10 })).rejects.toThrow("no");
    await until(async () => (await lab.broker.leftovers()).dead === 1);
    expect(await lab.broker.leftovers()).toEqual({ ...NOTHING_LEFT, dead: 1 });
  });

  test("given worker_deduplicate_successful_tasks, when a message comes again whose task has succeeded, then it is only acked", async () => {
    let runs = 0;
    lab.app.task("tasks.once", { acksLate: true }, () => ++runs);
    lab.app.conf.worker_deduplicate_successful_tasks = true;
    const first = await lab.broker.app.sendTask("tasks.once");
    const raw = String(await lab.broker.redis.call("LINDEX", "celery", 0));
    const again = JSON.parse(raw) as { properties: { delivery_info: Record<string, unknown> } };
    again.properties.delivery_info["redelivered"] = true;
    await using worker = await startTestWorker(lab.app);
    expect(await first.get({ timeout: 10 })).toBe(1);

    await lab.broker.redis.call("LPUSH", "celery", JSON.stringify(again));

    await worker.logged(/Task already completed successfully\.$/);
    await until(async () => (await lab.broker.unacked()) === 0);
    expect(runs).toBe(1);
  });
});

test("given settings, when remote control asks for them, then only what was changed is shown, and no password", async () => {
  lab.app.conf.update({ task_acks_late: true, result_backend: "redis://:secret@localhost:1/0" });
  lab.app.task("tasks.add", { rateLimit: "10/m" }, () => 1);
  process.env["CELERY_RESULT_BACKEND"] = lab.broker.url;
  try {
    await using worker = await startTestWorker(lab.app);

    const changed = worker.panel.conf(false);

    expect(changed).toMatchObject({ task_acks_late: true, result_backend: "redis://:**@localhost:1/0" });
    expect(changed).not.toHaveProperty("task_acks_on_failure_or_timeout");
    expect(worker.panel.conf(true)).toMatchObject({ worker_prefetch_multiplier: 4, task_serializer: "json" });
    expect(worker.panel.registered()).toMatchObject([
      { name: "tasks.add", attributes: { rate_limit: "10/m" } },
    ]);
  } finally {
    delete process.env["CELERY_RESULT_BACKEND"];
  }
});

test("given worker_enable_soft_shutdown_on_idle, when an idle worker ends coldly, then it waits as long as the setting says", async () => {
  lab.app.conf.update({ worker_soft_shutdown_timeout: 0.2, worker_enable_soft_shutdown_on_idle: true });
  const worker = await startTestWorker(lab.app);
  const began = performance.now();

  await worker.cold();

  expect(texts(worker)).toContain("Initiating Soft Shutdown, terminating in 0.2 seconds");
  expect(performance.now() - began).toBeGreaterThan(190);
});
