import { resolve } from "node:path";
import { type Binding, selectQueues, workerDirectQueue } from "../app/queues.ts";
import type { CeleryApp } from "../app/types.ts";
import { askWorkers } from "../control/index.ts";
import { type EventDispatcher, openEventDispatcher } from "../events/index.ts";
import type { Pool } from "../pool/pool.ts";
import { maskUrl } from "../protocol/connection-url.ts";
import { ImproperlyConfigured } from "../protocol/errors.ts";
import { systemClock } from "../runtime/clock.ts";
import { LamportClock } from "../runtime/lamport-clock.ts";
import { attend } from "./attend.ts";
import type { Range } from "./autoscale.ts";
import { makeBrokerLog } from "./broker-log.ts";
import { expandFileName } from "./node-name.ts";
import { type ReportOptions, renderReport } from "./report.ts";
import { Revokes } from "./revokes.ts";
import type { Shutdown } from "./shutdown.ts";
import { StateFile } from "./state-file.ts";
import { runWorker, type WorkerDeps } from "./worker.ts";
import type { WorkerLog } from "./worker-log.ts";

/** One worker, wherever it lives: in a process of its own, or inside somebody's program. The rest comes from the app's settings. */
export interface ServeOptions {
  readonly app: CeleryApp;
  readonly pool: Pool;
  readonly log: WorkerLog;
  readonly nodeName: string;
  readonly queues: readonly Binding[];
  readonly shutdown: Shutdown;
  /** Where relative files lie. */
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Ask the other workers at the start what is revoked. */
  readonly mingle: boolean;
  /** Seconds between `worker-heartbeat` events; null sends none. */
  readonly heartbeatInterval: number | null;
  readonly autoscale: Range | undefined;
  /** Run Beat in here, too. */
  readonly beat: boolean;
  readonly scheduleFile: string | undefined;
  /** The version as events tell it. */
  readonly version: string;
  /** What `celery inspect report` says. */
  readonly about: ReportOptions;
  /** It takes tasks from now on. */
  readonly onReady?: () => void;
}

/** How long neighbours have for an answer. @see celery 5.7.0 worker/consumer/mingle.py, `send_hello` */
const MINGLE_SECONDS = 1;

/**
 * Runs a worker from its first connection to its end. Signals, the pool and the app belong to the caller.
 *
 * @returns false if it never got a connection, or lost it for longer than the settings allow.
 * @throws PoolStartError when the app cannot be loaded in the pool's processes; StateFileError; ScheduleError;
 *   ImproperlyConfigured for an environment variable that cannot be, or for a pool of one that is to grow.
 */
export async function serve(options: ServeOptions): Promise<boolean> {
  const { app, nodeName, queues, log, autoscale, env } = options;
  refuseToScaleOne(options);
  const lamport = new LamportClock();
  const revokes = new Revokes({ clock: systemClock, ...revokeLimits(env) });
  const autoscaleKeepalive = envNumber(env, "AUTOSCALE_KEEPALIVE");
  const stateFile = await openState(options, revokes, lamport);
  await using events = openEventDispatcher(app.brokerUrl, {
    hostname: nodeName,
    taskEvents: app.conf.worker_send_task_events,
    lamport,
    log,
  });
  const deps = { ...makeDeps(options, { events, lamport, revokes }), ...(stateFile && { stateFile }) };
  // Awaited here: the dispatcher is closed when this function ends.
  return await runWorker(
    deps,
    {
      nodeName,
      queues,
      prefetchMultiplier: app.conf.worker_prefetch_multiplier,
      ...(autoscale && { autoscale }),
      ...(autoscaleKeepalive !== undefined && { autoscaleKeepalive }),
    },
    options.shutdown,
  );
}

/** Celery's worker takes both, and its autoscaler ends it when there are two tasks. */
function refuseToScaleOne({ pool, autoscale }: ServeOptions): void {
  if (pool.kind !== "solo" || !autoscale || autoscale.max <= 1) return;
  throw new ImproperlyConfigured(
    "The solo pool runs one task at a time, so autoscale has nothing to do. Leave it out, or use the pool prefork or async.",
  );
}

/**
 * The queues that a worker takes tasks from. `worker_direct` adds the one that only this worker has.
 *
 * @throws InvalidArgument for a queue that cannot be.
 */
export function workerQueues(
  { conf }: CeleryApp,
  nodeName: string,
  chosen: Parameters<typeof selectQueues>[1],
): readonly Binding[] {
  const queues = selectQueues(conf, chosen);
  return conf.worker_direct ? [...queues, workerDirectQueue(nodeName)] : queues;
}

interface Opened {
  readonly events: EventDispatcher;
  readonly lamport: LamportClock;
  readonly revokes: Revokes;
}

function makeDeps(options: ServeOptions, { events, lamport, revokes }: Opened): WorkerDeps {
  const { app, pool, log, mingle, onReady } = options;
  const { brokerUrl, conf } = app;
  const maxRetries = conf.broker_connection_max_retries;
  return {
    app,
    pool,
    events,
    log,
    clock: systemClock,
    lamport,
    revokes,
    ...(mingle && { askNeighbors: askNeighbors(brokerUrl) }),
    brokerLog: makeBrokerLog({ brokerUrl: maskUrl(brokerUrl), log, maxRetries }),
    attendants: async (parts) => {
      const attendants = await attend(attendance(options, { events, lamport }), parts);
      onReady?.();
      return attendants;
    },
  };
}

function attendance(
  options: ServeOptions,
  { events, lamport }: Pick<Opened, "events" | "lamport">,
): Parameters<typeof attend>[0] {
  const { app, nodeName, log, shutdown, cwd, scheduleFile, heartbeatInterval } = options;
  return {
    brokerUrl: app.brokerUrl,
    nodeName,
    events,
    lamport,
    log,
    software: { ident: "ts-celery", version: options.version },
    remoteControl: app.conf.worker_enable_remote_control,
    heartbeatInterval,
    shutdown: () => shutdown.requestWarm(),
    report: () => renderReport(app, options.about),
    beat: options.beat ? { app, cwd, scheduleFile } : undefined,
  };
}

function askNeighbors(brokerUrl: string): NonNullable<WorkerDeps["askNeighbors"]> {
  const options = { timeoutSeconds: MINGLE_SECONDS };
  return (args) => askWorkers(brokerUrl, "hello", { ...options, arguments: args });
}

/** @see celery 5.7.0 worker/state.py, `REVOKES_MAX` */
function revokeLimits(env: ServeOptions["env"]): { maxIds?: number; expiresSeconds?: number } {
  const maxIds = envNumber(env, "CELERY_WORKER_REVOKES_MAX");
  const expiresSeconds = envNumber(env, "CELERY_WORKER_REVOKE_EXPIRES");
  return {
    ...(maxIds !== undefined && { maxIds }),
    ...(expiresSeconds !== undefined && { expiresSeconds }),
  };
}

function envNumber(env: ServeOptions["env"], name: string): number | undefined {
  const text = env[name];
  if (text === undefined || text === "") return undefined;
  const value = Number(text);
  if (Number.isFinite(value) && value >= 0) return value;
  throw new ImproperlyConfigured(
    `Invalid value for the environment variable ${name}: expected a number, got '${text}'.`,
  );
}

/** Brings back what the last run of this worker knew. */
async function openState(
  { app, cwd, nodeName }: ServeOptions,
  revokes: Revokes,
  lamport: LamportClock,
): Promise<StateFile | undefined> {
  const path = app.conf.worker_state_db;
  if (path === null) return undefined;
  const name = resolve(cwd, expandFileName(path, nodeName));
  const file = new StateFile(name, () => ({ revoked: revokes.ids(), clock: lamport.value }));
  const state = await file.load();
  if (state) {
    revokes.add(state.revoked);
    lamport.adjust(state.clock);
  }
  // Who waits with that until the end learns only then that nothing can be kept.
  await file.save();
  return file;
}
