import { setTimeout as pause } from "node:timers/promises";
import { expect, test, vi } from "vitest";
import { seededRandom, testSeed } from "../../test/support/random.ts";
import { redisUrl } from "../../test/support/redis-url.ts";
import { openTestBroker } from "../../test/support/test-broker.ts";
import { startTestWorker } from "../../test/support/test-worker.ts";

vi.setConfig({ testTimeout: 600_000 });

const GETS = 800;
const LANES = 8;

test("given subscriptions cut at random before, between and after send and get, then every get ends, with its own result", async () => {
  await using broker = await openTestBroker(`${redisUrl()}/43`);
  const { app, redis } = broker;
  const random = seededRandom(testSeed());
  const echo = app.task("tasks.echo", async (n: number, ms: number) => {
    await pause(ms);
    return n;
  });
  await using _worker = await startTestWorker(app, { concurrency: 20 });
  let killed = 0;
  const maybeKill = async (): Promise<void> => {
    if (random() < 0.06) killed += Number(await redis.call("CLIENT", "KILL", "TYPE", "pubsub"));
  };
  /** Some are long enough to be connected again: what came in the gap is missed for good then, and has to be read. */
  const maybePause = async (): Promise<void> => {
    if (random() < 0.4) await pause(random() * 200);
  };
  let sent = 0;
  const ends: (readonly [sent: number, got: number])[] = [];

  const lane = async (): Promise<void> => {
    while (sent < GETS) {
      const n = (sent += 1);
      await maybeKill();
      await maybePause();
      const result = await echo.delay(n, random() < 0.5 ? 0 : random() * 40);
      await maybeKill();
      await maybePause();
      const got = result.get({ timeout: 60 });
      await Promise.all([got, maybePause().then(maybeKill)]);
      ends.push([n, await got]);
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));

  expect(ends).toHaveLength(GETS);
  expect(ends.filter(([n, got]) => n !== got)).toEqual([]);
  expect(killed).toBeGreaterThan(30);
});
