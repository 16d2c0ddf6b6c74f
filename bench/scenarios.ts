import { type Lab, pause, until } from "./lab.ts";
import {
  commandCounts,
  fill,
  LIMIT_MS,
  progress,
  type Sample,
  scriptsOf,
  startWarm,
  totalOf,
  untilFinished,
} from "./measure.ts";
import type { Running } from "./processes.ts";
import { quantile } from "./statistics.ts";
import { type ClientWork, probedWorker, type System } from "./systems.ts";

export interface Scenario {
  readonly name: string;
  readonly about: string;
  /** Names of systems, in the order of the table. */
  readonly systems: readonly string[];
  /** Measured no more often, whatever the number of rounds. */
  readonly atMostRounds?: number;
  /** A measurement that takes longer has failed. Several times of what the slowest system takes on a quiet machine. */
  readonly limitSeconds: number;
  /** @param scale 1, or less with `--quick`. */
  measure(lab: Lab, system: System, scale: number): Promise<Sample>;
}

const EVERY = [
  "ours-async",
  "ours-prefork",
  "ours-solo",
  "celery-prefork",
  "celery-solo",
  "bullmq-1",
  "bullmq-50",
  "bullmq-100",
  "bee-queue-50",
  "celery-node",
  "bare",
];

export const SCENARIOS: readonly Scenario[] = [
  {
    name: "drain",
    limitSeconds: 60,
    about: "queue filled beforehand, no-op task, result stored and published; between 20 % and 95 % of it",
    systems: EVERY,
    measure: drain,
  },
  {
    name: "enqueue",
    limitSeconds: 90,
    about: "one producer; tasks/s sent one by one, 500 at a time, and in bulk calls of 500",
    systems: ["ours-async", "celery-prefork", "bullmq-50", "bee-queue-50", "celery-node", "bare"],
    measure: enqueue,
  },
  {
    name: "round-trip",
    limitSeconds: 60,
    about: "one no-op at a time, from sending to the result in hand; ms",
    systems: ["ours-async", "ours-prefork", "celery-prefork", "bullmq-50", "bare"],
    measure: roundTrip,
  },
  {
    name: "start",
    limitSeconds: 30,
    about: "from starting the worker to the result of its first task; ms",
    systems: ["ours-async", "ours-prefork", "celery-prefork", "bullmq-50", "celery-node", "bare"],
    measure: startUp,
  },
  {
    name: "idle",
    limitSeconds: 60,
    // Half a minute each, and hardly any spread.
    atMostRounds: 3,
    about: "a worker with nothing to do: what it asks of Redis, of a core, of memory",
    systems: ["ours-async", "ours-prefork", "celery-prefork", "bullmq-50", "bee-queue-50", "bare"],
    measure: idle,
  },
  {
    name: "growth",
    limitSeconds: 240,
    about: "memory of one worker after 20,000 tasks and after 200,000 more",
    systems: ["ours-async"],
    atMostRounds: 1,
    measure: growth,
  },
  {
    name: "gets",
    limitSeconds: 240,
    about: "50,000 results waited for in one program: what is left of it",
    systems: ["ours-async"],
    atMostRounds: 1,
    measure: gets,
  },
];

/** Measured from 20 %, when everybody has warmed up, to 95 %, before anybody runs out of work. */
const FROM = 0.2;
const TO = 0.95;

interface Mark {
  readonly ms: number;
  readonly done: number;
  readonly workerCpu: number;
  readonly redisCpu: number;
  readonly commands: ReadonlyMap<string, number>;
}

async function drain(lab: Lab, system: System, scale: number): Promise<Sample> {
  const count = Math.round(system.drainTasks * scale);
  await fill(lab, system, count);
  await using worker = lab.start(system.worker);
  const first = await markAt(lab, system, worker, count * FROM);
  const last = await markAt(lab, system, worker, count * TO);
  const tasks = last.done - first.done;
  const calls = (of: (counts: Mark["commands"]) => number): number =>
    (of(last.commands) - of(first.commands)) / tasks;
  return {
    rate: (tasks * 1000) / (last.ms - first.ms),
    workerCpuUs: ((last.workerCpu - first.workerCpu) * 1e6) / tasks,
    redisCpuUs: ((last.redisCpu - first.redisCpu) * 1e6) / tasks,
    commands: calls(totalOf),
    scripts: calls(scriptsOf),
  };
}

async function markAt(lab: Lab, system: System, worker: Running, count: number): Promise<Mark> {
  let done = 0;
  const isThere = async (): Promise<boolean> => (done = await progress(lab, system)) >= count;
  await until(lab, `${system.name}: ${count} tasks`, isThere, LIMIT_MS, 5).catch((error: Error) => {
    throw new Error(`${error.message}: ${done} done.\n${worker.lastWords()}`);
  });
  const ms = performance.now();
  const workerCpu = worker.cpuSeconds();
  const redisCpu = await lab.redisCpu();
  return { ms, done, workerCpu, redisCpu, commands: await commandCounts(lab) };
}

/** Messages per second; the awaited ones are fewer, because each costs a trip. */
const ENQUEUE: readonly { work: ClientWork; count: number; slow: number }[] = [
  { work: "awaited", count: 8000, slow: 2000 },
  { work: "concurrent", count: 40_000, slow: 0 },
  { work: "bulk", count: 40_000, slow: 2000 },
];

async function enqueue(lab: Lab, system: System, scale: number): Promise<Sample> {
  const rates: Record<string, number> = {};
  for (const { work, count, slow } of ENQUEUE) {
    const isSlow = system.name.startsWith("celery-prefork");
    const size = Math.round((isSlow ? slow : count) * scale);
    const program = size > 0 && !hasNoBulk(system, work) && system.client(work, size);
    if (!program) continue;
    await using client = lab.start(program);
    const { rate } = await client.json<{ rate: number }>(LIMIT_MS);
    rates[work] = rate;
    await lab.clear();
  }
  return rates;
}

function hasNoBulk({ name }: System, work: ClientWork): boolean {
  return work === "bulk" && (name === "celery-node" || name.startsWith("ours"));
}

async function roundTrip(lab: Lab, system: System, scale: number): Promise<Sample> {
  await using worker = await startWarm(lab, system);
  const program = system.client("round-trip", Math.round(1000 * scale));
  if (!program) throw new Error(`${system.name} has no round trip`);
  await using client = lab.start(program);
  const { samples } = await client.json<{ samples: readonly number[] }>(LIMIT_MS).catch((error: Error) => {
    throw new Error(`${error.message}\n${worker.lastWords()}`);
  });
  return { p50: quantile(samples, 0.5), p95: quantile(samples, 0.95), p99: quantile(samples, 0.99) };
}

async function startUp(lab: Lab, system: System): Promise<Sample> {
  await fill(lab, system, 1);
  const started = performance.now();
  await using _worker = lab.start(system.worker);
  await untilFinished(lab, system, 1);
  return { ms: performance.now() - started };
}

/** V8 collects garbage once more when a program has had nothing to do for some eight seconds: what costs it nothing afterwards is idle. */
const SETTLE_MS = 15_000;
const IDLE_MS = 10_000;

async function idle(lab: Lab, system: System, scale: number): Promise<Sample> {
  await using worker = await startWarm(lab, system);
  await pause(SETTLE_MS);
  const [commands, cpu, started] = [await commandCounts(lab), worker.cpuSeconds(), performance.now()];
  await pause(IDLE_MS * Math.max(scale, 0.5));
  const seconds = (performance.now() - started) / 1000;
  return {
    commandsPerSecond: (totalOf(await commandCounts(lab)) - totalOf(commands)) / seconds,
    cpuPercent: ((worker.cpuSeconds() - cpu) * 100) / seconds,
    residentMb: worker.residentMb(),
  };
}

const GROWTH_BATCH = 20_000;
const GROWTH_BATCHES = 10;

async function growth(lab: Lab, system: System, scale: number): Promise<Sample> {
  await using worker = lab.start(probedWorker());
  const runBatches = async (from: number, to: number): Promise<{ resident: number; heap: number }> => {
    for (let batch = from; batch <= to; batch += 1) {
      // Other ids each time: what is remembered by id would not grow otherwise.
      await runToEndOf(lab, system, batch * GROWTH_BATCH);
    }
    await pause(500);
    const resident = worker.residentMb();
    const probe = worker.json<{ heapMb: number }>(LIMIT_MS);
    process.kill(worker.pid, "SIGUSR2");
    return { resident, heap: (await probe).heapMb };
  };
  const before = await runBatches(1, 1);
  const after = await runBatches(2, 1 + Math.max(1, Math.round(GROWTH_BATCHES * scale)));
  return {
    residentMbBefore: before.resident,
    residentMbAfter: after.resident,
    residentGrowthMb: after.resident - before.resident,
    heapMbBefore: before.heap,
    heapMbAfter: after.heap,
    heapGrowthMb: after.heap - before.heap,
  };
}

async function runToEndOf(lab: Lab, system: System, total: number): Promise<void> {
  const program = system.client("fill", GROWTH_BATCH);
  if (!program) throw new Error(`${system.name} cannot be filled`);
  await using _filler = lab.start(program);
  const isDone = async (): Promise<boolean> => (await progress(lab, system)) >= total;
  await until(lab, `${total} tasks`, isDone, LIMIT_MS, 50);
}

/** What the last results leave is on its way when their `get`s return: two looks have to agree. What has leaked does not go away. */
async function settledSubscriptions({ redis }: Lab): Promise<number> {
  const count = async (): Promise<number> =>
    ((await redis.call("PUBSUB", "CHANNELS")) as readonly string[]).length +
    Number(await redis.call("PUBSUB", "NUMPAT"));
  for (let before = await count(), looks = 0; ; looks += 1) {
    await pause(200);
    const now = await count();
    if (now === before || looks === 10) return now;
    before = now;
  }
}

async function gets(lab: Lab, system: System, scale: number): Promise<Sample> {
  await using _worker = await startWarm(lab, system);
  const program = system.client("gets", Math.round(50_000 * scale));
  if (!program) throw new Error(`${system.name} has no gets`);
  await using client = lab.start(program);
  const look = async (): Promise<{ connections: number; subscriptions: number; heapMb: number }> => {
    const { heapMb } = await client.json<{ heapMb: number }>(LIMIT_MS);
    const info = String(await lab.redis.call("INFO", "clients"));
    const subscriptions = await settledSubscriptions(lab);
    client.child.stdin?.write("go on\n");
    const connections = Number(/connected_clients:(\d+)/.exec(info)?.[1]);
    return { connections, subscriptions, heapMb };
  };
  const before = await look();
  const after = await look();
  return {
    connectionGrowth: after.connections - before.connections,
    subscriptionGrowth: after.subscriptions - before.subscriptions,
    heapGrowthMb: after.heapMb - before.heapMb,
  };
}
