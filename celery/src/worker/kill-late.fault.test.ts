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
/** `worker_prefetch_multiplier`: so many messages for each slot are held and not answered for. */
const PREFETCH = 4;

interface Kill {
  readonly what: string;
  readonly goesOn: WorkerProcess;
  /** Tasks of which one more run has a reason. */
  readonly mayRunAgain: ReadonlySet<number>;
  /** How many more have one; which ones nobody can tell. */
  readonly unnamed: number;
}

/** Kills a child, or the whole process group. */
async function killSomething(
  lab: FaultLab,
  worker: WorkerProcess,
  sent: readonly Sent[],
  random: () => number,
): Promise<Kill> {
  if (random() < 0.5) return killGroup(lab, worker, sent);
  const children = await childPids(worker.pid);
  const victim = children[Math.floor(random() * children.length)];
  if (victim === undefined) throw new Error(`worker ${worker.pid} has no children`);
  process.kill(victim, "SIGKILL");
  // What it ran, or had run without having said so.
  return { what: `child ${victim}`, goesOn: worker, mayRunAgain: new Set(), unnamed: 1 };
}

async function killGroup(lab: FaultLab, worker: WorkerProcess, sent: readonly Sent[]): Promise<Kill> {
  worker.killGroup("SIGKILL");
  await worker.exited;
  const { begun } = await lab.ledger();
  const states = await Promise.all(sent.map(({ result }) => result.state()));
  const open = sent.filter(({ n }, at) => begun.has(n) && states[at] !== "SUCCESS");
  return {
    what: `group ${worker.pid}`,
    goesOn: await lab.startWorker(SLOTS),
    mayRunAgain: new Set(open.map(({ n }) => n)),
    unnamed: 0,
  };
}

/** The numbers of those tasks that ran again without a reason, once for each such run. */
async function ranAgain(lab: FaultLab, sent: readonly Sent[], { mayRunAgain }: Kill): Promise<number[]> {
  const { begun } = await lab.ledger();
  return sent.flatMap(({ n }) => {
    const extra = (begun.get(n) ?? 0) - (mayRunAgain.has(n) ? 2 : 1);
    return Array<number>(Math.max(0, extra)).fill(n);
  });
}

test("given 500 tasks with late ack, when group or child are killed at random, in 20 rounds, then every task has its result, and ran again only if it had none", async () => {
  await using lab = await openFaultLab(`${redisUrl()}/12`);
  const seed = testSeed();
  const random = seededRandom(seed);
  let worker = await lab.startWorker(SLOTS);
  const kills: string[] = [];

  await lab.explaining(async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const sent = await lab.send("fault.late", TASKS, () => Math.floor(random() * 4));
      await lab.begun(round * TASKS + Math.floor(random() * TASKS));
      const kill = await killSomething(lab, worker, sent, random);
      worker = kill.goesOn;
      kills.push(kill.what);
      const results = await Promise.all(sent.map(({ result }) => result.get({ timeout: 60 })));
      await lab.drained();

      const story = `SEED=${seed}, killed: ${kills.join(", ")}`;
      expect(results, story).toEqual(sent.map(({ n }) => n));
      const again = await ranAgain(lab, sent, kill);
      expect(kill.mayRunAgain.size, story).toBeLessThanOrEqual(PREFETCH * SLOTS);
      expect(again.length, `${again.join(", ")} ran again; ${story}`).toBeLessThanOrEqual(kill.unnamed);
    }
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
