import { mkdtemp, rm } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { askWorkers } from "../../src/control/index.ts";
import { openConnection } from "../../src/redis/connection.ts";
import { testSeed } from "../support/random.ts";
import { redisUrl } from "../support/redis-url.ts";
import { compareDue, compareNext, compareRelative, type ScheduleCases } from "../support/schedule-cases.ts";
import { until } from "../support/until.ts";
import { startCelery } from "../support/worker-process.ts";
import { proves } from "./compat.ts";
import { PythonClient, type PythonProcess, startPython, startPythonWorker } from "./python-celery.ts";

vi.setConfig({ testTimeout: 60_000 });

const base = redisUrl();
/** One database a direction, so that nobody takes what another waits for. */
const toPython = `${base}/85`;
const toOurs = `${base}/86`;
const SEED = testSeed();
const CASES = 4000;
const NODE = `clock@${hostname()}`;
const ANSWERING = ["--enable-remote-control", "-n", "clock@%h"];

let folder: string;
let python: PythonClient;
let ours: PythonClient;

beforeAll(async () => {
  for (const url of [toPython, toOurs]) {
    await using redis = openConnection(url);
    await redis.call("FLUSHDB");
  }
  folder = await mkdtemp(join(tmpdir(), "celery-beat-interop-"));
  [python, ours] = await Promise.all([PythonClient.open(toPython), PythonClient.open(toOurs)]);
}, 360_000);

afterAll(async () => {
  await Promise.all([python?.[Symbol.asyncDispose](), ours?.[Symbol.asyncDispose]()]);
  await rm(folder, { recursive: true, force: true });
});

/** The ids that a Beat wrote when it had sent a task: both write the same line. */
function idsOf(lines: readonly string[], task: string): string[] {
  const written = new RegExp(`${task.replace(".", "\\.")} sent\\. id->([-0-9a-f]{36})`);
  return lines.flatMap((line) => written.exec(line)?.[1] ?? []);
}

test("given our Beat and a Python worker, when entries of both kinds are due, then Python runs them with all they say", async () => {
  proves("Beat", "entries in seconds, with args, kwargs, queue, priority, expires", "ours → python");
  proves("Beat", "add_periodic_task", "ours → python");
  proves("Beat", "inspect ping (--enable-remote-control)", "python → ours");
  const worker = await startPythonWorker(toPython, ["-P", "solo", "-Q", "for-python"]);
  onTestFinished(() => worker[Symbol.asyncDispose]() as Promise<void>);
  const beat = startCelery({
    args: ["-A", "beat-app", "beat", "-l", "debug", "-s", join(folder, "ours"), ...ANSWERING],
    cwd: import.meta.dirname,
    env: { REDIS_URL: toPython },
  });
  onTestFinished(() => beat[Symbol.asyncDispose]() as Promise<void>);

  await until(() => idsOf(beat.lines, "interop.describe").length > 1, 30_000);
  await until(() => idsOf(beat.lines, "interop.add").length > 0, 30_000);

  const [first, second] = idsOf(beat.lines, "interop.describe");
  for (const id of [first, second] as string[]) {
    expect((await python.get(id)).value).toMatchObject({
      id,
      args: [1, "two"],
      kwargs: { deep: [true] },
      root_id: id,
      parent_id: null,
      from_beat: true,
    });
  }
  expect(await python.ask({ command: "ping", timeout: 5, destination: [NODE] })).toEqual({
    [NODE]: { ok: "pong" },
  });
  const [sum] = idsOf(beat.lines, "interop.add");
  expect(await python.get(sum as string)).toEqual({ value: 5, state: "SUCCESS" });
});

test("given Python's Beat and our worker, when an entry is due, then our worker runs it with all it says", async () => {
  proves("Beat", "entries in seconds, with args, kwargs, queue, priority, expires", "python → ours");
  proves("Beat", "add_periodic_task", "python → ours");
  proves("Beat", "inspect ping (--enable-remote-control)", "ours → python");
  const worker = startCelery({
    args: ["-A", "interop-app", "worker", "-l", "info", "-c", "1", "-Q", "for-ts"],
    cwd: import.meta.dirname,
    env: { REDIS_URL: toOurs },
  });
  onTestFinished(() => worker[Symbol.asyncDispose]() as Promise<void>);
  const beat: PythonProcess = await startPython(
    ["-m", "celery", "-A", "beat_app", "beat", "-l", "debug", "-s", join(folder, "theirs"), ...ANSWERING],
    { REDIS_URL: toOurs },
  );
  onTestFinished(() => beat[Symbol.asyncDispose]() as Promise<void>);

  await until(() => idsOf(beat.lines, "interop.describe").length > 1, 30_000);

  for (const id of idsOf(beat.lines, "interop.describe").slice(0, 2)) {
    expect((await ours.get(id)).value).toMatchObject({
      id,
      args: [1, "two", { deep: [true] }],
      root_id: id,
      from_beat: true,
    });
  }
  await until(() => idsOf(beat.lines, "interop.add").length > 0, 30_000);
  const [sum] = idsOf(beat.lines, "interop.add");
  expect(await ours.get(sum as string)).toEqual({ value: 5, state: "SUCCESS" });
  expect(await askWorkers(toOurs, "ping", { timeoutSeconds: 10, destination: [NODE] })).toEqual(
    new Map([[NODE, { ok: "pong" }]]),
  );
});

describe(`due times of ${CASES} random schedules and moments, seed ${SEED}`, () => {
  let cases: ScheduleCases;
  beforeAll(async () => {
    const script = new URL("../support/make-crontab-cases.py", import.meta.url).pathname;
    const printed = await startPython([script, String(SEED), String(CASES)], {});
    await using _printed = printed;
    cases = JSON.parse(await printed.line(/^\{"next"/)) as ScheduleCases;
  }, 60_000);

  test("given crontabs of every form in eight time zones, when asked for the next run, then it is Celery's to the second", () => {
    proves("Beat", "crontab: the next run, clock changes included", "mixed");
    const { ours: found, celerys } = compareNext(cases.next);

    expect(found).toEqual(celerys);
    expect(celerys.length).toBeGreaterThan(CASES * 0.9);
  });

  test("given a last run and a moment, when asked what is due, then catching up and beat_cron_starting_deadline are Celery's", () => {
    proves("Beat", "crontab: catching up, beat_cron_starting_deadline", "mixed");
    const { ours: found, celerys } = compareDue(cases.due);

    expect(found).toEqual(celerys);
    expect(celerys.length).toBeGreaterThan((CASES / 4) * 0.9);
  });

  test("given intervals that are rounded to the clock, when asked for the next run, then it is Celery's", () => {
    proves("Beat", "schedule(run_every, relative=True)", "mixed");
    const { ours: found, celerys } = compareRelative(cases.relative);

    expect(found).toEqual(celerys);
    expect(celerys).toHaveLength(CASES / 2);
  });
});
