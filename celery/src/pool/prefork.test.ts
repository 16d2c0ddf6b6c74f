import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { describePool, start, whenFree } from "../../test/conformance/pool.ts";
import { isAlive, openTestPool } from "../../test/support/prefork-pool.ts";
import { until } from "../../test/support/until.ts";
import { decodeJson } from "../protocol/json.ts";
import { PoolStartError } from "./pool.ts";

const open = openTestPool;

// Every case starts processes, on a machine that other tests keep busy.
const PATIENCE_MS = 60_000;
vi.setConfig({ testTimeout: PATIENCE_MS });

describePool({ kind: "prefork", slots: 2, open });

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "celery-test-prefork-"));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

test("given two slots, when two tasks run, then each is in a process of its own, neither in this one", async () => {
  await using pool = open(2);
  await pool.ready;

  const runs = [start(pool, "pool.pid"), start(pool, "pool.pid")];
  await Promise.all(runs.map(({ result }) => result));

  const pids = runs.flatMap(({ told }) => told.started.map(([pid]) => pid));
  expect(new Set([...pids, process.pid]).size).toBe(3);
  expect(runs.flatMap(({ told }) => told.started.map(([, name]) => name)).toSorted()).toEqual([
    "ForkPoolWorker-1",
    "ForkPoolWorker-2",
  ]);
});

test.each([
  { task: "pool.die", args: [], status: "signal 9 (SIGKILL)" },
  { task: "pool.exit", args: [3], status: "exitcode 3" },
])(
  "given $task, when it takes its process down, then it is lost with $status and the slot is filled again",
  async ({ task, args, status }) => {
    await using pool = open(1);
    await pool.ready;
    const exits: unknown[][] = [];
    pool.events.on("exited", (...seen) => void exits.push(seen));

    const result = await start(pool, task, args).result;

    expect(result).toMatchObject({ ended: "lost", status, processName: "ForkPoolWorker-1" });
    expect(exits).toEqual([["ForkPoolWorker-1", expect.any(Number), status]]);
    await whenFree(pool);
    expect(await start(pool, "pool.add", [1, 1]).result).toMatchObject({ processName: "ForkPoolWorker-2" });
  },
);

test("given a task that prints and dies, when its process is gone, then its last words were heard", async () => {
  await using pool = open(1);
  await pool.ready;
  const lines: string[] = [];
  pool.events.on("output", (_name, line) => lines.push(line));

  await start(pool, "pool.die").result;

  expect(lines).toEqual(["last words"]);
});

test("given an idle child, when it is killed, then it is told and replaced", async () => {
  await using pool = open(1);
  await pool.ready;
  const { told, result } = start(pool, "pool.pid");
  await result;
  await whenFree(pool);

  const exited = once(pool.events, "exited");
  process.kill(told.started[0]?.[0] as number, "SIGKILL");

  expect((await exited).at(2)).toBe("signal 9 (SIGKILL)");
  await whenFree(pool);
});

test("given a task that blocks its process, when the hard limit passes, then the process is killed", async () => {
  await using pool = open(1);
  await pool.ready;
  const log = join(dir, "log");

  const result = await start(pool, "pool.block", [log], { hardLimitSeconds: 0.2 }).result;

  expect(result).toMatchObject({ ended: "timeout", limitSeconds: 0.2 });
  expect(isAlive(Number(await readFile(log, "utf8")))).toBe(false);
});

test("given a soft limit that a task ignores, when it has failed, then its process is replaced without alarm", async () => {
  await using pool = open(1);
  await pool.ready;
  const exits: unknown[] = [];
  pool.events.on("exited", (...seen) => exits.push(seen));

  await start(pool, "pool.forEver", [], { softLimitSeconds: 0.05 }).result;
  await whenFree(pool);

  expect(await start(pool, "pool.add", [1, 1]).result).toMatchObject({ processName: "ForkPoolWorker-2" });
  expect(exits).toEqual([]);
});

test("given a run that is to have begun by now, when its process gets to it, then it is given up and its function is not called", async () => {
  await using pool = open(1);
  await pool.ready;
  pool.beginWithin(-1);

  const { result, told } = start(pool, "pool.add", [1, 1]);

  expect(await result).toMatchObject({ ended: "cancelled" });
  expect(told.started).toEqual([]);
  pool.beginWithin(60_000);
  await whenFree(pool);
  expect(await start(pool, "pool.add", [1, 1]).result).toMatchObject({ outcome: { resultJson: "2" } });
});

test("given two tasks per child, when five have run, then the third child serves", async () => {
  await using pool = open(1);
  pool.retireAfter(2);
  await pool.ready;
  const names: string[] = [];

  for (let i = 0; i < 5; i++) {
    await whenFree(pool);
    names.push((await start(pool, "pool.pid").result).processName);
  }

  expect(names).toEqual([1, 1, 2, 2, 3].map((n) => `ForkPoolWorker-${n}`));
});

test("given a running task, when the signals of a whole group reach its process too, then it ends in peace", async () => {
  await using pool = open(1);
  await pool.ready;
  const { result, told } = start(pool, "pool.waitFor", [join(dir, "gate"), join(dir, "log")]);
  await until(() => told.started.length > 0);

  for (const signal of ["SIGINT", "SIGTERM", "SIGQUIT", "SIGHUP"]) {
    process.kill(told.started[0]?.[0] as number, signal);
  }
  await writeFile(join(dir, "gate"), "");

  expect(await result).toMatchObject({ ended: "done", outcome: { resultJson: '"seen"' } });
});

test("given a module that does not load, when the pool starts, then ready says where the fault is", async () => {
  await writeFile(join(dir, "broken.ts"), "export const app = ;\n");
  await using pool = open(1, { appSpec: "broken", cwd: dir });

  const error = await pool.ready.catch((thrown: unknown) => thrown);

  expect(error).toBeInstanceOf(PoolStartError);
  expect((error as Error).message).toContain("broken.ts");
});

test("given a module that hangs, when the time is up, then ready says so", async () => {
  await writeFile(join(dir, "package.json"), '{"type": "module"}');
  await writeFile(join(dir, "hangs.ts"), "await new Promise((resolve) => setTimeout(resolve, 60_000));\n");
  await using pool = open(1, { appSpec: "hangs", cwd: dir, readyTimeoutMs: 1500 });

  await expect(pool.ready).rejects.toThrow("was not ready within 1.5 s");
});

test("given a limit to its memory, when a task leaves more behind, then its process is replaced", async () => {
  await using pool = open(1);
  await pool.ready;
  pool.retireAbove(300 * 1024);

  expect(await start(pool, "pool.keep", [1]).result).toMatchObject({ processName: "ForkPoolWorker-1" });
  await whenFree(pool);
  expect(await start(pool, "pool.keep", [300]).result).toMatchObject({ processName: "ForkPoolWorker-1" });
  await whenFree(pool);
  expect(await start(pool, "pool.keep", [1]).result).toMatchObject({ processName: "ForkPoolWorker-2" });
});

test("given a listener of workerProcessInit that takes its time, when the first task comes, then it is done", async () => {
  await using pool = open(1);
  await pool.ready;

  expect(await start(pool, "pool.initializedAs").result).toMatchObject({
    outcome: { resultJson: '"ForkPoolWorker-1"' },
  });
});

test("given a listener of workerProcessShutdown, when the pool ends in order, then it was called", async () => {
  const file = join(dir, "shutdowns");
  const pool = open(1, { env: { ...process.env, POOL_APP_SHUTDOWNS: file } });
  await pool.ready;
  const [pid] = pool.processes();

  await pool[Symbol.asyncDispose]();

  expect(await readFile(file, "utf8")).toBe(`${pid}\n`);
});

test("given a task that prints and blocks, when it starts, then its start is known before it ends", async () => {
  await using pool = open(1);
  await pool.ready;
  const run = start(pool, "pool.blockFor", [400]);
  let ended = false;
  void run.result.then(() => {
    ended = true;
  });

  await until(() => run.told.started.length > 0);

  expect(ended).toBe(false);
  await run.result;
});

test("given a result of megabytes, when it is returned, then it arrives whole", async () => {
  await using pool = open(1);
  await pool.ready;
  const text = "żółć ".repeat(500_000);

  const result = await start(pool, "pool.echo", [text]).result;

  expect(
    result.ended === "done" && result.outcome.state === "SUCCESS" && decodeJson(result.outcome.resultJson),
  ).toBe(text);
});
