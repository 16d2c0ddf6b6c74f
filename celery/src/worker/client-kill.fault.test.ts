import { setTimeout as pause } from "node:timers/promises";
import { expect, test, vi } from "vitest";
import { openFaultLab } from "../../test/support/fault-lab.ts";
import { seededRandom, testSeed } from "../../test/support/random.ts";
import { redisUrl } from "../../test/support/redis-url.ts";
import { openConnection, type RedisConnection } from "../redis/connection.ts";

vi.setConfig({ testTimeout: 600_000 });

const TASKS = 300;

test("given a worker and a waiting client, when their connections are killed at random and scripts are flushed, then each task runs once, and every get ends", async () => {
  const url = `${redisUrl()}/65`;
  await using lab = await openFaultLab(url);
  const random = seededRandom(testSeed());
  // A lease that outlives any number of kills: nobody has a reason to run a task again.
  const worker = await lab.startWorker(4, { HEARTBEAT_TTL: "20" });
  await using killer = openConnection(redisUrl(), { name: "killer" });
  const stop = new AbortController();

  const trouble = killAtRandom(killer, random, stop.signal);
  const late = await lab.send("fault.late", TASKS, () => Math.floor(random() * 30));
  const early = await lab.send("fault.early", TASKS, () => Math.floor(random() * 30));
  const sent = [...late, ...early];
  const ends = await Promise.all(sent.map(({ result }) => result.get({ timeout: 300 })));
  stop.abort();
  const kills = await trouble;

  expect(ends).toEqual(sent.map(({ n }) => n));
  expect(kills).toBeGreaterThan(10);
  const { begun } = await lab.ledger();
  expect(sent.filter(({ n }) => begun.get(n) !== 1)).toEqual([]);
  await lab.drained();
  expect(worker.lines.filter((line) => line.includes("MaxListeners"))).toEqual([]);
  expect(await lab.broker.leftovers()).toEqual({ waiting: 0, unacked: 0, unackedIndex: 0, dead: 0 });
});

/** Only clients of the test's own database; @returns how many were killed. */
async function killAtRandom(
  killer: RedisConnection,
  random: () => number,
  stop: AbortSignal,
): Promise<number> {
  let killed = 0;
  while (!stop.aborted) {
    const clients = String(await killer.call("CLIENT", "LIST")).split("\n");
    const ours = clients.filter((line) => / db=65 /.test(line) || / sub=[1-9]| psub=[1-9]/.test(line));
    const victims = random() < 0.2 ? ours : ours.filter(() => random() < 0.15);
    for (const line of victims) {
      const id = /^id=(\d+)/.exec(line)?.[1] ?? "0";
      killed += Number(await killer.call("CLIENT", "KILL", "ID", id));
    }
    if (random() < 0.2) await killer.call("SCRIPT", "FLUSH");
    await pause(20 + random() * 80);
  }
  return killed;
}
