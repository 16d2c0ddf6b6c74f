import { expect, test, vi } from "vitest";
import { type CutMode, openCuttingProxy } from "../../test/support/cutting-proxy.ts";
import { openFaultLab, type Sent } from "../../test/support/fault-lab.ts";
import { seededRandom, testSeed } from "../../test/support/random.ts";
import { redisUrl } from "../../test/support/redis-url.ts";
import type { WorkerProcess } from "../../test/support/worker-process.ts";

vi.setConfig({ testTimeout: 900_000 });

const ROUNDS = 10;
const SLOTS = 2;
const TASKS = 6;
/** Connecting, declaring and listening are behind a worker by then; all of its tasks are within this many more. */
const FIRST = 14;
const SPREAD = 50;

test("given tasks of both kinds, when a worker is killed at a random command of its, before or after Redis has it, then late ones are never lost, and early ones only once taken", async () => {
  const url = `${redisUrl()}/64`;
  await using lab = await openFaultLab(url);
  const random = seededRandom(testSeed());
  const late: Sent[] = [];
  const early: Sent[] = [];
  const killedAt: string[] = [];

  for (let round = 0; round < ROUNDS; round++) {
    late.push(...(await lab.send("fault.late", TASKS, () => Math.floor(random() * 10))));
    early.push(...(await lab.send("fault.early", TASKS, () => Math.floor(random() * 10))));
    const at = FIRST + Math.floor(random() * SPREAD);
    const mode: CutMode = random() < 0.5 ? "before" : "after";
    let worker: WorkerProcess | undefined;
    await using proxy = await openCuttingProxy(url, at, mode, () => worker?.killGroup("SIGKILL"));
    worker = lab.spawnWorker(SLOTS, { REDIS_URL: proxy.url });
    await Promise.race([worker.exited, lab.drained()]);
    worker.killGroup("SIGKILL");
    await worker.exited;
    killedAt.push(`${proxy.cut ?? "the end"} (${mode})`);
  }
  await lab.startWorker(SLOTS);
  await lab.drained();
  process.stdout.write(`killed at ${killedAt.join(", ")}\n`);

  const ends = late.map(({ result }) => result.get({ timeout: 60 }));
  expect(await Promise.all(ends)).toEqual(late.map(({ n }) => n));
  const { begun, ended } = await lab.ledger();
  const extra = (sent: readonly Sent[]): number =>
    sent.reduce((sum, { n }) => sum + Math.max(0, (begun.get(n) ?? 0) - 1), 0);
  expect(extra(late)).toBeLessThanOrEqual(ROUNDS * SLOTS * 2);
  // Acked in the moment of starting: what a kill leaves in doubt is at most what the slots held.
  const lost = early.filter(({ n }) => !ended.has(n));
  expect(lost.length).toBeLessThanOrEqual(ROUNDS * SLOTS * 2);
  expect(extra(early)).toBeLessThanOrEqual(ROUNDS * SLOTS);
  expect(await lab.broker.leftovers()).toEqual({ waiting: 0, unacked: 0, unackedIndex: 0, dead: 0 });
});
