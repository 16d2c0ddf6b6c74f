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
/** What a worker says then. */
const TAKEN_OVER = /(\d+) message\(s\) were given to another worker while this one was not heard of/;

/** What happened in a round, and why tasks of it may have run twice. */
interface Round {
  readonly killed: string;
  /** At most this many tasks ran when something was killed. */
  readonly explained: number;
  /** So many were taken from a worker that was not heard of for longer than its lease: the machine was busy (docs/delivery.md, L3). */
  readonly takenOver: number;
  /** Runs beyond the first. */
  readonly extra: number;
}

type Kill = Pick<Round, "killed" | "explained">;

/** Kills a child, or the whole process group. @returns the worker that goes on. */
async function killSomething(
  lab: FaultLab,
  worker: WorkerProcess,
  random: () => number,
): Promise<[WorkerProcess, Kill]> {
  if (random() < 0.5) {
    worker.killGroup("SIGKILL");
    await worker.exited;
    const next = await lab.startWorker(SLOTS);
    // Per slot: one running, one that has ended while the worker was busy, one whose result is on its way (ADR 22).
    return [next, { killed: `group ${worker.pid}, ${next.pid} follows`, explained: 3 * SLOTS }];
  }
  const children = await childPids(worker.pid);
  const victim = children[Math.floor(random() * children.length)];
  if (victim === undefined) return [worker, { killed: "nothing", explained: 0 }];
  process.kill(victim, "SIGKILL");
  return [worker, { killed: `child ${victim} of ${worker.pid}`, explained: 1 }];
}

function takenOver(workers: readonly WorkerProcess[]): number {
  const told = workers.flatMap(({ lines }) => lines).map((line) => TAKEN_OVER.exec(line)?.[1] ?? "0");
  return told.reduce((sum, count) => sum + Number(count), 0);
}

async function extraRuns(lab: FaultLab, sent: readonly Sent[]): Promise<number> {
  const { begun } = await lab.ledger();
  return sent.reduce((sum, { n }) => sum + (begun.get(n) ?? 0) - 1, 0);
}

test("given 500 tasks with late ack, when group or child are killed at random, in 20 rounds, then every task has its result", async () => {
  await using lab = await openFaultLab(`${redisUrl()}/12`);
  const seed = testSeed();
  const random = seededRandom(seed);
  const workers = [await lab.startWorker(SLOTS)];
  const rounds: Round[] = [];

  await lab.explaining(async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const before = takenOver(workers);
      const sent = await lab.send("fault.late", TASKS, () => Math.floor(random() * 4));
      await lab.begun(round * TASKS + Math.floor(random() * TASKS));
      const [next, kill] = await killSomething(lab, workers.at(-1)!, random);
      if (next !== workers.at(-1)) workers.push(next);
      const results = await Promise.all(sent.map(({ result }) => result.get({ timeout: 60 })));

      expect(results).toEqual(sent.map(({ n }) => n));
      await lab.drained();
      const extra = await extraRuns(lab, sent);
      rounds.push({ ...kill, takenOver: takenOver(workers) - before, extra });
    }
    const unexplained = rounds.filter(({ explained, takenOver, extra }) => extra > explained + takenOver);
    expect(unexplained, `SEED=${seed}, rounds: ${JSON.stringify(rounds, null, 1)}`).toEqual([]);
    expect(await lab.broker.leftovers()).toEqual({ waiting: 0, unacked: 0, unackedIndex: 0, dead: 0 });
  });
});

test("given a task with late ack that outlives its process three times, when the fourth dies too, then it has failed, is a dead letter, and runs no more", async () => {
  await using lab = await openFaultLab(`${redisUrl()}/12`);
  // Nobody is to take the message from a worker that lives: that would be a run more, and no death.
  await lab.startWorker(1, { HEARTBEAT_TTL: "60" });
  const [sent] = await lab.send("fault.late", 1, () => 60_000);
  const n = sent?.n ?? -1;

  await lab.explaining(async () => {
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
});
