import { z } from "zod";
import type { PoolKind } from "../pool/pool.ts";
import type { LogLevel } from "../worker/worker-log.ts";
import { UsageError } from "./command.ts";
import { LOG_LEVELS, parseLogLevel } from "./logging.ts";
import { type OptionSpec, parseOptions } from "./options.ts";

const POOL = "Pool Options";
const QUEUES = "Queue Options";
const BEAT = "Embedded Beat Options";

export const WORKER_OPTIONS: readonly OptionSpec[] = [
  {
    name: "hostname",
    short: "n",
    value: "NAME",
    group: "Worker Options",
    help: "Name of this node, e.g. w1@%h. Expands %h (host name), %n (its first part) and %d (its domain).",
  },
  {
    name: "loglevel",
    short: "l",
    value: "LEVEL",
    group: "Worker Options",
    help: `One of ${LOG_LEVELS.join(", ")}; case does not matter. Default: WARNING.`,
  },
  {
    name: "prefetch-multiplier",
    value: "N",
    group: "Worker Options",
    help: "Messages held per slot, running and waiting; 0 is no limit. Default: 4.",
  },
  {
    name: "concurrency",
    short: "c",
    value: "N",
    group: POOL,
    help: "How many tasks run at once. Default: the number of CPUs.",
  },
  {
    name: "pool",
    short: "P",
    value: "POOL",
    group: POOL,
    help: "prefork (a process per slot, the default), async (one event loop, many tasks) or solo (one task at a time).",
  },
  {
    name: "task-events",
    short: "E",
    aliases: ["events"],
    group: POOL,
    help: "Send events about tasks for monitors such as celery events and Flower.",
  },
  {
    name: "time-limit",
    value: "SECONDS",
    group: POOL,
    help: "Hard limit: a task that runs longer is killed.",
  },
  {
    name: "soft-time-limit",
    value: "SECONDS",
    group: POOL,
    help: "Soft limit: a task that runs longer is told, and fails with SoftTimeLimitExceeded unless it minds.",
  },
  {
    name: "max-tasks-per-child",
    value: "N",
    group: POOL,
    help: "Replace a pool process after this many tasks.",
  },
  {
    name: "queues",
    short: "Q",
    value: "LIST",
    group: QUEUES,
    help: "Queues to take tasks from, separated by commas. Default: celery.",
  },
  {
    name: "purge",
    aliases: ["discard"],
    group: QUEUES,
    help: "Delete all waiting tasks of these queues first.",
  },
  { name: "beat", short: "B", group: BEAT, help: "Also run the beat scheduler, in this process." },
  {
    name: "schedule",
    short: "s",
    aliases: ["schedule-filename"],
    value: "FILE",
    group: BEAT,
    help: "Where beat remembers when it sent what. Default: celerybeat-schedule.",
  },
];

const wholeNumber = (least: number): z.ZodType<number | undefined> =>
  z
    .string()
    .regex(/^\d+$/, "is not a whole number")
    .transform(Number)
    .refine((n) => n >= least, `must be at least ${least}`)
    .optional();

const seconds = z
  .string()
  .transform(Number)
  .refine((n) => Number.isFinite(n) && n > 0, "is not a number of seconds")
  .optional();

const flag = z
  .literal(true)
  .optional()
  .transform((given) => given === true);

const schema = z.object({
  hostname: z.string().min(1).optional(),
  loglevel: z
    .string()
    .default("WARNING")
    .transform(parseLogLevel)
    .refine((level) => level !== undefined, `is not one of ${LOG_LEVELS.join(", ")}`),
  "prefetch-multiplier": wholeNumber(0),
  concurrency: wholeNumber(1),
  pool: z.enum(["prefork", "async", "solo"], "is not one of prefork, async, solo").optional(),
  "task-events": flag,
  "time-limit": seconds,
  "soft-time-limit": seconds,
  "max-tasks-per-child": wholeNumber(1),
  queues: z
    .string()
    .transform((list) =>
      list
        .split(",")
        .map((name) => name.trim())
        .filter(Boolean),
    )
    .refine((names) => names.length > 0, "names no queue")
    .optional(),
  purge: flag,
  beat: flag,
  schedule: z.string().min(1).optional(),
});

export interface WorkerArguments {
  readonly hostname: string | undefined;
  readonly logLevel: LogLevel;
  readonly prefetchMultiplier: number | undefined;
  readonly concurrency: number | undefined;
  readonly pool: PoolKind | undefined;
  readonly taskEvents: boolean;
  readonly timeLimit: number | undefined;
  readonly softTimeLimit: number | undefined;
  readonly maxTasksPerChild: number | undefined;
  readonly queues: readonly string[] | undefined;
  readonly purge: boolean;
  readonly beat: boolean;
  readonly schedule: string | undefined;
}

/** @throws UsageError naming every option whose value cannot be. */
export function parseWorkerArguments(args: readonly string[]): WorkerArguments {
  const { values } = parseOptions(WORKER_OPTIONS, args);
  const parsed = schema.safeParse(values);
  if (!parsed.success) throw new UsageError(parsed.error.issues.map((i) => explain(i, values)).join("\n"));
  const { data } = parsed;
  return {
    hostname: data.hostname,
    logLevel: data.loglevel as LogLevel,
    prefetchMultiplier: data["prefetch-multiplier"],
    concurrency: data.concurrency,
    pool: data.pool,
    taskEvents: data["task-events"],
    timeLimit: data["time-limit"],
    softTimeLimit: data["soft-time-limit"],
    maxTasksPerChild: data["max-tasks-per-child"],
    queues: data.queues,
    purge: data.purge,
    beat: data.beat,
    schedule: data.schedule,
  };
}

function explain(issue: z.core.$ZodIssue, values: Readonly<Record<string, unknown>>): string {
  const name = String(issue.path[0]);
  const option = WORKER_OPTIONS.find((spec) => spec.name === name);
  const names = [option?.short && `-${option.short}`, `--${name}`].filter(Boolean).join("' / '");
  return `Invalid value for '${names}': '${String(values[name])}' ${issue.message}.`;
}
