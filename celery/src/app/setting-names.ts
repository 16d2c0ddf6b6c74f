import { confShape } from "./conf-schema.ts";

/** Settings of Celery 5.7 that this library knows by name but does not have, by their prefix or whole name. */
const ELSEWHERE: readonly string[] = [
  "arangodb_",
  "azureblockblob_",
  "cache_",
  "cassandra_",
  "control_",
  "cosmosdbsql_",
  "couchbase_",
  "database_",
  "elasticsearch_",
  "event_",
  "gcs_",
  "mongodb_",
  "redis_",
  "s3_",
  "security_",
];

const CELERYS_OWN: ReadonlySet<string> = new Set(
  `beat_scheduler broker_channel_error_retry
  broker_heartbeat broker_heartbeat_checkrate broker_host broker_login_method
  broker_native_delayed_delivery_queue_type broker_password broker_pool_acquire_timeout broker_port
  broker_read_url broker_transport broker_user broker_vhost broker_write_url
  result_backend_always_retry result_backend_base_sleep_between_retries_ms result_backend_max_retries
  result_backend_max_sleep_between_retries_ms result_cache_max
  result_compression result_exchange result_exchange_type
  result_failure_expires result_persistent task_annotations
  task_remote_tracebacks task_retry_on_worker_lost
  worker_agent worker_consumer worker_hijack_root_logger worker_log_datefmt
  worker_log_format
  worker_task_log_datefmt worker_task_log_format worker_timer worker_timer_precision`.split(/\s+/),
);

/** Settings of Celery that have nothing to set here, and why: whoever moves a configuration over can drop them. */
const NOT_NEEDED: Readonly<Record<string, string>> = {
  worker_autoscaler: "there is one autoscaler, which `celery worker --autoscale=MAX,MIN` switches on",
  worker_detect_quorum_queues: "quorum queues are RabbitMQ's",
  worker_enable_prefetch_count_reduction:
    "a worker that reconnects still holds what it held, and takes no more than its prefetch allows",
  worker_eta_task_limit: "tasks with an ETA wait in Redis, not in the worker's memory",
  worker_pool_putlocks: "the pool takes a task only when it has room for it",
  worker_pool_start_method: "pool processes are always started anew; Node cannot fork a running process",
};

/** Why a name is not a setting, and what may have been meant. */
export function explainUnknown(name: string): string {
  const reason = NOT_NEEDED[name];
  if (reason !== undefined) return `"${name}" is not needed here: ${reason}. Leave it out.`;
  if (CELERYS_OWN.has(name) || ELSEWHERE.some((prefix) => name.startsWith(prefix))) {
    return `"${name}" is a setting of Celery that this library does not have.`;
  }
  const near = nearest(name, Object.keys(confShape));
  const hint = near === undefined ? "" : ` Did you mean "${near}"?`;
  return `There is no setting named "${name}".${hint}`;
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
