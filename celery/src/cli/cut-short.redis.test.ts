import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { copyFile, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, onTestFinished, test } from "vitest";
import { redisUrl } from "../../test/support/redis-url.ts";
import { until } from "../../test/support/until.ts";
import { openMailbox } from "../control/index.ts";
import { openEventDispatcher } from "../events/index.ts";
import { openConnection } from "../redis/connection.ts";
import { LamportClock } from "../runtime/lamport-clock.ts";
import { silentLog } from "../runtime/log.ts";

const url = `${redisUrl()}/74`;
const CELERY = new URL("../../bin/celery.mjs", import.meta.url).pathname;

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "closed-pipe-"));
  await copyFile(new URL("../../package.json", import.meta.url), join(folder, "package.json"));
  const library = new URL("../../dist/index.js", import.meta.url).href;
  const app = `import { Celery } from "${library}";\nexport const app = new Celery("tasks", { broker: "${url}" });\n`;
  await writeFile(join(folder, "tasks.js"), app);
});
afterEach(() => rm(folder, { recursive: true }));

interface Piped {
  readonly child: ChildProcess;
  readonly errors: () => string;
}

function celery(...args: readonly string[]): Piped {
  const child = spawn(process.execPath, [CELERY, "-A", "tasks", ...args], { cwd: folder });
  onTestFinished(() => void child.kill("SIGKILL"));
  let errors = "";
  child.stderr.on("data", (data: Buffer) => (errors += data.toString()));
  return { child, errors: () => errors };
}

test("given events that are dumped, when the reader has had enough, then the dump ends", async () => {
  const { child, errors } = celery("events", "--dump");
  await once(child.stdout!, "data");
  child.stdout?.destroy();
  await using events = openEventDispatcher(url, { hostname: "w1@vm", taskEvents: true });
  const ended = once(child, "close");
  let isOver = false;
  void ended.then(() => (isOver = true));

  await until(async () => {
    events.send("task-started", { uuid: "t1" });
    await events.flush();
    return isOver;
  });

  expect(await ended).toEqual([1, null]);
  expect(errors()).toBe("");
});

test("given a worker whose banner nobody reads, when it has started, then it goes on", async () => {
  const { child, errors } = celery("worker", "-P", "solo", "-l", "info", "-n", "unread@%h");
  child.stdout?.destroy();

  await until(() => /unread@.* ready\./.test(errors()));
  child.kill("SIGTERM");

  expect(await once(child, "close")).toEqual([0, null]);
});

test("given a question that nobody answers, when Ctrl-C is pressed, then it ends as click does, and leaves nothing in the broker", async () => {
  await using redis = openConnection(url);
  await redis.call("FLUSHDB");
  await using _mailbox = await openMailbox(url, {
    nodeName: "other@here",
    lamport: new LamportClock(),
    log: silentLog,
    commands: {},
  });
  const { child, errors } = celery("inspect", "ping", "-t", "60", "-d", "nobody@nowhere");
  await until(async () => Number(await redis.call("EXISTS", "_kombu.binding.reply.celery.pidbox")) === 1);

  child.kill("SIGINT");

  expect(await once(child, "close")).toEqual([1, null]);
  expect(errors()).toBe("Aborted!\n");
  expect(await redis.call("KEYS", "*reply*")).toEqual([]);
});
