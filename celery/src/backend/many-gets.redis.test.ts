import { expect, test, vi } from "vitest";
import { redisUrl } from "../../test/support/redis-url.ts";
import { openTestBroker } from "../../test/support/test-broker.ts";
import { startTestWorker } from "../../test/support/test-worker.ts";
import { until } from "../../test/support/until.ts";

vi.setConfig({ testTimeout: 120_000 });

const GETS = 3000;
const AT_ONCE = 100;

test("given thousands of gets, when all have ended, then no connection, subscription or timer is left of them, and Node warned of nothing", async () => {
  await using broker = await openTestBroker(`${redisUrl()}/68`);
  const { app, redis } = broker;
  app.task("tasks.add", (x: number, y: number) => x + y);
  await using _worker = await startTestWorker(app, { concurrency: 20 });
  const warnings: Error[] = [];
  const onWarning = (warning: Error): void => void warnings.push(warning);
  process.on("warning", onWarning);
  const getMany = async (count: number): Promise<void> => {
    let sent = 0;
    const lane = async (): Promise<void> => {
      while (sent < count) {
        sent += 1;
        const result = await app.sendTask("tasks.add", [sent, 1]);
        await result.get({ timeout: 60 });
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, lane));
  };
  const look = async (): Promise<{ clients: number; channels: number; timers: number }> => {
    const clients = String(await redis.call("CLIENT", "LIST")).split("\n");
    return {
      clients: clients.filter((line) => line.includes(" db=68 ") || line.includes("celery-waiters")).length,
      channels: ((await redis.call("PUBSUB", "CHANNELS", "celery-task-meta-*")) as unknown[]).length,
      timers: process.getActiveResourcesInfo().filter((name) => name === "Timeout").length,
    };
  };
  await getMany(AT_ONCE);
  await until(async () => (await look()).channels === 0);
  const before = await look();

  await getMany(GETS);

  await until(async () => (await look()).channels === 0);
  const after = await look();
  // The worker's own come one by one, as it needs them; none is for a get.
  expect(after.clients).toBeLessThan(before.clients + 5);
  expect(after.timers).toBeLessThan(before.timers + 10);
  expect(warnings.map(({ message }) => message)).toEqual([]);
  process.off("warning", onWarning);
});
