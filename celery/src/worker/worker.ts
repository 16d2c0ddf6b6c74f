import { once } from "node:events";
import type { CeleryApp } from "../app/types.ts";
import type { Pool } from "../pool/pool.ts";
import type { Clock } from "../runtime/clock.ts";
import { sleep } from "../runtime/sleep.ts";
import type { Binding, Consumer } from "../transport/transport.ts";
import type { BrokerLog } from "./broker-log.ts";
import { TaskConsumer } from "./consume.ts";
import { watchOutage } from "./outage.ts";
import { makeRefusals } from "./refuse.ts";
import { makeResultWriter } from "./result-writer.ts";
import { TaskRunner } from "./run-task.ts";
import type { Shutdown } from "./shutdown.ts";
import type { EventSink } from "./task-event.ts";
import { MAIN_PROCESS, type WorkerLog } from "./worker-log.ts";

export interface WorkerDeps {
  readonly app: CeleryApp;
  readonly pool: Pool;
  readonly events: EventSink;
  readonly log: WorkerLog;
  readonly brokerLog: BrokerLog;
  readonly clock: Clock;
  /** Called when the node takes tasks, with what it can tell about itself; disposed before the broker is left. */
  readonly attendants: (counts: TaskCounts) => Promise<AsyncDisposable>;
}

export type TaskCounts = () => { readonly active: number; readonly processed: number };

export interface WorkerOptions {
  readonly nodeName: string;
  readonly queues: readonly (string | Binding)[];
  /** Unanswered messages per slot; 0 = no limit. */
  readonly prefetchMultiplier: number;
}

/** How long an end waits for an absent broker to take messages back; it gives them to others by itself anyway. */
const GIVE_BACK_MS = 5_000;
/** How long a cold shutdown waits for the broker to take the last answers. */
const COLD_GRACE_MS = 5_000;

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
  await using consumer = await openConsumer(deps, options);
  const outage = watchOutage(consumer.events, deps.app.conf, deps.clock);
  const stop = AbortSignal.any([shutdown.warm, outage]);
  const [connected] = await Promise.all([whenConnected(consumer, deps, stop), readyOr(stop, deps.pool)]);
  if (!connected) return shutdown.warm.aborted;
  const tasks = makeConsumer(deps, options, consumer);
  await using _attendants = await deps.attendants(() => tasks.counts());
  say(deps, `${options.nodeName} ready.`);
  await tasks.consume(stop);
  if (outage.aborted) return giveUp(deps, outage.reason as Error);
  await Promise.race([tasks.releaseWaiting(), sleep(GIVE_BACK_MS, shutdown.cold)]);
  await endRunning(tasks, deps, shutdown);
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
  await Promise.race([drained, sleep(COLD_GRACE_MS, shutdown.hard)]);
}

/** `worker_soft_shutdown_timeout`: a last chance before the kill. */
async function softShutdown(
  tasks: TaskConsumer,
  drained: Promise<void>,
  { app, log }: WorkerDeps,
  hard: AbortSignal,
): Promise<void> {
  const seconds = app.conf.worker_soft_shutdown_timeout;
  if (seconds === 0 || tasks.counts().active === 0) return;
  const text = `Initiating Soft Shutdown, terminating in ${seconds} seconds`;
  log.record({ level: "WARNING", processName: MAIN_PROCESS, text });
  await Promise.race([drained, sleep(seconds * 1000, hard)]);
}

function makeConsumer(deps: WorkerDeps, options: WorkerOptions, consumer: Consumer): TaskConsumer {
  const { app, pool, events, log, clock } = deps;
  const { nodeName } = options;
  const results = makeResultWriter({
    backend: app.backend(),
    clock,
    nodeName,
    extended: app.conf.result_extended,
  });
  const runner = new TaskRunner({ consumer, pool, results, events, log, nodeName });
  const refusals = makeRefusals({ consumer, results, events, log, known: () => [...app.tasks.keys()] });
  const prefetch = options.prefetchMultiplier === 0 ? Infinity : options.prefetchMultiplier * pool.size;
  return new TaskConsumer({ app, consumer, pool, runner, refusals, events, log, clock, prefetch });
}

/** Tells about the connection from now on; settles with the first one, or with false if `stop` came first. */
async function whenConnected(
  consumer: Consumer,
  { brokerLog }: WorkerDeps,
  stop: AbortSignal,
): Promise<boolean> {
  const first = once(consumer.events, "connected").then(() => true);
  brokerLog.follow(consumer.events);
  return Promise.race([first, aborted(stop).then(() => false)]);
}

function openConsumer({ app, log }: WorkerDeps, options: WorkerOptions): Promise<Consumer> {
  const backend = app.backend();
  return app.transport().openConsumer({
    nodeName: options.nodeName,
    queues: options.queues,
    heartbeatTtlMs: app.conf.broker_transport_options.heartbeat_ttl * 1000,
    log,
    ...(backend && { backend }),
  });
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
