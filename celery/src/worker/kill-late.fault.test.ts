import { expect, test, vi } from "vitest";
import { type FaultLab, openFaultLab, type Sent } from "../../test/support/fault-lab.ts";
import { seededRandom, testSeed } from "../../test/support/random.ts";
import { redisUrl } from "../../test/support/redis-url.ts";
import { until } from "../../test/support/until.ts";
import { childPids, type WorkerProcess } from "../../test/support/worker-process.ts";

// Much longer than it takes: the machine may be busy with other things.
vi.setConfig({ testTimeout: 900_000 });

const SLOTS = 4;
const ROUNDS = 20;
const TASKS = 500;

interface Round {
  readonly sent: readonly Sent[];
  /** At most this many tasks ran when something was killed, and so may have run twice. */
  readonly explained: number;
}

/** Kills a child, or the whole process group, when a random number of the round's tasks has begun. */
async function killSomething(
  lab: FaultLab,
  worker: WorkerProcess,
  random: () => number,
): Promise<[WorkerProcess, number]> {
  if (random() < 0.5) {
    worker.killGroup("SIGKILL");
    await worker.exited;
    // Per slot: one running, one that has ended while the worker was busy, one whose result is on its way (ADR 22).
    return [await lab.startWorker(SLOTS), 3 * SLOTS];
  }
  const children = await childPids(worker.pid);
  const victim = children[Math.floor(random() * children.length)];
  if (victim !== undefined) process.kill(victim, "SIGKILL");
  return [worker, 1];
}

test("given 500 tasks with late ack, when group or child are killed at random, in 20 rounds, then every task has its result", async () => {
  await using lab = await openFaultLab(`${redisUrl()}/12`);
  const random = seededRandom(testSeed());
  let worker = await lab.startWorker(SLOTS);
  const rounds: Round[] = [];

  for (let round = 0; round < ROUNDS; round++) {
    const { size: before } = (await lab.ledger()).begun;
    const sent = await lab.send("fault.late", TASKS, () => Math.floor(random() * 4));
    await lab.begun(before + Math.floor(random() * TASKS));
    const [next, explained] = await killSomething(lab, worker, random);
    worker = next;
    await Promise.all(sent.map(({ result }) => result.get({ timeout: 60 })));
    rounds.push({ sent, explained });
  }

  const all = rounds.flatMap(({ sent }) => sent);
  expect(await Promise.all(all.map(({ result }) => result.get()))).toEqual(all.map(({ n }) => n));
  await lab.drained();
  expect(await lab.broker.leftovers()).toEqual({ waiting: 0, unacked: 0, unackedIndex: 0, dead: 0 });
  const { begun } = await lab.ledger();
  const extra = [...begun.values()].reduce((sum, times) => sum + times - 1, 0);
  expect(extra).toBeLessThanOrEqual(rounds.reduce((sum, { explained }) => sum + explained, 0));
});

test("given a task with late ack that outlives its process three times, when the fourth dies too, then it has failed, is a dead letter, and runs no more", async () => {
  await using lab = await openFaultLab(`${redisUrl()}/12`);
  await lab.startWorker(1);
  const [sent] = await lab.send("fault.late", 1, () => 60_000);
  const n = sent?.n ?? -1;

  for (let times = 1; times <= 4; times++) {
    await until(async () => (await lab.ledger()).begun.get(n) === times, 60_000);
    process.kill((await lab.ledger()).process.get(n) ?? Number.NaN, "SIGKILL");
  }

  await expect(sent?.result.get({ timeout: 60 })).rejects.toThrow("The task ended its process 4 times");
  await lab.drained();
  expect((await lab.ledger()).begun.get(n)).toBe(4);
  expect(await lab.broker.leftovers()).toEqual({ waiting: 0, unacked: 0, unackedIndex: 0, dead: 1 });
  expect(await lab.broker.redis.call("EXISTS", "ts1:deliveries")).toBe(0);
});
