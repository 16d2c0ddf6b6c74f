import { randomBytes } from "node:crypto";
import { availableParallelism, hostname } from "node:os";
import { type Binding, selectQueues } from "../app/queues.ts";
import type { CeleryApp } from "../app/types.ts";
import { openEventDispatcher } from "../events/index.ts";
import { openInProcessPool } from "../pool/in-process.ts";
import type { Pool, PoolKind } from "../pool/pool.ts";
import { openPreforkPool, type PreforkOptions } from "../pool/prefork.ts";
import { systemClock } from "../runtime/clock.ts";
import { LamportClock } from "../runtime/lamport-clock.ts";
import { attend } from "../worker/attend.ts";
import { makeBrokerLog } from "../worker/broker-log.ts";
import { followPool } from "../worker/pool-log.ts";
import { type Shutdown, watchShutdown } from "../worker/shutdown.ts";
import { runWorker, type WorkerDeps } from "../worker/worker.ts";
import type { WorkerLog } from "../worker/worker-log.ts";
import { maskPassword, renderBanner, renderTaskList } from "./banner.ts";
import { type Command, type CommandContext, UsageError } from "./command.ts";
import { makeCeleryLog } from "./logging.ts";
import { expandNodeName } from "./node-name.ts";
import { renderHelp } from "./options.ts";
import { sayIfSlow } from "./slow-load.ts";
import { openTerminal, type Terminal } from "./terminal.ts";
import { VERSION, VERSION_BANNER } from "./version.ts";
import { parseWorkerArguments, WORKER_OPTIONS, type WorkerArguments } from "./worker-options.ts";

export const command: Command = {
  name: "worker",
  summary: "Start worker instance.",
  help: renderHelp({
    usage: "celery -A MODULE worker [OPTIONS]",
    about:
      "Start worker instance. Ctrl-C once waits for running tasks and gives the rest back; twice ends running tasks too.",
    examples: [
      "celery -A tasks worker --loglevel=info",
      "celery -A tasks worker -l info -Q high,low -n w1@%h",
      "celery -A tasks worker -l info --concurrency=4",
      "celery -A tasks worker -l info -P async -c 100",
      "celery -A tasks worker -l info -B",
    ],
    options: WORKER_OPTIONS,
  }),
  run: (args, context) => startWorker(parseWorkerArguments(args), context),
};

/** A module that takes longer to load is spoken of. */
const SLOW_LOAD_MS = 5_000;

/** Everything that one start of a worker is made of. */
interface Start {
  readonly args: WorkerArguments;
  readonly context: CommandContext;
  readonly terminal: Terminal;
  readonly log: WorkerLog;
  readonly nodeName: string;
}

async function startWorker(args: WorkerArguments, context: CommandContext): Promise<number> {
  const appSpec = requireApp(context);
  const terminal = openTerminal(context);
  const log = makeCeleryLog({
    level: args.logLevel,
    color: terminal.color,
    clock: systemClock,
    write: terminal.err,
  });
  const start: Start = { args, context, terminal, log, nodeName: expandNodeName(args.hostname, hostname()) };
  // The children need nothing but the module's name: they load it while this process does.
  const children = guessPool(start, appSpec);
  let app: CeleryApp;
  try {
    app = await sayIfSlow(() => context.loadApp(), { module: appSpec, afterMs: SLOW_LOAD_MS });
    applyArguments(app, args);
  } catch (error) {
    children?.terminate();
    throw error;
  }
  // Not before: a module that never ends loading leaves signals to nobody but the system.
  using shutdown = watchShutdown(process, (text) => terminal.out(`\n${text}\n`));
  shutdown.hard.addEventListener("abort", () => process.exit(1), { once: true });
  await using pool = await settlePool(start, appSpec, app, children);
  const ended = await serve(start, app, pool, shutdown);
  await app.close();
  return ended ? 0 : 1;
}

function requireApp({ global }: CommandContext): string {
  if (global.app !== undefined) return global.app;
  throw new UsageError(
    "Missing option '-A': which module holds the tasks? For ./tasks.ts it is\n    celery -A tasks worker --loglevel=info",
  );
}

/** What the command line says wins over the code. */
function applyArguments(app: CeleryApp, args: WorkerArguments): void {
  app.conf.update({
    ...(args.timeLimit !== undefined && { task_time_limit: args.timeLimit }),
    ...(args.softTimeLimit !== undefined && { task_soft_time_limit: args.softTimeLimit }),
    ...(args.maxTasksPerChild !== undefined && { worker_max_tasks_per_child: args.maxTasksPerChild }),
    ...(args.prefetchMultiplier !== undefined && { worker_prefetch_multiplier: args.prefetchMultiplier }),
    ...(args.concurrency !== undefined && { worker_concurrency: args.concurrency }),
    ...(args.pool !== undefined && { worker_pool: args.pool }),
    ...(args.taskEvents && { worker_send_task_events: true }),
  });
}

/** The pool that the command line asks for; the app's configuration may turn out to want another. */
function guessPool(start: Start, appSpec: string): Pool | undefined {
  const { pool = "prefork", concurrency = availableParallelism() } = start.args;
  return pool === "prefork" ? openPreforkPool(preforkOptions(start, appSpec, concurrency)) : undefined;
}

async function settlePool(
  start: Start,
  appSpec: string,
  app: CeleryApp,
  guessed: Pool | undefined,
): Promise<Pool> {
  const kind: PoolKind = app.conf.worker_pool;
  const size = app.conf.worker_concurrency ?? availableParallelism();
  const pool = guessed?.kind === kind && guessed.size === size ? guessed : undefined;
  if (!pool) guessed?.terminate();
  const opened = pool ?? openPool(kind, size, start, appSpec, app);
  if (app.conf.worker_max_tasks_per_child !== null) opened.retireAfter(app.conf.worker_max_tasks_per_child);
  const { worker_redirect_stdouts: isRedirected, worker_redirect_stdouts_level: level } = app.conf;
  followPool(opened, start.log, isRedirected ? level : start.terminal.out);
  return opened;
}

function openPool(kind: PoolKind, size: number, start: Start, appSpec: string, app: CeleryApp): Pool {
  if (kind === "prefork") return openPreforkPool(preforkOptions(start, appSpec, size));
  return openInProcessPool({
    kind,
    size,
    app,
    ...(app.conf.worker_redirect_stdouts && { redirect: process }),
  });
}

function preforkOptions({ context, nodeName }: Start, appSpec: string, size: number): PreforkOptions {
  return { size, appSpec, cwd: context.cwd, env: context.env, hostname: nodeName };
}

async function serve(start: Start, app: CeleryApp, pool: Pool, shutdown: Shutdown): Promise<boolean> {
  const { args, log, nodeName, terminal, context } = start;
  const bindings = selectQueues(app.conf, { include: args.queues });
  const queues = bindings.filter(({ type }) => type !== "fanout").map(({ queue }) => queue);
  if (!context.global.quiet) terminal.out(banner(start, app, pool, bindings));
  if (args.purge) await purge(app, queues, terminal);
  const lamport = new LamportClock();
  const taskEvents = app.conf.worker_send_task_events;
  const { brokerUrl } = app;
  await using events = openEventDispatcher(brokerUrl, { hostname: nodeName, taskEvents, lamport, log });
  const software = { ident: "ts-celery", version: VERSION };
  const remoteControl = app.conf.worker_enable_remote_control;
  const beat = args.beat ? { app, cwd: context.cwd, scheduleFile: args.schedule } : undefined;
  const deps: WorkerDeps = {
    app,
    pool,
    events,
    log,
    clock: systemClock,
    brokerLog: makeBrokerLog({ brokerUrl: maskPassword(brokerUrl), log }),
    attendants: (load) =>
      attend({ brokerUrl, nodeName, events, lamport, log, software, remoteControl, beat }, load),
  };
  const prefetchMultiplier = app.conf.worker_prefetch_multiplier;
  // Awaited here: the dispatcher is closed when this function ends.
  return await runWorker(deps, { nodeName, queues: bindings, prefetchMultiplier }, shutdown);
}

function banner(
  { args, nodeName, terminal }: Start,
  app: CeleryApp,
  pool: Pool,
  queues: readonly Binding[],
): string {
  const text = renderBanner({
    nodeName,
    version: VERSION_BANNER,
    nowMs: systemClock.nowMs(),
    appName: `${app.main}:0x7f${randomBytes(5).toString("hex")}`,
    brokerUrl: app.brokerUrl,
    backendUrl: app.resultBackendUrl,
    concurrency: pool.size,
    pool: pool.kind,
    taskEvents: app.conf.worker_send_task_events,
    queues,
  });
  const showsTasks = args.logLevel === "INFO" || args.logLevel === "DEBUG";
  return `${terminal.cyan(text)}${showsTasks ? renderTaskList([...app.tasks.keys()]) : ""}\n`;
}

async function purge(app: CeleryApp, queues: readonly string[], terminal: Terminal): Promise<void> {
  const count = await app.transport().purge(queues);
  if (count > 0) terminal.out(`purge: Erased ${count} message${count === 1 ? "" : "s"} from the queue.\n\n`);
}
