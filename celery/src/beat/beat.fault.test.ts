import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { redisUrl } from "../../test/support/redis-url.ts";
import { until } from "../../test/support/until.ts";
import { startCelery, type WorkerProcess } from "../../test/support/worker-process.ts";
import { openConnection, type RedisConnection } from "../redis/connection.ts";

/** Seconds that the lock outlives its holder, as `celery beat` has it. */
const TTL_SECONDS = 10;
const url = `${redisUrl()}/41`;
const apps = new URL("../../test/support/apps/", import.meta.url).pathname;

let redis: RedisConnection;
let folder: string;
beforeEach(async () => {
  redis = openConnection(url);
  await redis.call("FLUSHDB");
  folder = await mkdtemp(join(tmpdir(), "celery-beat-fault-"));
});
afterEach(async () => {
  await redis[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

const startBeat = (name: string): WorkerProcess => {
  const beat = startCelery({
    args: ["-A", "beat-app", "beat", "-l", "info", "-s", join(folder, name)],
    cwd: apps,
    env: { REDIS_URL: url },
  });
  onTestFinished(() => beat[Symbol.asyncDispose]() as Promise<void>);
  return beat;
};

const sendings = (...beats: WorkerProcess[]): number =>
  beats.flatMap(({ lines }) => lines).filter((line) => line.includes("Sending due task tick")).length;
const inQueue = async (): Promise<number> => Number(await redis.call("LLEN", "celery"));
const goesOn = async (beat: WorkerProcess): Promise<void> => {
  const before = sendings(beat);
  await until(() => sendings(beat) >= before + 3, 30_000);
};

describe("two Beats, one of which meets a bad end", () => {
  test("given the sending one killed without warning, when its lock lapses, then the other sends within ten seconds, each due time once", async () => {
    const first = startBeat("first");
    await goesOn(first);
    const second = startBeat("second");
    await second.line(/waits and sends nothing/);

    first.kill("SIGKILL");
    const killed = performance.now();
    await first.exited;
    await second.line(/this one sends from now on/);

    expect((performance.now() - killed) / 1000).toBeLessThan(TTL_SECONDS + 1);
    await goesOn(second);
    second.kill("SIGTERM");
    expect(await second.exited).toBe(0);
    // The first may have died between sending and saying so.
    expect(await inQueue()).toBeGreaterThanOrEqual(sendings(first, second));
    expect(await inQueue()).toBeLessThanOrEqual(sendings(first, second) + 1);
  });

  test("given the sending one frozen until the other has taken over, when it thaws, then it sends nothing more and waits", async () => {
    const first = startBeat("first");
    await goesOn(first);
    const second = startBeat("second");
    await second.line(/waits and sends nothing/);

    first.kill("SIGSTOP");
    await second.line(/this one sends from now on/);
    const before = sendings(first);
    first.kill("SIGCONT");

    await first.line(/waits and sends nothing/);
    await goesOn(second);
    expect(sendings(first)).toBe(before);
    second.kill("SIGTERM");
    await second.exited;
    await first.line(/this one sends from now on/);
    first.kill("SIGTERM");
    await first.exited;
    expect(await inQueue()).toBe(sendings(first, second));
  });
});
