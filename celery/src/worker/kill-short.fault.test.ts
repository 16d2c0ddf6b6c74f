import { expect, test, vi } from "vitest";
import { type FaultLab, openFaultLab, type Sent } from "../../test/support/fault-lab.ts";
import { seededRandom, testSeed } from "../../test/support/random.ts";
import { redisUrl } from "../../test/support/redis-url.ts";
import { NOTHING_LEFT } from "../../test/support/test-broker.ts";

// Much longer than it takes: the machine may be busy with other things.
vi.setConfig({ testTimeout: 900_000 });

const SLOTS = 2;
const ROUNDS = 5;
const TASKS = 2000;
/** `worker_prefetch_multiplier`: so many messages for each slot are held and not answered for. */
const PREFETCH = 4;

/** The numbers of those that have no result. */
async function pending(sent: readonly Sent[]): Promise<readonly number[]> {
  const states = await Promise.all(sent.map(async ({ n, result }) => ({ n, state: await result.state() })));
  return states.filter(({ state }) => state === "PENDING").map(({ n }) => n);
}

/** Sends tasks, and kills the worker with its processes when a random number of them has begun; another one does the rest. */
async function killAmid(lab: FaultLab, task: string, random: () => number): Promise<readonly Sent[]> {
  const worker = await lab.startWorker(SLOTS);
  const { size: before } = (await lab.ledger()).begun;
  const sent = await lab.send(task, TASKS, () => 0);
  await lab.begun(before + Math.floor(random() * TASKS * 0.9));
  worker.killGroup("SIGKILL");
  await worker.exited;
  return sent;
}

test("given short tasks with late ack, when worker and processes are killed at once, then all have their results, and no more run again than were held", async () => {
  await using lab = await openFaultLab(`${redisUrl()}/65`);
  const random = seededRandom(testSeed());

  for (let round = 0; round < ROUNDS; round++) {
    const sent = await killAmid(lab, "fault.shortLate", random);
    const next = await lab.startWorker(SLOTS);
    await Promise.all(sent.map(({ result }) => result.get({ timeout: 60 })));
    await lab.drained();
    next.killGroup("SIGKILL");
    await next.exited;

    const { begun } = await lab.ledger();
    const again = sent.filter(({ n }) => begun.get(n) !== 1);
    expect(again.filter(({ n }) => begun.get(n) !== 2)).toEqual([]);
    expect(again.length).toBeLessThanOrEqual(PREFETCH * SLOTS);
  }
  expect(await lab.broker.leftovers()).toEqual(NOTHING_LEFT);
});

test("given short tasks with early ack, when worker and processes are killed at once, then only those are lost or run again that had begun and had no result", async () => {
  await using lab = await openFaultLab(`${redisUrl()}/65`);
  const random = seededRandom(testSeed());

  for (let round = 0; round < ROUNDS; round++) {
    const sent = await killAmid(lab, "fault.shortEarly", random);
    const { begun: before } = await lab.ledger();
    const inDoubt = (await pending(sent)).filter((n) => before.has(n));
    const next = await lab.startWorker(SLOTS);
    await lab.drained();
    const certain = sent.filter(({ n }) => !inDoubt.includes(n));
    await Promise.all(certain.map(({ result }) => result.get({ timeout: 60 })));
    next.killGroup("SIGKILL");
    await next.exited;

    const { begun } = await lab.ledger();
    const lost = await pending(sent);
    const again = sent.map(({ n }) => n).filter((n) => begun.get(n) === 2);
    expect(new Set([...lost, ...again])).toEqual(new Set(inDoubt));
    expect(certain.filter(({ n }) => begun.get(n) !== 1)).toEqual([]);
  }
  expect(await lab.broker.leftovers()).toEqual(NOTHING_LEFT);
});
