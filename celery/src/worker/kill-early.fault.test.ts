import { expect, test, vi } from "vitest";
import { type FaultLab, openFaultLab, type Sent } from "../../test/support/fault-lab.ts";
import { seededRandom, testSeed } from "../../test/support/random.ts";
import { redisUrl } from "../../test/support/redis-url.ts";
import { childPids } from "../../test/support/worker-process.ts";

// Much longer than it takes: the machine may be busy with other things.
vi.setConfig({ testTimeout: 900_000 });

const SLOTS = 4;
const ROUNDS = 8;
const TASKS = 100;

/** The numbers of those tasks whose state is one of these. */
async function inState(sent: readonly Sent[], ...states: readonly string[]): Promise<ReadonlySet<number>> {
  const found = await Promise.all(sent.map(async ({ n, result }) => ({ n, state: await result.state() })));
  return new Set(found.filter(({ state }) => states.includes(state)).map(({ n }) => n));
}

/** Those that had begun when everything was killed, and had no result by then. */
async function runningNow(lab: FaultLab, sent: readonly Sent[]): Promise<ReadonlySet<number>> {
  const { begun } = await lab.ledger();
  const open = await inState(sent, "PENDING");
  return new Set([...open].filter((n) => begun.has(n)));
}

/** The numbers of those tasks that have no result within a minute. */
async function withoutEnd(sent: readonly Sent[]): Promise<readonly number[]> {
  const ends = await Promise.allSettled(sent.map(({ result }) => result.get({ timeout: 60 })));
  return sent.filter((_, at) => ends[at]?.status === "rejected").map(({ n }) => n);
}

test("given tasks with early ack, when the whole group is killed, then only those are lost that were running", async () => {
  await using lab = await openFaultLab(`${redisUrl()}/13`);
  const random = seededRandom(testSeed());
  let worker = await lab.startWorker(SLOTS);

  for (let round = 0; round < ROUNDS; round++) {
    const { size: before } = (await lab.ledger()).begun;
    const sent = await lab.send("fault.early", TASKS, () => Math.floor(random() * 20));
    await lab.begun(before + Math.floor(random() * TASKS * 0.8));
    worker.killGroup("SIGKILL");
    await worker.exited;
    const running = await runningNow(lab, sent);

    worker = await lab.startWorker(SLOTS);
    await lab.drained();
    const silent = await withoutEnd(sent.filter(({ n }) => !running.has(n)));

    const { begun } = await lab.ledger();
    const again = [...running].filter((n) => begun.get(n) === 2);
    await Promise.all(
      sent.filter(({ n }) => again.includes(n)).map(({ result }) => result.get({ timeout: 60 })),
    );
    // Whoever was running is lost with its process, unless the ack had not reached Redis yet: then it ran again.
    const lost = await inState(sent, "PENDING");
    expect([...lost, ...again].toSorted(byNumber)).toEqual([...running, ...silent].toSorted(byNumber));
    // Per slot: one running, one that has ended while the worker was busy, one whose result is on its way (ADR 22).
    expect(running.size).toBeLessThanOrEqual(3 * SLOTS);
    // A start is told before it begins: in between, the ack may be faster than the task's first line.
    expect(silent.filter((n) => begun.has(n))).toEqual([]);
    expect(silent.length).toBeLessThanOrEqual(SLOTS);
    // Nothing else was lost that had not begun, and nothing ran twice that was not running when the kill came.
    const times = (n: number): number => (silent.includes(n) ? 0 : again.includes(n) ? 2 : 1);
    expect(sent.filter(({ n }) => (begun.get(n) ?? 0) !== times(n))).toEqual([]);
  }
  expect(await lab.broker.leftovers()).toEqual({ waiting: 0, unacked: 0, unackedIndex: 0, dead: 0 });
});

test("given tasks with early ack, when a child is killed, then its task alone fails, with WorkerLostError", async () => {
  await using lab = await openFaultLab(`${redisUrl()}/13`);
  const random = seededRandom(testSeed());
  const worker = await lab.startWorker(SLOTS);

  for (let round = 0; round < ROUNDS; round++) {
    const { size: before } = (await lab.ledger()).begun;
    const sent = await lab.send("fault.early", TASKS, () => Math.floor(random() * 20));
    await lab.begun(before + Math.floor(random() * TASKS * 0.8));
    const children = await childPids(worker.pid);
    const victim = children[Math.floor(random() * children.length)] as number;
    process.kill(victim, "SIGKILL");

    const ends = await Promise.all(sent.map(({ result }) => result.get({ timeout: 60, propagate: false })));
    const failed = sent.filter(({ n }, i) => ends[i] !== n);
    const { process: processes } = await lab.ledger();
    expect(failed.length).toBeLessThanOrEqual(1);
    for (const { n, result } of failed) {
      // Its start is told before it begins: a kill in between leaves no trace of it.
      expect([victim, undefined]).toContain(processes.get(n));
      await expect(result.get()).rejects.toThrow(
        "WorkerLostError: Worker exited prematurely: signal 9 (SIGKILL)",
      );
    }
  }
  await lab.drained();
});

function byNumber(a: number, b: number): number {
  return a - b;
}
