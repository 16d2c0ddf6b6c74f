import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openFaultLab } from "../../test/support/fault-lab.ts";
import { seededRandom, testSeed } from "../../test/support/random.ts";
import { freePort, startRedisServer } from "../../test/support/redis-server.ts";

const AOF = ["--appendonly", "yes", "--appendfsync", "everysec"];
const ROUNDS = 3;
const TASKS = 150;

test("given a Redis with an append-only file, when it is killed under load and comes back, then the worker goes on by itself and nothing is lost", async () => {
  const dir = await mkdtemp(join(tmpdir(), "celery-test-aof-"));
  const place = { port: await freePort(), dir };
  const random = seededRandom(testSeed());
  let redis = await startRedisServer(AOF, place);
  try {
    await using lab = await openFaultLab(`${redis.url}/0`);
    const worker = await lab.startWorker(4);
    for (let round = 0; round < ROUNDS; round++) {
      const { size: before } = (await lab.ledger()).begun;
      const late = await lab.send("fault.late", TASKS, () => Math.floor(random() * 20));
      const early = await lab.send("fault.early", TASKS, () => Math.floor(random() * 20));
      await lab.begun(before + Math.floor(random() * TASKS));
      const results = [...late, ...early];

      await redis.stop();
      await worker.line(/Connection to broker lost\. Trying to re-establish the connection/);
      redis = await startRedisServer(AOF, place);

      const ends = results.map(({ result }) => result.get({ timeout: 120 }));
      expect(await Promise.all(ends)).toEqual(results.map(({ n }) => n));
    }
    await lab.drained();
    expect(await lab.broker.leftovers()).toEqual({ waiting: 0, unacked: 0, unackedIndex: 0, dead: 0 });
    expect(worker.lines.filter((line) => line.includes("Connected to")).length).toBe(ROUNDS + 1);
  } finally {
    await redis.stop();
    await rm(dir, { recursive: true, force: true });
  }
});
