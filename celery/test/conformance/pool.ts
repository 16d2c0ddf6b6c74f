import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { TaskRequest } from "../../src/execution/request.ts";
import type { Pool, PoolResult, RunHooks } from "../../src/pool/pool.ts";
import { aRequest } from "../support/builders.ts";
import { until } from "../support/until.ts";

/** What one kind of pool may do differently. */
export interface PoolTraits {
  readonly kind: Pool["kind"];
  readonly open: (size: number) => Pool;
  /** How many tasks it runs at once when asked for two. */
  readonly slots: number;
}

/** What a run told while it ran. */
export interface Told {
  readonly started: (readonly [pid: number, processName: string])[];
  readonly states: (readonly [state: string, metaJson: string])[];
  readonly softLimits: number[];
}

export interface Running {
  readonly result: Promise<PoolResult>;
  readonly told: Told;
  readonly cancel: AbortController;
}

/** Starts a task with hooks that take notes. */
export function start(
  pool: Pool,
  task: string,
  args: readonly unknown[] = [],
  more: Partial<TaskRequest> = {},
): Running {
  const told: Told = { started: [], states: [], softLimits: [] };
  const cancel = new AbortController();
  const hooks: RunHooks = {
    signal: cancel.signal,
    onStart: (...seen) => void told.started.push(seen),
    onState: async (...seen) => void told.states.push(seen),
    onSoftLimit: (seconds) => void told.softLimits.push(seconds),
  };
  return { result: pool.run(aRequest({ task, args, ...more }), hooks), told, cancel };
}

/** Settles when the pool has a free slot. */
export async function whenFree(pool: Pool): Promise<void> {
  while (pool.free() === 0) await once(pool.events, "free");
}

/** For a pool whose processes start while other tests keep the machine busy. */
const PATIENCE_MS = 20_000;

/** The promises that every kind of pool keeps. */
export function describePool(traits: PoolTraits): void {
  describe(`given a ${traits.kind} pool`, { timeout: PATIENCE_MS }, () => {
    let pool: Pool;
    let dir: string;

    beforeAll(async () => {
      dir = await mkdtemp(join(tmpdir(), "celery-test-pool-"));
      pool = traits.open(2);
      await pool.ready;
    }, PATIENCE_MS);

    afterAll(async () => {
      await pool[Symbol.asyncDispose]();
      await rm(dir, { recursive: true, force: true });
    });

    // One pool serves all: every case leaves it as it found it.
    beforeEach(() => until(() => pool.free() === traits.slots));

    test("when a task returns, then the result says so and the start was told before", async () => {
      const { result, told } = start(pool, "pool.add", [2, 3]);

      expect(await result).toMatchObject({ ended: "done", outcome: { state: "SUCCESS", resultJson: "5" } });
      expect(told.started).toHaveLength(1);
    });

    test("when a task throws, then it is an outcome and the pool goes on", async () => {
      expect(await start(pool, "pool.fail").result).toMatchObject({
        outcome: {
          state: "FAILURE",
          error: { excType: "TypeError", excMessage: ["boom"], excModule: "builtins" },
        },
      });
      await whenFree(pool);
      expect(await start(pool, "pool.add", [1, 1]).result).toMatchObject({ outcome: { resultJson: "2" } });
    });

    test.each([
      { task: "pool.ignore", outcome: { state: "IGNORED" } },
      { task: "pool.reject", outcome: { state: "REJECTED", requeue: true, reason: "no thanks" } },
      { task: "pool.retry", outcome: { state: "RETRY", retry: { message: "Retry in 5s" } } },
      { task: "pool.nobody", outcome: { state: "FAILURE", error: { excType: "NotRegistered" } } },
    ])("when $task runs, then its outcome is $outcome.state", async ({ task, outcome }) => {
      expect(await start(pool, task).result).toMatchObject({ ended: "done", outcome });
    });

    test("when dates, bytes and big integers are passed, then they arrive and come back as what they were", async () => {
      const value = {
        at: new Date(86_400_000),
        bytes: new Uint8Array([104, 105]),
        big: 2n ** 70n,
        not: Number.NaN,
      };

      expect(await start(pool, "pool.echo", [value]).result).toMatchObject({
        outcome: {
          resultJson:
            '{"at": {"__type__": "datetime", "__value__": "1970-01-02T00:00:00+00:00"}, ' +
            '"bytes": {"__type__": "bytes", "__value__": "hi"}, "big": 1180591620717411303424, "not": NaN}',
        },
      });
    });

    test("when a task updates its state, then it is handed over as JSON before the task ends", async () => {
      const { result, told } = start(pool, "pool.progress");

      expect(await result).toMatchObject({ outcome: { resultJson: '"after"' } });
      const at = '{"__type__": "datetime", "__value__": "1970-01-01T00:00:00+00:00"}';
      expect(told.states).toEqual([["PROGRESS", `{"done": 1, "at": ${at}}`]]);
    });

    test("when a task prints, then its lines are told before its end", async () => {
      const lines: string[] = [];
      const listen = (_processName: string, line: string): void => void lines.push(line);
      pool.events.on("output", listen);

      await start(pool, "pool.print", ["hello\nworld"]).result;

      pool.events.off("output", listen);
      expect(lines.toSorted()).toEqual(["hello", "hello", "world", "world on stderr"]);
    });

    test("when more tasks come than fit, then only so many run, and all do in the end", async () => {
      const gate = join(dir, "gate");
      const runs: Running[] = [];
      while (pool.room() > 0) runs.push(start(pool, "pool.waitFor", [gate, join(dir, "log")]));

      await until(() => runs.filter(({ told }) => told.started.length > 0).length === traits.slots);
      expect(pool.free()).toBe(0);
      await expect(start(pool, "pool.add", [1, 1]).result).rejects.toThrow("no free slot");

      await writeFile(gate, "");
      const results = await Promise.all(runs.map(({ result }) => result));
      expect(results.every((result) => result.ended === "done")).toBe(true);
    });

    test("when the soft limit passes, then the task fails and the limit was told", async () => {
      const { result, told } = start(pool, "pool.forEver", [], { softLimitSeconds: 0.05 });

      expect(await result).toMatchObject({
        ended: "done",
        outcome: { state: "FAILURE", error: { excType: "SoftTimeLimitExceeded" } },
      });
      expect(told.softLimits).toEqual([0.05]);
      await whenFree(pool);
    });

    test("when the hard limit passes, then the run is over and the slot comes back", async () => {
      const { result } = start(pool, "pool.forEver", [], { hardLimitSeconds: 0.05 });

      expect(await result).toMatchObject({ ended: "timeout", limitSeconds: 0.05 });
      await whenFree(pool);
      expect(await start(pool, "pool.add", [1, 1]).result).toMatchObject({ outcome: { resultJson: "2" } });
    });

    test("when a run is cancelled, then it ends as cancelled and the slot comes back", async () => {
      const { result, cancel } = start(pool, "pool.forEver");

      cancel.abort();

      expect(await result).toMatchObject({ ended: "cancelled" });
      await whenFree(pool);
    });

    test("when a task forgets a promise that fails, then the task and the pool survive it, and it is told", async () => {
      const lines: string[] = [];
      const listen = (_processName: string, line: string): void => void lines.push(line);
      pool.events.on("output", listen);

      expect(await start(pool, "pool.strayRejection").result).toMatchObject({
        outcome: { resultJson: '"survived"' },
      });

      pool.events.off("output", listen);
      expect(lines[0]).toBe(
        "A promise was rejected and nobody waited for it (a missing await?): Error: stray",
      );
    });

    test("when it is terminated, then what runs ends as cancelled", async () => {
      await using other = traits.open(1);
      await other.ready;
      const { result } = start(other, "pool.forEver");

      other.terminate();

      expect(await result).toMatchObject({ ended: "cancelled" });
    });
  });
}
