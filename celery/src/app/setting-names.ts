import { confSettings } from "./conf-schema.ts";

const OTHER_STORE = "results are kept in Redis only (result_backend: redis://…)";
const NO_AMQP = "it is for AMQP brokers; Redis has nothing of the kind";
const ONE_BROKER =
  "a task is taken, ended and followed by others in one step, which needs one Redis: set broker_url; to take from one and send to another, use two apps";
const IN_THE_URL = "say it in broker_url: redis://user:password@host:port/db";

/** Settings of Celery 5.7 that this library knows but does not have, by their prefix, and why. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  arangodb_: OTHER_STORE,
  azureblockblob_: OTHER_STORE,
  cache_: OTHER_STORE,
  cassandra_: OTHER_STORE,
  control_:
    "remote control goes over Redis's pub/sub under Celery's own names, where queues neither expire nor last",
  cosmosdbsql_: OTHER_STORE,
  couchbase_: OTHER_STORE,
  database_: OTHER_STORE,
  elasticsearch_: OTHER_STORE,
  event_: "events go over Redis's pub/sub under Celery's own names, where queues neither expire nor last",
  gcs_: OTHER_STORE,
  mongodb_: OTHER_STORE,
  redis_: "say it in result_backend: redis://user:password@host:port/db",
  s3_: OTHER_STORE,
  security_: "messages are not signed; keep Redis to yourself, with a password and TLS",
};

/** The same, by whole name. */
const CELERYS_OWN: Readonly<Record<string, string>> = {
  beat_scheduler: "there is one scheduler, which keeps its state in beat_schedule_filename",
  broker_channel_error_retry: NO_AMQP,
  broker_heartbeat:
    "it is AMQP's; a worker's signs of life are set by broker_transport_options.heartbeat_ttl",
  broker_heartbeat_checkrate: NO_AMQP,
  broker_host: IN_THE_URL,
  broker_login_method: NO_AMQP,
  broker_native_delayed_delivery_queue_type: NO_AMQP,
  broker_password: IN_THE_URL,
  broker_pool_acquire_timeout: "an app sends over one connection, for which nobody has to wait",
  broker_port: IN_THE_URL,
  broker_read_url: ONE_BROKER,
  broker_transport: "the only one is Redis",
  broker_user: IN_THE_URL,
  broker_vhost: IN_THE_URL,
  broker_write_url: ONE_BROKER,
  result_backend_always_retry:
    "results are written until they are there, in one step with the end of their task",
  result_backend_base_sleep_between_retries_ms: "the pauses are those of the reconnect",
  result_backend_max_retries:
    "results are written until they are there, in one step with the end of their task",
  result_backend_max_sleep_between_retries_ms: "the pauses are those of the reconnect",
  result_cache_max: "results are not cached, beside their AsyncResult",
  result_compression: "Celery's Redis backend does not compress results either",
  result_exchange: "it is for the rpc backend",
  result_exchange_type: "it is for the rpc backend",
  result_failure_expires: "all results live for result_expires",
  result_persistent: "it is for the rpc backend",
  task_remote_tracebacks: "tracebacks always travel as text",
  task_retry_on_worker_lost: "task_reject_on_worker_lost gives such a task back, and counts how often",
  worker_agent: "there are no agents",
  worker_consumer: "the consumer is not exchangeable",
  worker_hijack_root_logger: "there is no root logger in Node to take over",
  worker_log_datefmt: "log lines look as Celery's do by default",
  worker_log_format: "log lines look as Celery's do by default",
  worker_task_log_datefmt: "log lines look as Celery's do by default",
  worker_task_log_format: "log lines look as Celery's do by default",
  worker_timer: "the timer is Node's",
  worker_timer_precision: "the timer is Node's",
};

/** Settings of Celery that have nothing to set here, and why: whoever moves a configuration over can drop them. */
const NOT_NEEDED: Readonly<Record<string, string>> = {
  worker_autoscaler: "there is one autoscaler, which `celery worker --autoscale=MAX,MIN` switches on",
  worker_detect_quorum_queues: "quorum queues are RabbitMQ's",
  worker_enable_prefetch_count_reduction:
    "a worker that reconnects still holds what it held, and takes no more than its prefetch allows",
  worker_eta_task_limit: "tasks with an ETA wait in Redis, not in the worker's memory",
  worker_lost_wait: "what a pool process has said before its end is read as soon as it has ended",
  worker_pool_putlocks: "the pool takes a task only when it has room for it",
  worker_pool_start_method: "pool processes are always started anew; Node cannot fork a running process",
  worker_proc_alive_timeout: "a pool process has a minute to load the app, and says why when it cannot",
};

/** Why a name is not a setting, and what may have been meant. */
export function explainUnknown(name: string): string {
  const reason = NOT_NEEDED[name];
  if (reason !== undefined) return `"${name}" is not needed here: ${reason}. Leave it out.`;
  const why = CELERYS_OWN[name] ?? ELSEWHERE[`${name.split("_", 1)[0] ?? ""}_`];
  if (why !== undefined) return `"${name}" is a setting of Celery that this library does not have: ${why}.`;
  const today = todaysName(name);
  if (today !== undefined) return `"${name}" is an old name of "${today}". Write that instead.`;
  const near = nearest(name, Object.keys(confSettings));
  const hint = near === undefined ? "" : ` Did you mean "${near}"?`;
  return `There is no setting named "${name}".${hint}`;
}

/** Old names that are more than an old prefix. @see celery 5.7.0 app/defaults.py, `Option.old` */
const RENAMED: Readonly<Record<string, string>> = {
  celery_task_result_expires: "result_expires",
  celery_send_events: "worker_send_task_events",
  celery_send_task_sent_event: "task_send_sent_event",
  celery_message_compression: "task_compression",
  celery_eager_propagates_exceptions: "task_eager_propagates",
  celery_enable_remote_control: "worker_enable_remote_control",
  celery_disable_rate_limits: "worker_disable_rate_limits",
  celery_redirect_stdouts: "worker_redirect_stdouts",
  celery_redirect_stdouts_level: "worker_redirect_stdouts_level",
  celeryd_task_time_limit: "task_time_limit",
  celeryd_task_soft_time_limit: "task_soft_time_limit",
};

/** What a name of Celery before 4, or one with Django's prefix, is called now: `CELERYD_CONCURRENCY`, `CELERY_TASK_ROUTES`. */
function todaysName(name: string): string | undefined {
  if (!/^[A-Z_]+$/.test(name) && !/^celery(d|beat)?_/.test(name)) return undefined;
  const old = name.toLowerCase();
  const bare = old.replace(/^celery(d|beat)?_/, "");
  const prefix = old.startsWith("celeryd_") ? "worker_" : old.startsWith("celerybeat_") ? "beat_" : "task_";
  const candidates = [RENAMED[old] ?? old, bare, `${prefix}${bare}`];
  return candidates.find((candidate) => Object.hasOwn(confSettings, candidate));
}

/** The candidate within a third of the name's length in edits, if there is one; `task_id` counts as `taskId`. */
export function nearest(name: string, candidates: readonly string[]): string | undefined {
  const ranked = candidates
    .map((candidate) => ({ candidate, distance: editDistance(asWords(name), asWords(candidate)) }))
    .sort((a, b) => a.distance - b.distance);
  const best = ranked[0];
  return best !== undefined && best.distance <= Math.max(2, Math.ceil(name.length / 3))
    ? best.candidate
    : undefined;
}

function asWords(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** Levenshtein, one row at a time. */
function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const substitution = (previous[column - 1] ?? 0) + (a[row - 1] === b[column - 1] ? 0 : 1);
      current.push(Math.min(substitution, (previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1));
    }
    previous = current;
  }
  return previous[b.length] ?? 0;
}
