import { randomBytes } from "node:crypto";
import type { Binding } from "../app/queues.ts";
import type { CeleryApp } from "../app/types.ts";
import type { Pool } from "../pool/pool.ts";
import { systemClock } from "../runtime/clock.ts";
import { serve, workerQueues } from "../worker/serve.ts";
import type { Shutdown } from "../worker/shutdown.ts";
import type { WorkerLog } from "../worker/worker-log.ts";
import { renderBanner, renderTaskList } from "./banner.ts";
import type { CommandContext } from "./command.ts";
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
}

/** Runs the worker from its banner to its end. @returns false if it never got a connection. */
export async function serveTasks(
  start: Start,
  app: CeleryApp,
  pool: Pool,
  shutdown: Shutdown,
): Promise<boolean> {
  const { args, log, nodeName, terminal, context, appSpec } = start;
  const queues = workerQueues(app, nodeName, { include: args.queues, exclude: args.excludeQueues });
  const lists = queues.filter(({ type }) => type !== "fanout").map(({ queue }) => queue);
  if (!context.global.quiet) terminal.out(banner(start, app, pool, queues));
  if (args.purge) await purge(app, lists, terminal);
  return await serve({
    app,
    pool,
    log,
    nodeName,
    queues,
    shutdown,
    cwd: context.cwd,
    env: context.env,
    mingle: args.mingle,
    heartbeatInterval: args.heartbeatInterval,
    autoscale: args.autoscale,
    beat: args.beat,
    scheduleFile: args.schedule,
    version: VERSION,
    about: { version: VERSION_BANNER, loader: appSpec },
  });
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
