import { expect, test } from "vitest";
import { type FaultLab, openFaultLab } from "../../test/support/fault-lab.ts";
import { redisUrl } from "../../test/support/redis-url.ts";
import { until } from "../../test/support/until.ts";
import { childPids, type WorkerProcess } from "../../test/support/worker-process.ts";

function openLab(): Promise<FaultLab> {
  return openFaultLab(`${redisUrl()}/15`);
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** What a person at the terminal reads after the first task was received. */
function lastWords(worker: WorkerProcess): readonly string[] {
  const lines = worker.lines
    .filter((line) => line !== "")
    .map((line) => line.replace(/^\[[^:]+:\d+:[^:]+: /, "["));
  return lines.slice(lines.findLastIndex((line) => line.endsWith("received")) + 1);
}

test("given a running and two waiting tasks, when Ctrl-C reaches the whole group, then the running one ends and the others go back", async () => {
  await using lab = await openLab();
  const worker = await lab.startWorker(1);
  const sent = await lab.send("fault.early", 3, () => 3000);
  await lab.begun(1);
  await until(() => worker.lines.filter((line) => line.endsWith("received")).length === 3);

  worker.killGroup("SIGINT");

  expect(await worker.exited).toBe(0);
  expect(await Promise.all(sent.map(({ result }) => result.state()))).toEqual([
    "SUCCESS",
    "PENDING",
    "PENDING",
  ]);
  expect(await lab.broker.leftovers()).toMatchObject({ waiting: 2, unacked: 0 });
  expect(lastWords(worker)).toEqual([
    "worker: Hitting Ctrl+C again will initiate cold shutdown, terminating all running tasks!",
    "worker: Warm shutdown (MainProcess)",
    "[WARNING/MainProcess] Restoring 2 unacknowledged message(s)",
    expect.stringContaining("succeeded in"),
  ]);
});

test("given a task that takes long, when Ctrl-C is pressed twice, then the worker ends at once and the task goes back", async () => {
  await using lab = await openLab();
  const worker = await lab.startWorker(1);
  await lab.send("fault.late", 1, () => 60_000);
  await lab.begun(1);

  worker.killGroup("SIGINT");
  await worker.line(/Warm shutdown/);
  worker.killGroup("SIGINT");

  expect(await worker.exited).toBe(0);
  expect(await lab.broker.leftovers()).toMatchObject({ waiting: 1, unacked: 0 });
});

test("given a worker, when its terminal goes away, then nothing of it is left", async () => {
  await using lab = await openLab();
  const worker = await lab.startWorker(2);
  const children = await childPids(worker.pid);
  await lab.send("fault.late", 1, () => 60_000);
  await lab.begun(1);

  worker.killGroup("SIGHUP");
  await worker.exited;

  await until(() => !children.some(isAlive));
  expect(await lab.broker.leftovers()).toMatchObject({ waiting: 1, unacked: 0 });
});

test("given children of which one is blocked, when the main process alone is killed with -9, then all of them end", async () => {
  await using lab = await openLab();
  const worker = await lab.startWorker(2);
  const children = await childPids(worker.pid);
  await lab.send("fault.block", 1, () => 0);
  await lab.begun(1);

  worker.kill("SIGKILL");
  await worker.exited;

  await until(() => !children.some(isAlive));
});
