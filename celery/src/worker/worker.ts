import { once } from "node:events";
import type { CeleryApp } from "../app/types.ts";
import type { Pool } from "../pool/pool.ts";
import type { Clock } from "../runtime/clock.ts";
import type { LamportClock } from "../runtime/lamport-clock.ts";
import { atMost, sleep } from "../runtime/sleep.ts";
import type { Consumer } from "../transport/transport.ts";
import { type AssembleOptions, assemble } from "./assemble.ts";
import type { BrokerLog } from "./broker-log.ts";
import type { TaskConsumer } from "./consume.ts";
import { mingle } from "./mingle.ts";
import { watchOutage } from "./outage.ts";
import type { WorkerParts } from "./panel.ts";
import type { Revokes } from "./revokes.ts";
import type { Shutdown } from "./shutdown.ts";
import type { StateFile } from "./state-file.ts";
import type { EventSink } from "./task-event.ts";
import { MAIN_PROCESS, type WorkerLog } from "./worker-log.ts";

export interface WorkerDeps {
  readonly app: CeleryApp;
  readonly pool: Pool;
  readonly events: EventSink;
  readonly log: WorkerLog;
  readonly brokerLog: BrokerLog;
  readonly clock: Clock;
  readonly lamport: LamportClock;
  /** Ids that are not to be run; may be filled already, from a state file. */
  readonly revokes: Revokes;
  /** Where they are kept, if they are. */
  readonly stateFile?: StateFile;
  /** Asks the neighbours what they know; not given: they are not asked. */
  readonly askNeighbors?: (args: Readonly<Record<string, unknown>>) => Promise<ReadonlyMap<string, unknown>>;
  /** Called when the node takes tasks, with what it is made of; disposed before the broker is left. */
  readonly attendants: (parts: WorkerParts) => Promise<AsyncDisposable>;
}

export type WorkerOptions = AssembleOptions;

/** How long an end waits for an absent broker to take messages back; it gives them to others by itself anyway. */
const GIVE_BACK_MS = 5_000;
/** How long a cold shutdown waits for the broker to take the last answers. */
const COLD_GRACE_MS = 5_000;
/** How often the autoscaler looks whether it is quiet. */
const SCALE_TICK_MS = 1_000;

/**
 * The worker's life: connect, take tasks, and on `shutdown` end in order. Messages that have not begun go back
 * at once; warm waits for running tasks, cold kills them.
 *
 * @returns when nothing of it is left; `false` if it never got a connection.
 * @throws PoolStartError when the app cannot be loaded in the pool's processes.
 */
export async function runWorker(
  deps: WorkerDeps,
  options: WorkerOptions,
  shutdown: Shutdown,
): Promise<boolean> {
  const { signals } = deps.app;
  const about = { sender: options.nodeName, app: deps.app };
  await signals.workerInit.send(about);
  await using consumer = await openConsumer(deps, options);
  const outage = watchOutage(consumer.events, deps.app.conf, deps.clock);
  const stop = AbortSignal.any([shutdown.warm, outage]);
  const [connected] = await Promise.all([connect(consumer, deps, options, stop), readyOr(stop, deps.pool)]);
  if (!connected) return shutdown.warm.aborted;
  const parts = assemble(deps, options, consumer);
  const { tasks } = parts;
  await using _attendants = await deps.attendants(parts);
  using _ticks = scaleRegularly(parts);
  say(deps, `${options.nodeName} ready.`);
  await signals.workerReady.send(about);
  await tasks.consume(stop);
  if (outage.aborted) return giveUp(deps, outage.reason as Error);
  await atMost(GIVE_BACK_MS, tasks.releaseWaiting(), shutdown.cold);
  await endRunning(tasks, deps, shutdown);
  await deps.stateFile?.save();
  await signals.workerShutdown.send(about);
  return true;
}

/** The broker does not come back: what is held comes back to other workers by itself. */
function giveUp({ log, pool }: WorkerDeps, { message: setting }: Error): false {
  const text = `consumer: The broker has been away for too long (${setting}). This worker ends.`;
  log.record({ level: "CRITICAL", processName: MAIN_PROCESS, text });
  pool.terminate();
  return false;
}

async function endRunning(tasks: TaskConsumer, deps: WorkerDeps, shutdown: Shutdown): Promise<void> {
  const drained = tasks.drained();
  await Promise.race([drained, aborted(shutdown.cold)]);
  if (!shutdown.cold.aborted) return;
  await softShutdown(tasks, drained, deps, shutdown.hard);
  deps.pool.terminate();
  await atMost(COLD_GRACE_MS, drained, shutdown.hard);
}

/** `worker_soft_shutdown_timeout`: a last chance before the kill. @see celery 5.7.0 worker/worker.py, `wait_for_soft_shutdown` */
async function softShutdown(
  tasks: TaskConsumer,
  drained: Promise<void>,
  { app, log }: WorkerDeps,
  hard: AbortSignal,
): Promise<void> {
  const seconds = app.conf.worker_soft_shutdown_timeout;
  const isIdle = tasks.counts().active === 0;
  if (seconds === 0 || (isIdle && !app.conf.worker_enable_soft_shutdown_on_idle)) return;
  const text = `Initiating Soft Shutdown, terminating in ${seconds} seconds`;
  log.record({ level: "WARNING", processName: MAIN_PROCESS, text });
  await (isIdle ? sleep(seconds * 1000, hard) : atMost(seconds * 1000, drained, hard));
}

/** Settles with the first connection and what the neighbours know, or with false if `stop` came first. */
async function connect(
  consumer: Consumer,
  deps: WorkerDeps,
  { nodeName }: WorkerOptions,
  stop: AbortSignal,
): Promise<boolean> {
  const { brokerLog, askNeighbors: ask, revokes, lamport, log } = deps;
  const first = once(consumer.events, "connected").then(() => true);
  brokerLog.follow(consumer.events);
  const connected = await Promise.race([first, aborted(stop).then(() => false)]);
  if (connected && ask) await Promise.race([mingle({ nodeName, ask, revokes, lamport, log }), aborted(stop)]);
  return connected && !stop.aborted;
}

function openConsumer({ app, log }: WorkerDeps, options: WorkerOptions): Promise<Consumer> {
  const backend = app.backend();
  return app.transport().openConsumer({
    nodeName: options.nodeName,
    queues: options.queues,
    queueOrder: app.conf.broker_transport_options.queue_order_strategy,
    heartbeatTtlMs: app.conf.broker_transport_options.heartbeat_ttl * 1000,
    visibilityTimeoutMs: app.conf.broker_transport_options.visibility_timeout * 1000,
    log,
    ...(backend && { backend }),
  });
}

function scaleRegularly({ autoscaler, tasks }: WorkerParts): Disposable {
  const timer =
    autoscaler &&
    setInterval(() => {
      autoscaler.tick();
      tasks.roomChanged();
    }, SCALE_TICK_MS);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

async function readyOr(stop: AbortSignal, pool: Pool): Promise<void> {
  await Promise.race([pool.ready, aborted(stop)]);
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}

function say({ log }: WorkerDeps, text: string): void {
  log.record({ level: "INFO", processName: MAIN_PROCESS, text });
}
