import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AsyncResult } from "../../src/backend/async-result.ts";
import { paintFaults } from "./fault-picture.ts";
import { type Ledger, readLedger } from "./ledger.ts";
import { openTestBroker, type TestBroker } from "./test-broker.ts";
import { until } from "./until.ts";
import { startCelery, type WorkerProcess } from "./worker-process.ts";

const APPS = new URL("apps", import.meta.url).pathname;

/** A task on its way, and its number in the ledger. */
export interface Sent {
  readonly n: number;
  readonly result: AsyncResult<unknown>;
}

/** A broker, the tasks' ledger, and workers that may be killed. */
export interface FaultLab extends AsyncDisposable {
  readonly broker: TestBroker;
  /** A worker of the app `fault-app`, when it takes tasks. */
  startWorker(slots: number, env?: Readonly<Record<string, string>>): Promise<WorkerProcess>;
  /** The same, at once: whether it ever takes tasks is the test's business. `env` may name another `REDIS_URL`. */
  spawnWorker(slots: number, env?: Readonly<Record<string, string>>): WorkerProcess;
  /** Sends `count` tasks, numbered from where the last call ended; each works for `ms(n)` milliseconds. */
  send(task: string, count: number, ms: (n: number) => number): Promise<readonly Sent[]>;
  ledger(): Promise<Ledger>;
  /** Settles when no message waits and none is claimed. */
  drained(): Promise<void>;
  /** Settles when at least so many different tasks have begun since the start. */
  begun(count: number): Promise<void>;
  /** Does `work`; if it fails, the error also says what the tasks, the queues and the workers looked like then. */
  explaining(work: () => Promise<void>): Promise<void>;
}

export async function openFaultLab(redisUrl: string): Promise<FaultLab> {
  const dir = await mkdtemp(join(tmpdir(), "celery-test-fault-"));
  const path = join(dir, "ledger");
  const broker = await openTestBroker(redisUrl);
  const workers: WorkerProcess[] = [];
  const sent: Sent[] = [];
  let numbered = 0;
  const spawnWorker: FaultLab["spawnWorker"] = (slots, env = {}) => {
    const args = ["-A", "fault-app", "worker", "-l", "info", "-c", String(slots)];
    const worker = startCelery({ args, cwd: APPS, env: { REDIS_URL: redisUrl, ...env } });
    workers.push(worker);
    return worker;
  };
  return {
    broker,
    spawnWorker,
    startWorker: async (slots, env = {}) => {
      const worker = spawnWorker(slots, env);
      await worker.line(/ ready\.$/);
      return worker;
    },
    send: async (task, count, ms) => {
      const first = numbered;
      numbered += count;
      const numbers = Array.from({ length: count }, (_, i) => first + i);
      const fresh = await Promise.all(
        numbers.map(async (n) => ({ n, result: await broker.app.sendTask(task, [path, n, ms(n)]) })),
      );
      sent.push(...fresh);
      return fresh;
    },
    ledger: () => readLedger(path),
    drained: () =>
      until(async () => {
        const { waiting, unacked } = await broker.leftovers();
        return waiting === 0 && unacked === 0;
      }, 60_000),
    begun: (count) => until(async () => (await readLedger(path)).begun.size >= count, 60_000),
    explaining: async (work) => {
      try {
        await work();
      } catch (cause) {
        const picture = await paintFaults({ sent, workers, broker, ledger: await readLedger(path) });
        throw new Error(`${cause instanceof Error ? cause.message : String(cause)}\n\n${picture}`, { cause });
      }
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all(workers.map((worker) => worker[Symbol.asyncDispose]()));
      await broker[Symbol.asyncDispose]();
      await rm(dir, { recursive: true, force: true });
    },
  };
}
