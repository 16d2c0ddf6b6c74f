import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { start, whenFree } from "../../test/conformance/pool.ts";
import { isAlive, openTestPool } from "../../test/support/prefork-pool.ts";
import { until } from "../../test/support/until.ts";
import type { Pool } from "./pool.ts";

// Every case starts processes, on a machine that other tests keep busy.
const PATIENCE_MS = 60_000;
vi.setConfig({ testTimeout: PATIENCE_MS });

const open = openTestPool;

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "celery-test-prefork-"));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

describe("given a pool that changes while it runs", () => {
  test("when it grows, then the new processes take tasks", async () => {
    await using pool = open(1);
    await pool.ready;

    pool.grow(2);
    await until(() => pool.free() === 3, PATIENCE_MS);

    expect(pool.size).toBe(3);
    expect(new Set(pool.processes()).size).toBe(3);
    expect(pool.writes()).toEqual([0, 0, 0]);
  });

  test("when it shrinks, then idle processes leave and busy ones stay", async () => {
    await using pool = open(3);
    await pool.ready;
    const gate = join(dir, "gate");
    const { result, told } = start(pool, "pool.waitFor", [gate, join(dir, "log")]);
    await until(() => told.started.length > 0);

    pool.shrink(1);
    expect(pool.size).toBe(2);
    expect(() => pool.shrink(2)).toThrow("Can't shrink pool. All processes busy!");
    expect(pool.size).toBe(1);

    await writeFile(gate, "");
    expect(await result).toMatchObject({ ended: "done" });
    expect(() => pool.shrink(1)).toThrow("One process has to stay");
  });

  test("when it is restarted, then every process is new, and a busy one ends its task first", async () => {
    await using pool = open(2);
    await pool.ready;
    const before = pool.processes();
    const gate = join(dir, "gate");
    const { result, told } = start(pool, "pool.waitFor", [gate, join(dir, "log")]);
    await until(() => told.started.length > 0);

    pool.restart();
    await writeFile(gate, "");

    expect(await result).toMatchObject({ ended: "done" });
    await until(() => pool.free() === 2, PATIENCE_MS);
    expect(pool.processes().filter((pid) => before.includes(pid))).toEqual([]);
  });
});

describe("given a run that is ended by a signal", () => {
  test.each(["SIGTERM", "SIGKILL", "SIGINT"] as const)(
    "when %s is sent to a task that blocks its process, then the process is gone and another serves",
    async (signal) => {
      await using pool = open(1);
      await pool.ready;
      const { result, told, hooks } = start(pool, "pool.block", [join(dir, "log")]);
      await until(() => told.started.length > 0);

      expect(pool.terminateRun(hooks, signal)).toBe(true);

      expect(await result).toMatchObject({ ended: "terminated", signal });
      expect(isAlive(told.started[0]?.[0] as number)).toBe(false);
      await whenFree(pool);
      expect(await start(pool, "pool.add", [1, 1]).result).toMatchObject({ processName: "ForkPoolWorker-2" });
    },
  );
});

test("given a task that has ended and still tells of its progress, when the next one runs, then that is not said of it", async () => {
  await using pool = open(1);
  await pool.ready;
  const [late, gate, log] = ["late", "gate", "log"].map((name) => join(dir, name)) as [
    string,
    string,
    string,
  ];
  expect(await start(pool, "pool.tooLate", [late, log]).result).toMatchObject({ ended: "done" });
  await whenFree(pool);
  const next = start(pool, "pool.waitFor", [gate, join(dir, "begun")]);
  await until(() => next.told.started.length > 0);

  await writeFile(late, "");
  await until(() => existsSync(log));
  await writeFile(gate, "");

  expect(await next.result).toMatchObject({ ended: "done" });
  expect([next.told.states, next.told.events]).toEqual([[], []]);
  expect(await readFile(log, "utf8")).toContain("The task has ended");
});

test("given a task that its process has not begun, when that is killed, then it is not lost: the next one runs it", async () => {
  await using pool = open(1);
  await pool.ready;
  const pid = pool.processes()[0] as number;
  process.kill(pid, "SIGSTOP");
  const { result, told } = start(pool, "pool.pid");

  process.kill(pid, "SIGKILL");

  expect(await result).toMatchObject({ ended: "done", processName: "ForkPoolWorker-2" });
  expect(told.started).toHaveLength(1);
});

describe("given tasks that wait behind short ones", () => {
  /** One process, known to run short tasks. */
  async function openQuick(): Promise<Pool> {
    const pool = open(1);
    await pool.ready;
    while (pool.room() < 2) {
      await start(pool, "pool.add", [1, 1]).result;
      await whenFree(pool);
    }
    return pool;
  }

  test("when several come at once, then they run one after the other, in their order", async () => {
    await using pool = await openQuick();

    expect(pool.hasWaiting()).toBe(false);
    const runs = Array.from({ length: pool.room() }, (_, n) => start(pool, "pool.add", [n, 0]));
    expect([pool.room(), pool.hasWaiting()]).toEqual([0, true]);

    const results = await Promise.all(runs.map(({ result }) => result));
    expect(results).toMatchObject(runs.map((_, n) => ({ outcome: { resultJson: String(n) } })));
    expect(runs.map(({ told }) => told.started.length)).toEqual(runs.map(() => 1));
    expect(pool.hasWaiting()).toBe(false);
  });

  test("when the first kills its process, then it alone is lost, and the other runs once in the next one", async () => {
    await using pool = await openQuick();

    const first = start(pool, "pool.die");
    const other = start(pool, "pool.pid");

    expect(await first.result).toMatchObject({ ended: "lost", status: "signal 9 (SIGKILL)" });
    expect(await other.result).toMatchObject({ ended: "done", processName: "ForkPoolWorker-2" });
    expect(other.told.started).toHaveLength(1);
  });

  test("when the first turns out to be long, then the other runs elsewhere as soon as there is room", async () => {
    await using pool = await openQuick();
    const gate = join(dir, "gate");
    const first = start(pool, "pool.waitFor", [gate, join(dir, "log")]);
    const other = start(pool, "pool.pid");

    pool.grow(1);

    expect(await other.result).toMatchObject({ ended: "done", processName: "ForkPoolWorker-2" });
    await writeFile(gate, "");
    expect(await first.result).toMatchObject({ ended: "done", processName: "ForkPoolWorker-1" });
  });

  test("when one that has not begun is cancelled, then it never runs and its process lives on", async () => {
    await using pool = await openQuick();
    const gate = join(dir, "gate");
    const first = start(pool, "pool.waitFor", [gate, join(dir, "log")]);
    const other = start(pool, "pool.waitFor", [gate, join(dir, "other")]);
    await until(() => first.told.started.length > 0);

    pool.cancelRun(other.hooks);
    expect(await other.result).toMatchObject({ ended: "cancelled" });
    await writeFile(gate, "");

    expect(await first.result).toMatchObject({ ended: "done", processName: "ForkPoolWorker-1" });
    expect(existsSync(join(dir, "other"))).toBe(false);
  });

  test("when one was taken back, then what takes its place gets its own result", async () => {
    await using pool = await openQuick();
    const gate = join(dir, "gate");
    const first = start(pool, "pool.waitFor", [gate, join(dir, "log")]);
    const unwanted = start(pool, "pool.add", [1, 1]);
    await until(() => first.told.started.length > 0);

    pool.cancelRun(unwanted.hooks);
    expect(await unwanted.result).toMatchObject({ ended: "cancelled" });
    const late = start(pool, "pool.add", [20, 22]);

    await writeFile(gate, "");
    expect(await first.result).toMatchObject({ outcome: { resultJson: '"seen"' } });
    expect(await late.result).toMatchObject({ outcome: { resultJson: "42" } });
  });

  test("when the first runs into its hard limit, then the other runs in the next process", async () => {
    await using pool = await openQuick();
    const first = start(pool, "pool.block", [join(dir, "log")], { hardLimitSeconds: 0.2 });
    const other = start(pool, "pool.pid", [], { hardLimitSeconds: 5 });

    expect(await first.result).toMatchObject({ ended: "timeout" });
    expect(await other.result).toMatchObject({ ended: "done", processName: "ForkPoolWorker-2" });
  });

  test("when the pool is terminated, then all end as cancelled", async () => {
    await using pool = await openQuick();
    const runs = [start(pool, "pool.forEver"), start(pool, "pool.pid")];
    await until(() => runs[0]?.told.started.length === 1);

    pool.terminate();

    for (const { result } of runs) expect(await result).toMatchObject({ ended: "cancelled" });
  });

  test("when a process has one task left before it is replaced, then no other waits behind that", async () => {
    await using pool = await openQuick();

    pool.retireAfter(2);

    expect(pool.room()).toBe(1);
  });
});
