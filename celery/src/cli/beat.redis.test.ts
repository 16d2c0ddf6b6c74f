import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, expect, onTestFinished, test } from "vitest";
import { redisUrl } from "../../test/support/redis-url.ts";
import { until } from "../../test/support/until.ts";
import { startCelery, type WorkerProcess } from "../../test/support/worker-process.ts";

/** Shared with others that leave the default queue alone. */
const url = `${redisUrl()}/88`;
const apps = new URL("../../test/support/apps/", import.meta.url).pathname;

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "celery-beat-cli-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
});

function beat(...args: string[]): WorkerProcess {
  const process = startCelery({
    args: ["-A", "beat-app", "beat", "-l", "info", "-s", join(folder, "schedule"), ...args],
    cwd: apps,
    env: { REDIS_URL: url },
  });
  onTestFinished(() => process[Symbol.asyncDispose]() as Promise<void>);
  return process;
}

const text = (name: string): Promise<string> => readFile(join(folder, name), "utf8").catch(() => "");

test("given --detach with files, when Beat is started, then the command returns, Beat ticks into its log, and a second one is refused", async () => {
  const files = ["--pidfile", join(folder, "%n.pid"), "--logfile", join(folder, "%n.log")];
  expect(await beat("--detach", ...files).exited).toBe(0);
  await until(async () => /^\d+$/m.test(await text("celerybeat.pid")));
  const pid = Number(await text("celerybeat.pid"));
  onTestFinished(async () => {
    process.kill(pid, "SIGTERM");
    await until(async () => (await text("celerybeat.pid")) === "");
  });

  await until(async () => (await text("celerybeat.log")).includes("Sending due task tick"));

  const second = beat(...files);
  expect(await second.line(/already running/)).toContain(`pid: ${pid}`);
  expect(await second.exited).not.toBe(0);
});

test("given another scheduler or user, when Beat is asked for it, then it refuses with the next step", async () => {
  const scheduler = beat("-S", "django_celery_beat.schedulers:DatabaseScheduler");
  expect(await scheduler.line(/DatabaseScheduler is not here/)).toContain("run Python's celery beat");
  expect(await scheduler.exited).toBe(2);
  await beat("--uid", "1000").line(/--uid is not supported/);
});
