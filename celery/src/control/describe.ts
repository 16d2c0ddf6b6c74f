import { isSecret } from "../protocol/hidden-settings.ts";
import { formatPython, formatPythonString } from "../protocol/python-repr.ts";
import { parseRedisUrl } from "../redis/url.ts";
import type { QueueInfo, ScheduledInfo, TaskInfo, WorkerStats } from "./panel.ts";

/** What Celery's timer gives every task that waits for its time. @see celery 5.7.0 worker/strategy.py, `call_at(…, priority=6)` */
const TIMER_PRIORITY = 6;

/** @param safe arguments as Python's `repr` shows them. @see celery 5.7.0 worker/request.py, `Request.info` */
export function describeRequest(task: TaskInfo, safe = false): Readonly<Record<string, unknown>> {
  const { exchange, routingKey, priority, redelivered } = task.deliveryInfo;
  return {
    id: task.id,
    name: task.name,
    args: safe ? task.argsRepr : task.args,
    kwargs: safe ? task.kwargsRepr : task.kwargs,
    type: task.name,
    hostname: task.hostname,
    time_start: task.timeStart,
    acknowledged: task.acknowledged,
    delivery_info: { exchange, routing_key: routingKey, priority, redelivered },
    worker_pid: task.workerPid,
  };
}

export function describeScheduled({ eta, request }: ScheduledInfo): Readonly<Record<string, unknown>> {
  return { eta, priority: TIMER_PRIORITY, request: describeRequest(request) };
}

/** Most of it means nothing on Redis, and monitors read it. @see kombu 5.7.0 entity.py, `Queue.as_dict` */
export function describeQueue(queue: QueueInfo): Readonly<Record<string, unknown>> {
  return {
    name: queue.name,
    exchange: {
      name: queue.exchange,
      type: queue.exchangeType,
      arguments: null,
      durable: true,
      passive: false,
      auto_delete: false,
      delivery_mode: null,
      no_declare: false,
    },
    routing_key: queue.routingKey,
    queue_arguments: null,
    binding_arguments: null,
    consumer_arguments: null,
    durable: true,
    exclusive: false,
    auto_delete: false,
    no_ack: false,
    alias: null,
    bindings: [],
    no_declare: null,
    expires: null,
    message_ttl: null,
    max_length: null,
    max_length_bytes: null,
    max_priority: null,
  };
}

/** What the mailbox knows of its node, for `stats`. */
export interface NodeFacts {
  readonly brokerUrl: string;
  /** Lamport clock. */
  readonly clock: number;
  /** Seconds. */
  readonly connectTimeoutSeconds: number;
  readonly transportOptions: Readonly<Record<string, unknown>>;
}

/** @see celery 5.7.0 worker/worker.py, `WorkController.stats` */
export function describeStats(stats: WorkerStats, node: NodeFacts): Readonly<Record<string, unknown>> {
  return {
    total: stats.total,
    pid: process.pid,
    clock: String(node.clock),
    uptime: Math.round(stats.uptimeSeconds),
    pool: describePool(stats.pool),
    ...(stats.autoscaler && { autoscaler: describeAutoscaler(stats.autoscaler) }),
    broker: describeBroker(node),
    prefetch_count: stats.prefetchCount,
    rusage: resourceUsage(),
  };
}

function describePool(pool: WorkerStats["pool"]): Readonly<Record<string, unknown>> {
  return {
    implementation: `celery.concurrency.${pool.kind}:TaskPool`,
    "max-concurrency": pool.maxConcurrency,
    processes: pool.processes,
    "max-tasks-per-child": pool.maxTasksPerChild ?? "N/A",
    "put-guarded-by-semaphore": false,
    timeouts: pool.timeouts,
    writes: describeWrites(pool.writes),
  };
}

/** @see celery 5.7.0 concurrency/asynpool.py, `AsynPool.human_write_stats` */
function describeWrites(writes: readonly number[]): Readonly<Record<string, unknown>> {
  const total = writes.reduce((sum, n) => sum + n, 0);
  const share = (n: number): string => (n === 0 ? 0 : n / total).toFixed(2);
  return {
    total,
    avg: share(total === 0 ? 0 : total / writes.length),
    all: writes.map(share).join(", "),
    raw: writes.join(", "),
    strategy: "fair",
    inqueues: { total: writes.length, active: 0 },
  };
}

/** `qty` is what Celery calls the tasks that it holds; only `current` is of use to anybody. */
function describeAutoscaler(
  scaler: NonNullable<WorkerStats["autoscaler"]>,
): Readonly<Record<string, unknown>> {
  return { max: scaler.max, min: scaler.min, current: scaler.current, qty: scaler.current };
}

/** Without the password. @see kombu 5.7.0 connection.py, `Connection._info` */
function describeBroker(node: NodeFacts): Readonly<Record<string, unknown>> {
  const address = parseRedisUrl(node.brokerUrl);
  return {
    hostname: address.host,
    userid: address.username ?? null,
    virtual_host: String(address.db),
    port: address.port,
    insist: false,
    ssl: address.tls,
    transport: "redis",
    connect_timeout: node.connectTimeoutSeconds,
    transport_options: withoutSecrets(node.transportOptions),
    login_method: null,
    uri_prefix: null,
    heartbeat: 120.0,
    failover_strategy: "round-robin",
    alternates: [],
    credential_provider: null,
  };
}

/** Options that are set, which is all that Celery knows of. Who may look at a worker need not know its passwords. */
function withoutSecrets(options: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const entries = Object.entries(options).filter(([, value]) => value !== null && value !== undefined);
  return Object.fromEntries(
    entries.map(([key, value]) => {
      if (isSecret(key) && key !== "global_keyprefix") return [key, "********"];
      const isNested = typeof value === "object" && !Array.isArray(value);
      return [key, isNested ? withoutSecrets(value as Record<string, unknown>) : value];
    }),
  );
}

/** As `getrusage(2)`: seconds and kilobytes. */
function resourceUsage(): Readonly<Record<string, number>> {
  const used = process.resourceUsage();
  return {
    utime: used.userCPUTime / 1e6,
    stime: used.systemCPUTime / 1e6,
    maxrss: used.maxRSS,
    ixrss: used.sharedMemorySize,
    idrss: used.unsharedDataSize,
    isrss: used.unsharedStackSize,
    minflt: used.minorPageFault,
    majflt: used.majorPageFault,
    nswap: used.swappedOut,
    inblock: used.fsRead,
    oublock: used.fsWrite,
    msgsnd: used.ipcSent,
    msgrcv: used.ipcReceived,
    nsignals: used.signalsCount,
    nvcsw: used.voluntaryContextSwitches,
    nivcsw: used.involuntaryContextSwitches,
  };
}

/** `add [rate_limit=10/m]`: attributes that are not set are left out. @see celery 5.7.0 worker/control.py, `registered` */
export function describeTask(
  task: { readonly name: string; readonly attributes: Readonly<Record<string, unknown>> },
  items: readonly string[],
): string {
  const shown = items
    .filter((item) => !item.startsWith("_"))
    .map((item) => [item, task.attributes[item]] as const)
    .filter(([, value]) => value !== null && value !== undefined)
    .map(([item, value]) => `${item}=${typeof value === "string" ? value : formatPython(value)}`);
  return shown.length === 0 ? task.name : `${task.name} [${shown.join(" ")}]`;
}

/** A Python set of texts, as `repr` shows it. */
export function formatPythonSet(items: readonly string[]): string {
  return items.length === 0 ? "set()" : `{${items.map(formatPythonString).join(", ")}}`;
}
