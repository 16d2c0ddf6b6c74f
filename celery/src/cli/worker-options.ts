import * as z from "zod";
import { explainPoolName, POOL_NAMES, poolByName } from "../app/pool-names.ts";
import type { PoolKind } from "../pool/pool.ts";
import type { LogLevel } from "../worker/worker-log.ts";
import { UsageError } from "./command.ts";
import { DAEMON_OPTIONS, type DaemonArguments, refuseDaemonOptions } from "./daemon.ts";
import { LOG_LEVELS, parseLogLevel } from "./logging.ts";
import { type OptionSpec, parseOptions } from "./options.ts";

const POOL = "Pool Options";
const QUEUES = "Queue Options";
const FEATURES = "Features";
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
    name: "statedb",
    short: "S",
    value: "FILE",
    group: "Worker Options",
    help: "Where ids of revoked tasks are kept between runs. Expands %n, %h and %d as --hostname.",
  },
  {
    name: "optimization",
    short: "O",
    value: "PROFILE",
    group: "Worker Options",
    help: "default or fair. Both are the same here: a message waits for a process that is free, or behind a task that will not take long.",
  },
  {
    name: "disable-prefetch",
    group: "Worker Options",
    help: "Take a message only when a process is free for it.",
  },
  ...DAEMON_OPTIONS,
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
    name: "max-memory-per-child",
    value: "KIB",
    group: POOL,
    help: "Replace a pool process that has more resident memory than this after a task.",
  },
  {
    name: "queues",
    short: "Q",
    value: "LIST",
    group: QUEUES,
    help: "Queues to take tasks from, separated by commas. Default: celery.",
  },
  {
    name: "exclude-queues",
    short: "X",
    value: "LIST",
    group: QUEUES,
    help: "Queues of the configuration to leave alone, separated by commas.",
  },
  {
    name: "include",
    short: "I",
    value: "LIST",
    group: QUEUES,
    help: "Modules to load besides the app, separated by commas: their tasks register themselves.",
  },
  {
    name: "purge",
    aliases: ["discard"],
    group: QUEUES,
    help: "Delete all waiting tasks of these queues first.",
  },
  { name: "without-gossip", group: FEATURES, help: "Accepted: this worker does not gossip anyway." },
  {
    name: "without-mingle",
    group: FEATURES,
    help: "Do not ask other workers at the start which tasks were revoked.",
  },
  {
    name: "without-heartbeat",
    group: FEATURES,
    help: "Send no worker-heartbeat events. What the worker holds stays safe: that is another heartbeat.",
  },
  {
    name: "heartbeat-interval",
    value: "SECONDS",
    group: FEATURES,
    help: "Time between worker-heartbeat events. Default: 2.",
  },
  {
    name: "autoscale",
    value: "MAX,MIN",
    group: FEATURES,
    help: "Keep between MIN and MAX slots, as many as there are tasks; they are given up after 30 s of quiet.",
  },
  {
    name: "pool-start-method",
    value: "METHOD",
    group: POOL,
    help: "spawn, which is the only way here: each process loads the app anew.",
  },
  {
    name: "scheduler",
    value: "CLASS",
    group: BEAT,
    help: "Refused: there is one scheduler, which keeps its schedule in a file.",
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

const names = z
  .string()
  .transform((list) =>
    list
      .split(",")
      .map((name) => name.trim())
      .filter(Boolean),
  )
  .refine((found) => found.length > 0, "names nothing")
  .optional();

/** `10,3` or `3,10`, or the most alone. @see celery 5.7.0 bin/worker.py, `Autoscale` */
const range = z
  .string()
  .regex(/^\d+(,\d+)?$/, "is not two whole numbers as in 10,3")
  .transform((text) => {
    const [first = 0, second = 0] = text.split(",").map(Number);
    return { max: Math.max(first, second), min: Math.min(first, second) };
  })
  .refine(({ max }) => max > 0, "leaves no process at all")
  .optional();

const text = z.string().min(1, "is empty").optional();

const schema = z.object({
  hostname: text,
  loglevel: z
    .string()
    .default("WARNING")
    .transform(parseLogLevel)
    .refine((level) => level !== undefined, `is not one of ${LOG_LEVELS.join(", ")}`),
  "prefetch-multiplier": wholeNumber(0),
  concurrency: wholeNumber(1),
  pool: z.enum(POOL_NAMES, `is not one of ${POOL_NAMES.join(", ")}`).optional(),
  "task-events": flag,
  "time-limit": seconds,
  "soft-time-limit": seconds,
  "max-tasks-per-child": wholeNumber(1),
  "max-memory-per-child": wholeNumber(1),
  statedb: text,
  optimization: z.enum(["default", "fair"], "is not one of default, fair").optional(),
  "disable-prefetch": flag,
  detach: flag,
  logfile: text,
  pidfile: text,
  queues: names,
  "exclude-queues": names,
  include: names,
  "without-gossip": flag,
  "without-mingle": flag,
  "without-heartbeat": flag,
  "heartbeat-interval": seconds,
  autoscale: range,
  purge: flag,
  beat: flag,
  schedule: text,
});

export interface WorkerArguments {
  readonly hostname: string | undefined;
  readonly logLevel: LogLevel;
  readonly prefetchMultiplier: number | undefined;
  readonly concurrency: number | undefined;
  readonly pool: PoolKind | undefined;
  /** What to say about the pool's name, when it is Celery's only. */
  readonly poolNote: string | undefined;
  readonly taskEvents: boolean;
  readonly timeLimit: number | undefined;
  readonly softTimeLimit: number | undefined;
  readonly maxTasksPerChild: number | undefined;
  readonly maxMemoryPerChild: number | undefined;
  readonly stateFile: string | undefined;
  readonly disablePrefetch: boolean;
  readonly daemon: DaemonArguments;
  readonly queues: readonly string[] | undefined;
  readonly excludeQueues: readonly string[] | undefined;
  readonly include: readonly string[];
  readonly mingle: boolean;
  /** Seconds; null sends none. */
  readonly heartbeatInterval: number | null;
  readonly autoscale: { readonly max: number; readonly min: number } | undefined;
  readonly purge: boolean;
  readonly beat: boolean;
  readonly schedule: string | undefined;
}

/** @throws UsageError naming every option whose value cannot be. */
export function parseWorkerArguments(args: readonly string[]): WorkerArguments {
  const { values } = parseOptions(WORKER_OPTIONS, args);
  refuseDaemonOptions(values);
  refuseOthers(values);
  // Celery's word for the number of CPUs, which is what is taken anyway.
  const isAuto = values["concurrency"] === "auto";
  const parsed = schema.safeParse(isAuto ? { ...values, concurrency: undefined } : values);
  if (!parsed.success) throw new UsageError(parsed.error.issues.map((i) => explain(i, values)).join("\n"));
  const { data } = parsed;
  const { detach, logfile: logFile, pidfile: pidFile } = data;
  return {
    hostname: data.hostname,
    logLevel: data.loglevel as LogLevel,
    prefetchMultiplier: data["prefetch-multiplier"],
    concurrency: data.concurrency,
    pool: data.pool === undefined ? undefined : poolByName(data.pool),
    poolNote: data.pool === undefined ? undefined : explainPoolName(data.pool),
    taskEvents: data["task-events"],
    timeLimit: data["time-limit"],
    softTimeLimit: data["soft-time-limit"],
    maxTasksPerChild: data["max-tasks-per-child"],
    maxMemoryPerChild: data["max-memory-per-child"],
    stateFile: data.statedb,
    disablePrefetch: data["disable-prefetch"],
    daemon: { detach, logFile, pidFile },
    queues: data.queues,
    excludeQueues: data["exclude-queues"],
    include: data.include ?? [],
    mingle: !data["without-mingle"],
    heartbeatInterval: data["without-heartbeat"] ? null : (data["heartbeat-interval"] ?? 2),
    autoscale: data.autoscale,
    purge: data.purge,
    beat: data.beat,
    schedule: data.schedule,
  };
}

function refuseOthers(values: Readonly<Record<string, unknown>>): void {
  if (values["scheduler"] !== undefined) {
    throw new UsageError(
      "--scheduler is not supported: Beat has one scheduler, which keeps its schedule in the file of --schedule.",
    );
  }
  const method = values["pool-start-method"];
  if (method === undefined || method === "spawn") return;
  throw new UsageError(
    "--pool-start-method fork is not supported: Node processes cannot be forked. Leave it out, or say spawn.",
  );
}

function explain(issue: z.core.$ZodIssue, values: Readonly<Record<string, unknown>>): string {
  const name = String(issue.path[0]);
  const option = WORKER_OPTIONS.find((spec) => spec.name === name);
  const names = [option?.short && `-${option.short}`, `--${name}`].filter(Boolean).join("' / '");
  return `Invalid value for '${names}': '${String(values[name])}' ${issue.message}.`;
}
