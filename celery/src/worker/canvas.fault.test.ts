import { randomUUID } from "node:crypto";
import { readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { redisUrl } from "../../test/support/redis-url.ts";
import { openTestBroker, type TestBroker } from "../../test/support/test-broker.ts";
import { until } from "../../test/support/until.ts";
import { startCelery, type WorkerProcess } from "../../test/support/worker-process.ts";
import { chord } from "../app/canvas/primitives.ts";
import type { AsyncResult } from "../backend/async-result.ts";
import type { GroupResult } from "../backend/group-result.ts";
import { chordRescueId, UNACKED } from "../redis/keys.ts";

vi.setConfig({ testTimeout: 180_000 });

const url = `${redisUrl()}/42`;
const APPS = new URL("../../test/support/apps", import.meta.url).pathname;
const MEMBERS = 8;
const SIZE = 1024 * 1024;
/** The worker must die between the last part and the body: when it was too fast, it gets another chance. */
const TRIES = 10;

let broker: TestBroker;
let workers: WorkerProcess[];
let file: string;

beforeEach(async () => {
  broker = await openTestBroker(url);
  workers = [];
  file = join(tmpdir(), `celery-test-canvas-${randomUUID()}`);
});

afterEach(async () => {
  await Promise.all(workers.map((worker) => worker[Symbol.asyncDispose]()));
  await broker[Symbol.asyncDispose]();
  await rm(file, { force: true });
});

async function startWorker(): Promise<WorkerProcess> {
  const args = ["-A", "canvas-fault-app", "worker", "-l", "info", "-c", "2"];
  const worker = startCelery({ args, cwd: APPS, env: { REDIS_URL: url } });
  workers.push(worker);
  await worker.line(/ ready\.$/);
  return worker;
}

async function sendChord(task: string): Promise<{ body: AsyncResult<number[]>; rescueId: string }> {
  const { app } = broker;
  const header = Array.from({ length: MEMBERS }, () => app.signature(task, [SIZE]));
  const body = (await chord(header, app.signature<number[]>("fault.measure", [file])).delay()) as AsyncResult<
    number[]
  >;
  return { body, rescueId: chordRescueId((body.parent as GroupResult<unknown>).id) };
}

const isParked = async (rescueId: string): Promise<boolean> =>
  Number(await broker.redis.call("HEXISTS", UNACKED, rescueId)) === 1;

const calls = async (): Promise<number> => (await readFile(file, "utf8")).split("called").length - 1;

test.each(["fault.big", "fault.big_late"])(
  "given a chord of %s, when its worker is killed after the last part and before the body, then another one sends the body, once",
  async (task) => {
    for (let attempt = 0; ; attempt += 1) {
      const worker = await startWorker();
      const { body, rescueId } = await sendChord(task);
      await until(() => isParked(rescueId), 60_000);
      worker.killGroup("SIGKILL");
      await worker.exited;
      const wasInTime = await isParked(rescueId);
      if (!wasInTime && attempt < TRIES) {
        await rm(file, { force: true });
        continue;
      }
      expect(wasInTime).toBe(true);
      await startWorker();
      expect(await body.get({ timeout: 60 })).toEqual(Array.from({ length: MEMBERS }, () => SIZE));
      expect(await calls()).toBe(1);
      await until(async () => (await broker.unacked()) === 0);
      return;
    }
  },
);
