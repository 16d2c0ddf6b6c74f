import { expect, test, vi } from "vitest";
import { openFaultLab } from "../../test/support/fault-lab.ts";
import { startSentinelLab } from "../../test/support/redis-kinds.ts";

vi.setConfig({ testTimeout: 300_000 });

const TASKS = 60;

test("given a worker and a client that ask Sentinels, when the master is killed under load, then both go on with the new one", async () => {
  await using sentinels = await startSentinelLab();
  const url = `${sentinels.url}/0?master_name=${sentinels.masterName}`;
  await using lab = await openFaultLab(url);
  const worker = await lab.startWorker(2, { HEARTBEAT_TTL: "20" });
  const before = await lab.send("fault.late", TASKS, () => 30);
  await lab.begun(10);
  // What a replica has not heard is lost with its master: that is Redis's promise, not ours to test.
  expect(await lab.broker.redis.call("WAIT", 1, 5000)).toBe(1);

  await sentinels.failOver();

  const values = before.map(({ result }) => result.get({ timeout: 120 }));
  expect(await Promise.all(values)).toEqual(before.map(({ n }) => n));
  await worker.line(/Connection to broker lost\. Trying to re-establish the connection/);
  const after = await lab.send("fault.late", 5, () => 1);
  expect(await Promise.all(after.map(({ result }) => result.get({ timeout: 120 })))).toEqual(
    after.map(({ n }) => n),
  );
  await lab.drained();
  expect(await lab.broker.leftovers()).toEqual({ waiting: 0, unacked: 0, unackedIndex: 0, dead: 0 });
});
