import { randomBytes } from "node:crypto";
import { type Binding, selectQueues, workerDirectQueue } from "../app/queues.ts";
import type { CeleryApp } from "../app/types.ts";
import { askWorkers } from "../control/index.ts";
import { openEventDispatcher } from "../events/index.ts";
import type { Pool } from "../pool/pool.ts";
import { maskUrl } from "../protocol/connection-url.ts";
import { systemClock } from "../runtime/clock.ts";
import { LamportClock } from "../runtime/lamport-clock.ts";
import { attend } from "../worker/attend.ts";
import { makeBrokerLog } from "../worker/broker-log.ts";
import { Revokes } from "../worker/revokes.ts";
import type { Shutdown } from "../worker/shutdown.ts";
import { StateFile } from "../worker/state-file.ts";
import { runWorker, type WorkerDeps, type WorkerOptions } from "../worker/worker.ts";
import type { WorkerLog } from "../worker/worker-log.ts";
import { renderBanner, renderTaskList } from "./banner.ts";
import { type CommandContext, UsageError } from "./command.ts";
import { renderReport } from "./report.ts";
import type { Terminal } from "./terminal.ts";
import { VERSION, VERSION_BANNER } from "./version.ts";
import type { WorkerArguments } from "./worker-options.ts";

/** Everything that one start of a worker is made of. */
export interface Start {
  readonly args: WorkerArguments;
  readonly context: CommandContext;
  readonly terminal: Terminal;
  readonly log: WorkerLog;
  /** How the log looks: `worker_log_color` may take its colours away once the app is loaded. */
  readonly style: { color: boolean };
  readonly nodeName: string;
  readonly appSpec: string;
  /** The file that an option names: absolute, with the node's names in it. */
  readonly named: (file: string) => string;
}

/** How long neighbours have for an answer. @see celery 5.7.0 worker/consumer/mingle.py, `send_hello` */
const MINGLE_SECONDS = 1;

/** Runs the worker from its banner to its end. @returns false if it never got a connection. */
export async function serveTasks(
  start: Start,
  app: CeleryApp,
  pool: Pool,
  shutdown: Shutdown,
): Promise<boolean> {
  const { args, log, nodeName, terminal, context } = start;
  const bindings = queuesOf(start, app);
  const lists = bindings.filter(({ type }) => type !== "fanout").map(({ queue }) => queue);
  if (!context.global.quiet) terminal.out(banner(start, app, pool, bindings));
  if (args.purge) await purge(app, lists, terminal);
  const lamport = new LamportClock();
  const revokes = new Revokes({ clock: systemClock, ...revokeLimits(context) });
  const stateFile = await openState(start, app, revokes, lamport);
  const taskEvents = app.conf.worker_send_task_events;
  const { brokerUrl } = app;
  await using events = openEventDispatcher(brokerUrl, { hostname: nodeName, taskEvents, lamport, log });
  const deps: WorkerDeps = {
    app,
    pool,
    events,
    log,
    clock: systemClock,
    lamport,
    revokes,
    ...(stateFile && { stateFile }),
    ...(args.mingle && { askNeighbors: askNeighbors(brokerUrl) }),
    brokerLog: makeBrokerLog({
      brokerUrl: maskUrl(brokerUrl),
      log,
      maxRetries: app.conf.broker_connection_max_retries,
    }),
    attendants: (parts) =>
      attend(
        {
          brokerUrl,
          nodeName,
          events,
          lamport,
          log,
          software: { ident: "ts-celery", version: VERSION },
          remoteControl: app.conf.worker_enable_remote_control,
          heartbeatInterval: args.heartbeatInterval,
          shutdown: () => shutdown.requestWarm(),
          report: () => renderReport(app, context.global.app),
          beat: args.beat ? { app, cwd: context.cwd, scheduleFile: args.schedule } : undefined,
        },
        parts,
      ),
  };
  // Awaited here: the dispatcher is closed when this function ends.
  return await runWorker(deps, workerOptions(start, app, bindings), shutdown);
}

function workerOptions(
  { args, nodeName, context }: Start,
  app: CeleryApp,
  queues: readonly Binding[],
): WorkerOptions {
  const keepalive = envNumber(context, "AUTOSCALE_KEEPALIVE");
  return {
    nodeName,
    queues,
    prefetchMultiplier: app.conf.worker_prefetch_multiplier,
    ...(args.autoscale && { autoscale: args.autoscale }),
    ...(keepalive !== undefined && { autoscaleKeepalive: keepalive }),
  };
}

/** `worker_direct` adds the queue that only this worker has. */
function queuesOf({ args, nodeName }: Start, app: CeleryApp): readonly Binding[] {
  const chosen = selectQueues(app.conf, { include: args.queues, exclude: args.excludeQueues });
  return app.conf.worker_direct ? [...chosen, workerDirectQueue(nodeName)] : chosen;
}

function askNeighbors(brokerUrl: string): NonNullable<WorkerDeps["askNeighbors"]> {
  const options = { timeoutSeconds: MINGLE_SECONDS };
  return (args) => askWorkers(brokerUrl, "hello", { ...options, arguments: args });
}

function revokeLimits(context: CommandContext): { maxIds?: number; expiresSeconds?: number } {
  const maxIds = envNumber(context, "CELERY_WORKER_REVOKES_MAX");
  const expiresSeconds = envNumber(context, "CELERY_WORKER_REVOKE_EXPIRES");
  return {
    ...(maxIds !== undefined && { maxIds }),
    ...(expiresSeconds !== undefined && { expiresSeconds }),
  };
}

function envNumber({ env }: CommandContext, name: string): number | undefined {
  const text = env[name];
  if (text === undefined || text === "") return undefined;
  const value = Number(text);
  if (Number.isFinite(value) && value >= 0) return value;
  throw new UsageError(
    `Invalid value for the environment variable ${name}: expected a number, got '${text}'.`,
  );
}

/** Brings back what the last run of this worker knew. */
async function openState(
  start: Start,
  app: CeleryApp,
  revokes: Revokes,
  lamport: LamportClock,
): Promise<StateFile | undefined> {
  const path = app.conf.worker_state_db;
  if (path === null) return undefined;
  const file = new StateFile(start.named(path), () => ({ revoked: revokes.ids(), clock: lamport.value }));
  const state = await file.load();
  if (state) {
    revokes.add(state.revoked);
    lamport.adjust(state.clock);
  }
  return file;
}

function banner(
  { args, nodeName, terminal }: Start,
  app: CeleryApp,
  pool: Pool,
  queues: readonly Binding[],
): string {
  const { autoscale } = args;
  const text = renderBanner({
    nodeName,
    version: VERSION_BANNER,
    nowMs: systemClock.nowMs(),
    appName: `${app.main}:0x7f${randomBytes(5).toString("hex")}`,
    brokerUrl: app.brokerUrl,
    backendUrl: app.resultBackendUrl,
    concurrency: autoscale ? `{min=${autoscale.min}, max=${autoscale.max}}` : pool.size,
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
