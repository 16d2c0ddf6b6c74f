import { hostname } from "node:os";
import { resolve } from "node:path";
import type { CeleryApp } from "../app/types.ts";
import { openInProcessPool } from "../pool/in-process.ts";
import type { Pool, PoolKind } from "../pool/pool.ts";
import { openPreforkPool, type PreforkOptions } from "../pool/prefork.ts";
import { systemClock } from "../runtime/clock.ts";
import { expandFileName, expandNodeName } from "../worker/node-name.ts";
import { initialSize, setUpPool } from "../worker/set-up-pool.ts";
import { watchShutdown } from "../worker/shutdown.ts";
import { MAIN_PROCESS } from "../worker/worker-log.ts";
import { type Command, type CommandContext, UsageError } from "./command.ts";
import { startDetached, takePidFile } from "./daemon.ts";
import { openLogFile } from "./log-file.ts";
import { makeCeleryLog } from "./logging.ts";
import { renderHelp } from "./options.ts";
import { sayIfSlow } from "./slow-load.ts";
import { openTerminal } from "./terminal.ts";
import { parseWorkerArguments, WORKER_OPTIONS, type WorkerArguments } from "./worker-options.ts";
import { type Start, serveTasks } from "./worker-serve.ts";

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
      "celery -A tasks worker -l info --autoscale=10,2",
      "celery -A tasks worker -l info -P async -c 100",
      "celery -A tasks worker -l info -B",
      "celery -A tasks worker -l info -D --pidfile=%n.pid --logfile=%n.log",
    ],
    options: WORKER_OPTIONS,
  }),
  options: WORKER_OPTIONS,
  outlivesReader: true,
  run: (args, context) => startWorker(parseWorkerArguments(args), context),
};

/** A module that takes longer to load is spoken of. */
const SLOW_LOAD_MS = 5_000;

async function startWorker(args: WorkerArguments, context: CommandContext): Promise<number> {
  const appSpec = requireApp(context);
  const nodeName = expandNodeName(args.hostname, hostname());
  const named = (file: string): string => resolve(context.cwd, expandFileName(file, nodeName));
  const { detach, logFile } = args.daemon;
  if (detach) {
    const daemon = { ...args.daemon, logFile: logFile === undefined ? undefined : named(logFile) };
    startDetached(process, daemon, context);
    return 0;
  }
  const terminal = openTerminal(context);
  const warn = (text: string): void => terminal.err(`${text}\n`);
  await using file = logFile === undefined ? undefined : openLogFile(named(logFile), warn);
  const style = { color: terminal.color && !file };
  const log = makeCeleryLog({
    level: args.logLevel,
    color: () => style.color,
    clock: systemClock,
    write: file ? (text) => file.write(text) : terminal.err,
  });
  using _pid =
    args.daemon.pidFile === undefined
      ? undefined
      : takePidFile(named(args.daemon.pidFile), process.pid, warn);
  return await runStart({ args, context, terminal, log, style, nodeName, appSpec });
}

async function runStart(start: Start): Promise<number> {
  const { args, context, terminal, log, appSpec } = start;
  if (args.poolNote !== undefined) {
    log.record({ level: "WARNING", processName: MAIN_PROCESS, text: args.poolNote });
  }
  // The children need nothing but the module's name: they load it while this process does.
  const children = guessPool(start);
  let app: CeleryApp;
  try {
    app = await sayIfSlow(() => context.loadApp(args.include), { module: appSpec, afterMs: SLOW_LOAD_MS });
    await app.signals.celerydInit.send({ sender: start.nodeName, app, options: { ...args } });
    applyArguments(app, args);
    start.style.color &&= app.conf.worker_log_color ?? true;
  } catch (error) {
    children?.terminate();
    throw error;
  }
  // Not before: a module that never ends loading leaves signals to nobody but the system.
  using shutdown = watchShutdown(process, {
    say: (text) => terminal.out(`\n${text}\n`),
    sigtermIsSigquit: context.env["REMAP_SIGTERM"] === "SIGQUIT",
    onSignal: (sig, how) =>
      void app.signals.workerShuttingDown.send({ sig, how, exitcode: how === "Warm" ? 0 : 1 }),
  });
  shutdown.hard.addEventListener("abort", () => process.exit(1), { once: true });
  await using pool = await settlePool(start, app, children);
  await app.signals.celerydAfterSetup.send({ sender: start.nodeName, app });
  const ended = await serveTasks(start, app, pool, shutdown);
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
    ...(args.maxMemoryPerChild !== undefined && { worker_max_memory_per_child: args.maxMemoryPerChild }),
    ...(args.prefetchMultiplier !== undefined && { worker_prefetch_multiplier: args.prefetchMultiplier }),
    ...(args.concurrency !== undefined && { worker_concurrency: args.concurrency }),
    ...(args.pool !== undefined && { worker_pool: args.pool }),
    ...(args.taskEvents && { worker_send_task_events: true }),
    ...(args.disablePrefetch && { worker_disable_prefetch: true }),
    ...(args.stateFile !== undefined && { worker_state_db: args.stateFile }),
  });
}

/** The pool that the command line asks for; the app's configuration may turn out to want another. */
function guessPool(start: Start): Pool | undefined {
  const { pool = "prefork", autoscale, concurrency = null } = start.args;
  if (pool !== "prefork") return undefined;
  return openPreforkPool(preforkOptions(start, initialSize({ autoscale, concurrency })));
}

async function settlePool(start: Start, app: CeleryApp, guessed: Pool | undefined): Promise<Pool> {
  const { worker_pool: kind, worker_concurrency: concurrency } = app.conf;
  const size = initialSize({ autoscale: start.args.autoscale, concurrency });
  const pool = guessed?.kind === kind && guessed.size === size ? guessed : undefined;
  if (!pool) guessed?.terminate();
  const opened = pool ?? openPool(kind, size, start, app);
  setUpPool(opened, app, { log: start.log, out: start.terminal.out });
  return opened;
}

function openPool(kind: PoolKind, size: number, start: Start, app: CeleryApp): Pool {
  if (kind === "prefork") return openPreforkPool(preforkOptions(start, size));
  return openInProcessPool({
    kind,
    size,
    app,
    ...(app.conf.worker_redirect_stdouts && { redirect: process }),
  });
}

function preforkOptions({ context, nodeName, appSpec, args }: Start, size: number): PreforkOptions {
  const { include } = args;
  return { size, appSpec, include, cwd: context.cwd, env: context.env, hostname: nodeName };
}
