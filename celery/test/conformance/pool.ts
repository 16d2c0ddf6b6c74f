import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
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
  readonly events: (readonly [type: string, fieldsJson: string])[];
}

export interface Running {
  readonly result: Promise<PoolResult>;
  readonly told: Told;
  readonly cancel: AbortController;
  /** What the pool knows the run by. */
  readonly hooks: RunHooks;
}

/** Starts a task with hooks that take notes. */
export function start(
  pool: Pool,
  task: string,
  args: readonly unknown[] = [],
  more: Partial<TaskRequest> = {},
): Running {
  const told: Told = { started: [], states: [], softLimits: [], events: [] };
  const cancel = new AbortController();
  const hooks: RunHooks = {
    signal: cancel.signal,
    onStart: (...seen) => void told.started.push(seen),
    onState: async (...seen) => void told.states.push(seen),
    onSoftLimit: (seconds) => void told.softLimits.push(seconds),
    onEvent: (...seen) => void told.events.push(seen),
  };
  return { result: pool.run(aRequest({ task, args, ...more }), hooks), told, cancel, hooks };
}

/** What was printed while `work` ran. */
async function linesOf(pool: Pool, work: () => Promise<unknown>): Promise<readonly string[]> {
  const lines: string[] = [];
  const listen = (_processName: string, line: string): void => void lines.push(line);
  pool.events.on("output", listen);
  await work();
  pool.events.off("output", listen);
  return lines;
}

/** Settles when the pool has a free slot. */
export async function whenFree(pool: Pool): Promise<void> {
  while (pool.free() === 0) await once(pool.events, "free");
}

/** For a pool whose processes start while other tests keep the machine busy. */
const PATIENCE_MS = 60_000;

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
    beforeEach(() => until(() => pool.free() === traits.slots, PATIENCE_MS), PATIENCE_MS);

    test("when a task that has ended still tells of its progress, then nobody hears it, and it learns why", async () => {
      const [late, log] = [join(dir, "late"), join(dir, "late-log")];
      const { result, told } = start(pool, "pool.tooLate", [late, log]);
      expect(await result).toMatchObject({ ended: "done" });

      await writeFile(late, "");
      await until(() => existsSync(log));

      expect([told.states, told.events]).toEqual([[], []]);
      expect(await readFile(log, "utf8")).toContain("The task has ended");
    });

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

    test.each([
      ["pool.forEver", ""],
      ["pool.stuckHandler", "success"],
      ["pool.stuckHandler", "failure"],
      ["pool.stuckHandler", "retry"],
      ["pool.stuckListener", ""],
    ])(
      "when the hard limit passes in what never ends, function, handler or listener (%s %s), then the run is over and the slot comes back",
      async (task, end) => {
        const { result } = start(pool, task, end === "" ? [] : [end], { hardLimitSeconds: 0.05 });

        expect(await result).toMatchObject({ ended: "timeout", limitSeconds: 0.05 });
        await whenFree(pool);
        expect(await start(pool, "pool.add", [1, 1]).result).toMatchObject({ outcome: { resultJson: "2" } });
      },
    );

    test("when a run is cancelled whose handler never ends, then it ends as cancelled and the slot comes back", async () => {
      const { result, cancel, told } = start(pool, "pool.stuckHandler", ["success"]);
      await until(() => told.started.length > 0);

      cancel.abort();

      expect(await result).toMatchObject({ ended: "cancelled" });
      await whenFree(pool);
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

    test("when keyword arguments come, then they go to the parameters of their names", async () => {
      const { result } = start(pool, "pool.named", [9], { kwargs: { factor: 2, y: 4 } });

      expect(await result).toMatchObject({ outcome: { resultJson: "10" } });
    });

    test("when arguments do not fit, then the task fails in Python's words", async () => {
      const { result } = start(pool, "pool.named", [9], { kwargs: { z: 4 } });

      expect(await result).toMatchObject({
        outcome: {
          error: {
            excType: "TypeError",
            excMessage: ["pool.named() got an unexpected keyword argument 'z'"],
            excModule: "builtins",
          },
        },
      });
    });

    test("when a body comes as text, then it is what counts", async () => {
      const bodyText = '[[7], {"y": 2}, {"callbacks": null, "errbacks": null, "chain": null, "chord": null}]';

      const { result } = start(pool, "pool.named", [7], { kwargs: { y: 2 }, bodyText });

      expect(await result).toMatchObject({ outcome: { resultJson: "50" } });
    });

    test("when a task sends an event, then it is handed over before its end", async () => {
      const { result, told } = start(pool, "pool.tell", [3]);

      expect(await result).toMatchObject({ outcome: { resultJson: '"told"' } });
      const at = '{"__type__": "datetime", "__value__": "1970-01-01T00:00:00+00:00"}';
      expect(told.events).toEqual([["task-progress", `{"done": 3, "at": ${at}}`]]);
    });

    test("when a task minds its signal, then it may tidy up at the soft limit", async () => {
      const { result, told } = start(pool, "pool.tidy", [], { softLimitSeconds: 0.05 });

      expect(await result).toMatchObject({ outcome: { state: "SUCCESS", resultJson: '"tidied up"' } });
      expect(told.softLimits).toEqual([0.05]);
    });

    test("when a run gets SIGUSR1, then it is its soft limit, as in Celery", async () => {
      const { result, told, hooks } = start(pool, "pool.tidy");
      await until(() => told.started.length > 0);

      await until(() => pool.terminateRun(hooks, "SIGUSR1"));

      expect(await result).toMatchObject({ outcome: { resultJson: '"tidied up"' } });
    });

    test("when a run is terminated, then it ends so and the slot comes back", async () => {
      const { result, told, hooks } = start(pool, "pool.forEver");
      await until(() => told.started.length > 0);

      expect(pool.terminateRun(hooks, "SIGTERM")).toBe(true);

      expect(await result).toMatchObject({ ended: "terminated", signal: "SIGTERM" });
      expect(pool.terminateRun(hooks, "SIGTERM")).toBe(false);
      await whenFree(pool);
    });

    test("when a run is cancelled by its hooks, then it ends as cancelled", async () => {
      const { result, hooks } = start(pool, "pool.forEver");

      pool.cancelRun(hooks);

      expect(await result).toMatchObject({ ended: "cancelled" });
    });

    test("when a task retries without throwing, then it goes on, and its outcome asks for another run", async () => {
      expect(await start(pool, "pool.retryQuietly").result).toMatchObject({
        outcome: { state: "SUCCESS", resultJson: '"went on"', retriedToo: [{ message: "Retry in 5s" }] },
      });
    });

    test("when a task retries with all that can be said, then the plan says it", async () => {
      expect(await start(pool, "pool.retryWithAll", [1]).result).toMatchObject({
        outcome: {
          state: "RETRY",
          retry: {
            args: [2],
            kwargs: null,
            queue: "other",
            priority: 3,
            changes: { timeLimit: 9 },
            message: "Retry in 1s: RangeError('no')",
          },
        },
      });
    });

    test("when an error is retried by itself, then the wait backs off", async () => {
      expect(await start(pool, "pool.flaky", [], { retries: 2 }).result).toMatchObject({
        outcome: { state: "RETRY", retry: { message: "Retry in 8s: RangeError('again')" } },
      });
    });

    test("when an error is named in throws, then it is expected", async () => {
      expect(await start(pool, "pool.expected").result).toMatchObject({
        outcome: { state: "FAILURE", expected: true },
      });
    });

    test.each([
      { fails: false, lines: ["beforeStart [false]", "onSuccess fine", "afterReturn SUCCESS"] },
      { fails: true, lines: ["beforeStart [true]", "onFailure TypeError: boom", "afterReturn FAILURE"] },
    ])("when a task with handlers ends, then they are called in order: $lines", async ({ fails, lines }) => {
      expect(await linesOf(pool, () => start(pool, "pool.handled", [fails]).result)).toEqual(lines);
    });

    test("when a handler throws, then it is told and the result stands", async () => {
      const { result } = start(pool, "pool.handlerThrows");

      const lines = await linesOf(pool, () => result);

      expect(await result).toMatchObject({ outcome: { state: "SUCCESS", resultJson: '"fine"' } });
      expect(lines.join("\n")).toMatch(
        /^Task pool\.handlerThrows\[.*\] onSuccess handler raised: Error: handler trouble/,
      );
    });

    test.each([
      { fails: false, lines: ["prerun [false]", "success 7", "postrun SUCCESS"] },
      { fails: true, lines: ["prerun [true]", "failure TypeError: boom", "postrun FAILURE"] },
    ])("when somebody listens to a task, then they hear $lines", async ({ fails, lines }) => {
      const heard = await linesOf(pool, () => start(pool, "pool.heard", [fails]).result);

      expect(heard.slice(0, 3)).toEqual(lines);
      expect(heard[3]).toContain("A listener of the signal taskPostrun failed: Error: listener trouble");
    });

    test("when it has run tasks, then it knows how many it gave to whom", async () => {
      const before = pool.writes().reduce((sum, count) => sum + count, 0);
      await start(pool, "pool.add", [1, 1]).result;

      expect(pool.writes().reduce((sum, count) => sum + count, 0)).toBe(before + 1);
      expect(pool.processes().length).toBeGreaterThan(0);
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
