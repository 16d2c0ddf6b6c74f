import { Topology } from "../app/queues.ts";
import type { CeleryApp } from "../app/types.ts";
import type { Pool } from "../pool/pool.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Binding, Consumer } from "../transport/transport.ts";
import { Autoscaler, type Range } from "./autoscale.ts";
import { type Prefetch, TaskConsumer } from "./consume.ts";
import { makeDeduplicator } from "./deduplicate.ts";
import type { Delivery } from "./delivery.ts";
import { FollowUps } from "./follow-ups.ts";
import type { WorkerParts } from "./panel.ts";
import { afterMs, RateLimits } from "./rate-limits.ts";
import { makeRefusals } from "./refuse.ts";
import { makeResultWriter } from "./result-writer.ts";
import { Revocations } from "./revocations.ts";
import type { Revokes } from "./revokes.ts";
import { TaskRunner } from "./run-task.ts";
import type { StateFile } from "./state-file.ts";
import type { EventSink } from "./task-event.ts";
import { TimeLimits } from "./time-limits.ts";
import { MAIN_PROCESS, type WorkerLog } from "./worker-log.ts";

export interface AssembleDeps {
  readonly app: CeleryApp;
  readonly pool: Pool;
  readonly events: EventSink;
  readonly log: WorkerLog;
  readonly clock: Clock;
  readonly revokes: Revokes;
  readonly stateFile?: StateFile;
}

export interface AssembleOptions {
  readonly nodeName: string;
  /** A name is a queue bound under its own name. */
  readonly queues: readonly (string | Binding)[];
  /** Unanswered messages per slot; 0 = no limit. */
  readonly prefetchMultiplier: number;
  /** Keep the pool between these sizes, as the load asks for. */
  readonly autoscale?: Range;
  /** Seconds of quiet before an autoscaled pool shrinks. Default 30. */
  readonly autoscaleKeepalive?: number;
}

/** Of the heartbeat's time to live: for so long after `confirm` nobody can have been given the message. */
const SURE_SHARE = 0.2;

/** Builds what a connected worker is made of; nothing runs yet. */
export function assemble(deps: AssembleDeps, options: AssembleOptions, consumer: Consumer): WorkerParts {
  const { app, pool, log, clock, events, revokes } = deps;
  const { nodeName } = options;
  const results = makeResultWriter({
    backend: app.backend(),
    clock,
    nodeName,
    extended: app.conf.result_extended,
  });
  const timeLimits = new TimeLimits();
  const followUps = new FollowUps({ app, backend: app.backend(), consumer, events, log, clock });
  const alreadyDone = deduplicator(deps, consumer);
  const aboutRuns = {
    consumer,
    pool,
    results,
    followUps,
    events,
    log,
    nodeName,
    clock,
    timeLimits,
    alreadyDone,
    signals: app.signals,
  };
  const runner = new TaskRunner(aboutRuns);
  pool.beginWithin(app.conf.broker_transport_options.heartbeat_ttl * 1000 * SURE_SHARE);
  const known = (): readonly string[] => [...app.tasks.keys()];
  const refusals = makeRefusals({ consumer, results, followUps, events, log, signals: app.signals, known });
  const rateLimits = makeRateLimits(deps, (delivery) => tasks.enqueue(delivery));
  const autoscaler = makeAutoscaler(deps, options, () => tasks.load);
  const prefetch = (): Prefetch =>
    prefetchOf(app, options.prefetchMultiplier, autoscaler?.range.max ?? pool.size);
  const onReserved = autoscaler && { onReserved: () => autoscaler.onReceived() };
  const held = { app, consumer, pool, runner, refusals, events, log, clock, revokes, rateLimits, prefetch };
  const tasks: TaskConsumer = new TaskConsumer({ ...held, ...onReserved });
  const revocations = makeRevocations(deps, tasks, runner);
  const bindings = bindingsByName(app, options.queues);
  const parts = { app, nodeName, pool, consumer, bindings, tasks, revocations, rateLimits, timeLimits };
  return { ...parts, autoscaler, clock, log };
}

function bindingsByName({ conf }: CeleryApp, queues: readonly (string | Binding)[]): Map<string, Binding> {
  const topology = new Topology(conf);
  const bindings = queues.map((queue) => (typeof queue === "string" ? topology.get(queue) : queue));
  return new Map(bindings.map((binding) => [binding.queue, binding]));
}

function makeRateLimits(
  { app, clock }: AssembleDeps,
  onReady: (delivery: Delivery) => void,
): RateLimits<Delivery> {
  return new RateLimits<Delivery>({
    clock,
    after: afterMs,
    disabled: app.conf.worker_disable_rate_limits,
    limitOf: (task) => app.tasks.get(task)?.options.rateLimit ?? null,
    onReady,
  });
}

/** `--disable-prefetch` takes a message only when a slot is free for it. */
function prefetchOf({ conf }: CeleryApp, multiplier: number, slots: number): Prefetch {
  const unanswered = multiplier === 0 ? Number.POSITIVE_INFINITY : multiplier * slots;
  return { unanswered, held: conf.worker_disable_prefetch ? slots : Number.POSITIVE_INFINITY };
}

function makeRevocations(deps: AssembleDeps, tasks: TaskConsumer, runner: TaskRunner): Revocations {
  const { app, revokes, clock, log, stateFile } = deps;
  return new Revocations({
    revokes,
    backend: app.backend(),
    clock,
    log,
    held: () => tasks.held(),
    terminate: (delivery, signal) => runner.terminate(delivery, signal),
    withdraw: (delivery) => runner.withdraw(delivery),
    onChanged: () =>
      void stateFile
        ?.save()
        .catch((error: unknown) => log.error({ error }, "the state file was not written")),
  });
}

function makeAutoscaler(
  { pool, clock, log }: AssembleDeps,
  { autoscale, autoscaleKeepalive }: AssembleOptions,
  load: () => number,
): Autoscaler | undefined {
  if (!autoscale) return undefined;
  const say = (text: string): void => log.record({ level: "INFO", processName: MAIN_PROCESS, text });
  return new Autoscaler({ pool, load, clock, say }, autoscale, autoscaleKeepalive);
}

function deduplicator(
  { app, events, log }: AssembleDeps,
  consumer: Consumer,
): ((delivery: Delivery) => Promise<boolean>) | undefined {
  const backend = app.backend();
  if (!app.conf.worker_deduplicate_successful_tasks || !backend) return undefined;
  return makeDeduplicator({ backend, consumer, events, log });
}
