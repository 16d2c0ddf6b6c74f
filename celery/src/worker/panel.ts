import { makeConf } from "../app/conf.ts";
import { Topology } from "../app/queues.ts";
import type { AnyTask, CeleryApp } from "../app/types.ts";
import {
  ControlError,
  type QueueInfo,
  type ScheduledInfo,
  type TaskInfo,
  type TerminateOptions,
  type WorkerPanel,
  type WorkerStats,
} from "../control/index.ts";
import { type Pool, PoolError } from "../pool/pool.ts";
import { hideSecrets } from "../protocol/hidden-settings.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Binding, Consumer } from "../transport/transport.ts";
import type { Autoscaler } from "./autoscale.ts";
import type { TaskConsumer } from "./consume.ts";
import { type Delivery, hasStarted } from "./delivery.ts";
import type { RateLimits } from "./rate-limits.ts";
import type { Revocations } from "./revocations.ts";
import { deliveryInfo } from "./task-info.ts";
import type { TimeLimits } from "./time-limits.ts";
import { MAIN_PROCESS, type WorkerLog } from "./worker-log.ts";

/** What a running worker is made of, as far as remote control turns it. */
export interface WorkerParts {
  readonly app: CeleryApp;
  readonly nodeName: string;
  readonly pool: Pool;
  readonly consumer: Consumer;
  /** What is consumed now, by name. */
  readonly bindings: Map<string, Binding>;
  readonly tasks: TaskConsumer;
  readonly revocations: Revocations;
  readonly rateLimits: RateLimits<Delivery>;
  readonly timeLimits: TimeLimits;
  readonly autoscaler: Autoscaler | undefined;
  readonly clock: Clock;
  readonly log: WorkerLog;
}

/** What the panel reaches that is not the worker's own. */
export interface PanelSurroundings {
  readonly events: { taskEventsEnabled: boolean };
  readonly heartbeat: () => void;
  readonly shutdown: () => void;
  /** `celery report`'s text. */
  readonly report: () => string;
}

const EXCHANGE_TYPES = ["direct", "topic", "fanout"] as const;

/** The worker, for remote control. */
export class Panel implements WorkerPanel {
  readonly #parts: WorkerParts;
  readonly #around: PanelSurroundings;
  readonly #startedMs: number;

  constructor(parts: WorkerParts, around: PanelSurroundings) {
    this.#parts = parts;
    this.#around = around;
    this.#startedMs = parts.clock.monotonicMs();
  }

  active(): readonly TaskInfo[] {
    return this.#held(hasStarted);
  }

  reserved(): readonly TaskInfo[] {
    return this.#held((delivery) => !hasStarted(delivery));
  }

  scheduled(): readonly ScheduledInfo[] {
    const { tasks, clock, nodeName } = this.#parts;
    return tasks.parked.list(clock.nowMs(), nodeName);
  }

  revoked(): readonly string[] {
    return this.#parts.revocations.ids();
  }

  registered(): ReturnType<WorkerPanel["registered"]> {
    return [...this.#parts.app.tasks.values()].map((task) => ({
      name: task.name,
      attributes: attributesOf(task, this.#parts),
    }));
  }

  stats(): WorkerStats {
    const { app, pool, tasks, clock, autoscaler } = this.#parts;
    const { unanswered } = tasks.prefetch;
    return {
      total: Object.fromEntries(tasks.total),
      uptimeSeconds: (clock.monotonicMs() - this.#startedMs) / 1000,
      // Celery's 0 is "no limit", too.
      prefetchCount: Number.isFinite(unanswered) ? unanswered : 0,
      pool: {
        kind: pool.kind,
        maxConcurrency: pool.size,
        processes: pool.processes(),
        maxTasksPerChild: app.conf.worker_max_tasks_per_child,
        timeouts: [app.conf.task_soft_time_limit ?? 0, app.conf.task_time_limit ?? 0],
        writes: pool.writes(),
      },
      autoscaler: autoscaler ? { ...autoscaler.range, current: pool.size } : null,
    };
  }

  conf(withDefaults: boolean): Readonly<Record<string, unknown>> {
    const defaults = makeConf() as unknown as Readonly<Record<string, unknown>>;
    const shown = Object.entries(this.#parts.app.conf).map(
      ([key, value]) => [key, plain(value), plain(defaults[key])] as const,
    );
    const wanted = shown.filter(
      ([, value, usual]) => withDefaults || JSON.stringify(value) !== JSON.stringify(usual),
    );
    return hideSecrets(Object.fromEntries(wanted));
  }

  activeQueues(): readonly QueueInfo[] {
    return [...this.#parts.bindings.values()]
      .map(({ queue: name, exchange, type, routingKey }) => ({
        name,
        exchange,
        exchangeType: type,
        routingKey,
      }))
      .toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }

  report(): string {
    return this.#around.report();
  }

  async revoke(ids: readonly string[], options: TerminateOptions): Promise<void> {
    await this.#parts.revocations.revoke(ids, options);
  }

  revokeByStampedHeaders(
    headers: Readonly<Record<string, readonly string[]>>,
    options: TerminateOptions,
  ): Promise<readonly string[]> {
    return this.#parts.revocations.revokeByStamps(headers, options);
  }

  adoptRevoked(ids: readonly string[]): void {
    this.#parts.revocations.adopt(ids);
  }

  setRateLimit(name: string, limit: string | number | null): void {
    this.#taskNamed(name);
    this.#parts.rateLimits.set(name, limit);
  }

  setTimeLimit(name: string, limits: Parameters<WorkerPanel["setTimeLimit"]>[1]): void {
    this.#parts.timeLimits.set(this.#taskNamed(name), limits);
  }

  growPool(n: number): void {
    this.#resize(() => this.#parts.pool.grow(n));
  }

  shrinkPool(n: number): void {
    this.#resize(() => this.#parts.pool.shrink(n));
  }

  restartPool(): void {
    if (!this.#parts.app.conf.worker_pool_restarts) throw new ControlError("Pool restarts not enabled");
    this.#resize(() => this.#parts.pool.restart());
  }

  autoscale(max: number | null, min: number | null): { readonly max: number; readonly min: number } {
    const { autoscaler, tasks } = this.#parts;
    if (!autoscaler) throw new ControlError("Autoscale not enabled");
    const range = autoscaler.update(max, min);
    tasks.roomChanged();
    return range;
  }

  async addConsumer(asked: Parameters<WorkerPanel["addConsumer"]>[0]): Promise<void> {
    const { consumer, bindings, app } = this.#parts;
    const { queue } = asked;
    if (bindings.has(queue)) return;
    const known = new Topology(app.conf).declared.find((binding) => binding.queue === queue);
    const binding = known ?? bindingOf(asked);
    await consumer.addQueue(binding);
    bindings.set(queue, binding);
    this.#say(`Started consuming from ${queue}`);
  }

  async cancelConsumer(queue: string): Promise<void> {
    this.#say(`Canceling queue ${queue}`);
    this.#parts.bindings.delete(queue);
    await this.#parts.consumer.removeQueue(queue);
  }

  enableEvents(): boolean {
    const { events } = this.#around;
    const changes = !events.taskEventsEnabled;
    events.taskEventsEnabled = true;
    return changes;
  }

  disableEvents(): boolean {
    const { events } = this.#around;
    const changes = events.taskEventsEnabled;
    events.taskEventsEnabled = false;
    return changes;
  }

  heartbeat(): void {
    this.#around.heartbeat();
  }

  shutdown(): void {
    this.#around.shutdown();
  }

  #held(isWanted: (delivery: Delivery) => boolean): readonly TaskInfo[] {
    const { tasks, nodeName } = this.#parts;
    return tasks
      .held()
      .filter(isWanted)
      .map((delivery) => deliveryInfo(delivery, nodeName));
  }

  #taskNamed(name: string): AnyTask {
    const task = this.#parts.app.tasks.get(name);
    if (task) return task;
    throw new ControlError("unknown task");
  }

  #resize(work: () => void): void {
    try {
      work();
    } catch (error) {
      if (error instanceof PoolError) throw new ControlError(error.message);
      throw error;
    } finally {
      this.#parts.tasks.roomChanged();
    }
  }

  #say(text: string): void {
    this.#parts.log.record({ level: "INFO", processName: MAIN_PROCESS, text });
  }
}

/** @see celery 5.7.0 worker/consumer/consumer.py, `add_task_queue` */
function bindingOf({
  queue,
  exchange,
  exchangeType,
  routingKey,
}: Parameters<WorkerPanel["addConsumer"]>[0]): Binding {
  const type = EXCHANGE_TYPES.find((known) => known === (exchangeType ?? "direct"));
  if (!type) throw new ControlError(`There is no exchange type ${exchangeType}: direct, topic or fanout.`);
  return { queue, exchange: exchange ?? queue, type, routingKey: routingKey ?? queue };
}

/** By Celery's names. Null: not set, and not shown. */
function attributesOf(
  task: AnyTask,
  { rateLimits, timeLimits }: WorkerParts,
): Readonly<Record<string, unknown>> {
  const { options, name } = task;
  const limits = timeLimits.of(task);
  return {
    rate_limit: rateLimits.limitOf(name),
    max_retries: options.maxRetries,
    default_retry_delay: options.defaultRetryDelay,
    acks_late: options.acksLate,
    acks_on_failure: options.acksOnFailure,
    acks_on_timeout: options.acksOnTimeout,
    reject_on_worker_lost: options.rejectOnWorkerLost,
    ignore_result: options.ignoreResult,
    store_errors_even_if_ignored: options.storeErrorsEvenIfIgnored,
    track_started: options.trackStarted,
    time_limit: limits.hard,
    soft_time_limit: limits.soft,
    expires: options.expires,
    priority: options.priority,
    serializer: options.serializer,
    queue: options.queue,
  };
}

/** What JSON can carry of a setting's value. */
function plain(value: unknown): unknown {
  if (value === undefined) return null;
  const text = JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === "function" ? `<function ${inner.name}>` : inner,
  );
  return JSON.parse(text) as unknown;
}
