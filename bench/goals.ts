import type { Figure, Results } from "./results.ts";
import type { Summary } from "./statistics.ts";

/** A line of the goals table: a figure, or a ratio of two, that is to be at least or at most something. */
export interface Goal {
  readonly text: string;
  readonly of: Figure;
  readonly over?: Figure;
  readonly atLeast?: number;
  readonly atMost?: number;
}

export interface Judged {
  readonly text: string;
  readonly scenario: string;
  /** Undefined: not measured in this run. */
  readonly value: Summary | undefined;
  readonly goal: string;
  readonly isMet: boolean | undefined;
}

const figure =
  (scenario: string, metric: string, best?: Figure["best"]) =>
  (...systems: readonly string[]): Figure => ({ scenario, metric, systems, ...(best && { best }) });

const drain = figure("drain", "rate");
const workerCpu = figure("drain", "workerCpuUs", "least");
const redisCpu = figure("drain", "redisCpuUs", "least");
const awaited = figure("enqueue", "awaited");
const concurrent = figure("enqueue", "concurrent");
const trip = figure("round-trip", "p50", "least");
const start = figure("start", "ms", "least");
const resident = figure("idle", "residentMb", "least");
const BULLMQ = ["bullmq-1", "bullmq-50", "bullmq-100"];

export const GOALS: readonly Goal[] = [
  {
    text: "drain async / Celery prefork 2",
    of: drain("ours-async"),
    over: drain("celery-prefork"),
    atLeast: 30,
  },
  { text: "drain async / BullMQ's best", of: drain("ours-async"), over: drain(...BULLMQ), atLeast: 1.6 },
  { text: "drain async / bare loop", of: drain("ours-async"), over: drain("bare"), atLeast: 0.8 },
  {
    text: "drain prefork 2 / Celery prefork 2",
    of: drain("ours-prefork"),
    over: drain("celery-prefork"),
    atLeast: 8,
  },
  {
    text: "enqueue awaited / Celery",
    of: awaited("ours-async"),
    over: awaited("celery-prefork"),
    atLeast: 4,
  },
  {
    text: "enqueue concurrent / Celery",
    of: concurrent("ours-async"),
    over: awaited("celery-prefork"),
    atLeast: 20,
  },
  { text: "enqueue awaited / BullMQ", of: awaited("ours-async"), over: awaited("bullmq-50"), atLeast: 1.5 },
  {
    text: "enqueue concurrent / BullMQ",
    of: concurrent("ours-async"),
    over: concurrent("bullmq-50"),
    atLeast: 1.3,
  },
  {
    text: "round trip async / Celery prefork",
    of: trip("ours-async"),
    over: trip("celery-prefork"),
    atMost: 0.35,
  },
  {
    text: "round trip prefork / Celery prefork",
    of: trip("ours-prefork"),
    over: trip("celery-prefork"),
    atMost: 0.6,
  },
  { text: "round trip async / BullMQ", of: trip("ours-async"), over: trip("bullmq-50"), atMost: 0.7 },
  { text: "round trip async / bare", of: trip("ours-async"), over: trip("bare"), atMost: 1.25 },
  {
    text: "start to first task / Celery's default",
    of: start("ours-prefork"),
    over: start("celery-prefork"),
    atMost: 0.4,
  },
  {
    text: "idle async: Redis commands per second",
    of: figure("idle", "commandsPerSecond")("ours-async"),
    atMost: 3,
  },
  {
    text: "idle prefork: Redis commands per second",
    of: figure("idle", "commandsPerSecond")("ours-prefork"),
    atMost: 3,
  },
  { text: "idle async: % of a core", of: figure("idle", "cpuPercent")("ours-async"), atMost: 1 },
  { text: "idle prefork: % of a core", of: figure("idle", "cpuPercent")("ours-prefork"), atMost: 1 },
  {
    text: "CPU per task, worker / BullMQ's best",
    of: workerCpu("ours-async"),
    over: workerCpu(...BULLMQ),
    atMost: 0.6,
  },
  {
    text: "CPU per task, Redis / BullMQ's best",
    of: redisCpu("ours-async"),
    over: redisCpu(...BULLMQ),
    atMost: 0.6,
  },
  {
    text: "idle memory async / BullMQ",
    of: resident("ours-async"),
    over: resident("bullmq-50"),
    atMost: 1.1,
  },
  {
    text: "growth over 200,000 tasks, resident MB",
    of: figure("growth", "residentGrowthMb")("ours-async"),
    atMost: 24,
  },
  {
    text: "growth over 200,000 tasks, heap MB",
    of: figure("growth", "heapGrowthMb")("ours-async"),
    atMost: 24,
  },
  { text: "50,000 gets: connections more", of: figure("gets", "connectionGrowth")("ours-async"), atMost: 0 },
  {
    text: "50,000 gets: subscriptions more",
    of: figure("gets", "subscriptionGrowth")("ours-async"),
    atMost: 0,
  },
];

export function judge(goal: Goal, results: Results): Judged {
  const { text, of, over, atLeast, atMost } = goal;
  const value = over ? results.ratio(of, over) : results.summary(of.scenario, of.systems[0] ?? "", of.metric);
  const sign = over ? "×" : "";
  const isMet =
    value &&
    (atLeast === undefined || value.median >= atLeast) &&
    (atMost === undefined || value.median <= atMost);
  return {
    text,
    scenario: of.scenario,
    value,
    goal: atLeast === undefined ? `≤ ${atMost}${sign}` : `≥ ${atLeast}${sign}`,
    isMet,
  };
}
