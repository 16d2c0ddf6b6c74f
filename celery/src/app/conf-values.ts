import type { ExchangeType } from "../transport/destination.ts";
import type { TaskAnnotations } from "./annotations.ts";
import type { Compression } from "./call-options.ts";
import type {
  BrokerTransportOptions,
  ConnectionValues,
  ResultTransportOptions,
} from "./connection-values.ts";
import type { TaskQueuesInput } from "./queue-input.ts";
import type { Queue } from "./queues.ts";
import type { TaskRoutes } from "./routes.ts";

export type { BrokerTransportOptions } from "./connection-values.ts";

/** A schedule that is more than a number of seconds: what `crontab(...)` and `schedule(...)` return. */
export interface ScheduleObject {
  readonly kind: string;
}

/** One thing that Beat sends again and again. */
export interface BeatEntryInput {
  /** Name of the task. */
  readonly task: string;
  /** Seconds between runs, or what `crontab({ … })` and `schedule({ … })` return. */
  readonly schedule: number | ScheduleObject;
  /** Rounds a schedule in seconds to the clock, as `schedule({ runEvery, relative: true })`. Default false. */
  readonly relative?: boolean;
  readonly args?: readonly unknown[];
  readonly kwargs?: Readonly<Record<string, unknown>>;
  /** As in `applyAsync`, e.g. `{ queue: "training" }`. */
  readonly options?: Readonly<Record<string, unknown>>;
  readonly enabled?: boolean;
}

export type BeatEntry = Required<BeatEntryInput>;

/** How often and how long a publish is tried again while Redis is away. Seconds. */
export interface PublishRetryPolicy {
  /** Tries after the first; `null` never gives up. */
  readonly max_retries: number | null;
  readonly interval_start: number;
  readonly interval_step: number;
  readonly interval_max: number;
}

/**
 * Every setting: Celery's name, meaning, unit (seconds) and default, with `null` where Celery has "not set".
 * @see https://docs.celeryq.dev/en/stable/userguide/configuration.html
 */
export interface ConfValues extends ConnectionValues {
  /** Where the queues are; several with `;` between them. `CELERY_BROKER_URL` wins. Default `redis://localhost:6379/0`. */
  broker_url: string | null;
  get broker_transport_options(): BrokerTransportOptions;
  set broker_transport_options(value: Partial<BrokerTransportOptions>);
  /** Seconds for one attempt to connect. Default 4. */
  broker_connection_timeout: number;
  /** Whether a worker reconnects. Default true. */
  broker_connection_retry: boolean;
  broker_connection_retry_on_startup: boolean | null;
  /** Default 100; `null` never gives up. */
  broker_connection_max_retries: number | null;

  /** Where results are kept. `CELERY_RESULT_BACKEND` wins. Default: nowhere. */
  result_backend: string | null;
  /** Seconds; `null` keeps results for ever. Default one day. */
  result_expires: number | null;
  /** Store name, args, worker and more with the result. */
  result_extended: boolean;
  /** Seconds; `null`: as `result_expires`. How long an unfinished chord is remembered. */
  result_chord_expires: number | null;
  /** Seconds that the results of a chord are waited for when its body is to be sent. Default 3. */
  result_chord_join_timeout: number;
  /** Seconds between two looks of `celery.chord_unlock`. Default 1. */
  result_chord_retry_interval: number;
  result_serializer: "json";
  result_accept_content: "json"[] | null;

  /** Content types that are run; others go to the dead letters. */
  accept_content: "json"[];
  task_serializer: "json";
  event_serializer: "json";
  /** For crontabs and for times without offset. Default UTC. */
  timezone: string | null;
  enable_utc: boolean;

  /** Default `celery`. */
  task_default_queue: string;
  /** 0 to 9, 0 first. */
  task_default_priority: number | null;
  task_default_delivery_mode: 1 | 2;
  task_protocol: 2;
  /** Default: the name of the default queue. */
  task_default_exchange: string | null;
  task_default_exchange_type: ExchangeType;
  /** Default: the name of the default queue. */
  task_default_routing_key: string | null;
  /** Whether a queue that `task_queues` does not have may be sent to and consumed. Default true. */
  task_create_missing_queues: boolean;
  /** Of the exchange that comes with a queue made on the spot. Default direct. */
  task_create_missing_queue_exchange_type: ExchangeType | null;
  task_create_missing_queue_type: "classic";
  task_default_queue_type: "classic";
  /** Has no effect on Redis, as in Celery: every queue has the priorities 0 to 9. */
  task_queue_max_priority: number | null;
  /** Queues that a worker without `-Q` consumes. Default: the default queue. */
  get task_queues(): readonly Queue[] | null;
  set task_queues(value: TaskQueuesInput | null);
  /** Compresses the body of every message. Default: none. */
  task_compression: Compression | null;
  /** Task name, glob or pattern → queue and more. */
  task_routes: TaskRoutes | null;
  /** Options of tasks by their names; `"*"` is every task. */
  task_annotations: TaskAnnotations | null;
  /** A task sent by a task gets its priority. */
  task_inherit_parent_priority: boolean;
  task_publish_retry: boolean;
  get task_publish_retry_policy(): PublishRetryPolicy;
  set task_publish_retry_policy(value: Partial<PublishRetryPolicy>);
  /** Publish a `task-sent` event with every task. */
  task_send_sent_event: boolean;
  /** How deep `argsrepr` shows containers. Default 3. */
  task_repr_maxlevels: number;

  /** Ack after the run instead of before. */
  task_acks_late: boolean;
  task_acks_on_failure_or_timeout: boolean;
  /** Whether a late-ack task that failed is done with; `false` puts its message to the dead letters. `null`: as the setting for both. */
  task_acks_on_failure: boolean | null;
  /** Whether a late-ack task that passed its hard limit is done with; `false` runs it again. `null`: as the setting for both. */
  task_acks_on_timeout: boolean | null;
  /** How often each task type may start in one worker: `"10/m"`, or a number per second. Default: no limit. */
  task_default_rate_limit: string | number | null;
  /** Put a late-ack task back when its child died. */
  task_reject_on_worker_lost: boolean | null;
  /** Store STARTED when a task begins. */
  task_track_started: boolean;
  task_ignore_result: boolean;
  /** `delay` and `applyAsync` run the task here instead of sending it. For tests of code that sends. */
  task_always_eager: boolean;
  /** What an eager task throws is thrown to the caller. */
  task_eager_propagates: boolean;
  /** Keep the results of eager tasks in the result backend. */
  task_store_eager_result: boolean;
  task_store_errors_even_if_ignored: boolean;
  /** An errback of a chord is called for failed parts of its header, too. Default false. */
  task_allow_error_cb_on_chord_header: boolean;
  /** Seconds after which a task's process is killed. */
  task_time_limit: number | null;
  /** Seconds after which a task is told to tidy up. */
  task_soft_time_limit: number | null;

  /** Pool size. Default: number of CPUs. */
  worker_concurrency: number | null;
  worker_pool: "prefork" | "async" | "solo";
  /** Messages held per slot. Default 4; 0 is no limit. */
  worker_prefetch_multiplier: number;
  /** Take a message only when a slot is free for it. */
  worker_disable_prefetch: boolean;
  worker_disable_rate_limits: boolean;
  /** Do not run a late-ack task again whose result is SUCCESS already. */
  worker_deduplicate_successful_tasks: boolean;
  /**
   * Has no effect here, and need not: a worker that comes back within the heartbeat's time still holds its messages, and late-ack
   * tasks whose messages went to somebody else are ended in any case.
   */
  worker_cancel_long_running_tasks_on_connection_loss: boolean;
  /** Allow `celery control pool_restart`. */
  worker_pool_restarts: boolean;
  /** Each worker also consumes a queue of its own, `<node name>.dq2`. */
  worker_direct: boolean;
  /** Where a worker keeps the ids of revoked tasks between its runs, as `--statedb`. */
  worker_state_db: string | null;
  worker_max_tasks_per_child: number | null;
  /** KiB of resident memory after which a pool process is replaced, once its task has ended. */
  worker_max_memory_per_child: number | null;
  /** Publish task events, as with `-E`. */
  worker_send_task_events: boolean;
  worker_enable_remote_control: boolean;
  worker_soft_shutdown_timeout: number;
  /** Wait that long even if nothing runs: tasks that were received may still be on their way. */
  worker_enable_soft_shutdown_on_idle: boolean;
  worker_redirect_stdouts: boolean;
  worker_redirect_stdouts_level: "DEBUG" | "INFO" | "WARNING" | "ERROR" | "CRITICAL";
  /** `false`: no colours in the worker's log; otherwise on a terminal. */
  worker_log_color: boolean | null;

  /** What Beat sends, by entry name. */
  get beat_schedule(): Record<string, BeatEntry>;
  set beat_schedule(value: Record<string, BeatEntryInput>);
  beat_schedule_filename: string;
  /** Longest sleep of Beat in seconds; 0 leaves it to the scheduler (300). */
  beat_max_loop_interval: number;
  beat_sync_every: number;
  beat_cron_starting_deadline: number | null;
  /** Whether Beat answers `celery inspect ping`. Default false; `celery beat --enable-remote-control`. */
  beat_enable_remote_control: boolean;
  /** Seconds without a look at the schedule after which Beat no longer answers; 0 is never. Default twice its longest sleep, at least 60. */
  beat_remote_control_max_tick_age: number | null;

  /** Modules that a worker loads besides the app. */
  imports: string[];
  include: string[];
}

export type ConfKey = keyof ConfValues;

/** What `update` and the constructor take. */
export type ConfInput = {
  [K in Exclude<ConfKey, keyof Partials>]?: ConfValues[K] | undefined;
} & Partials;

interface Partials {
  broker_url?: string | readonly string[] | null | undefined;
  result_backend_transport_options?: Partial<ResultTransportOptions> | undefined;
  broker_transport_options?: Partial<BrokerTransportOptions> | undefined;
  task_publish_retry_policy?: Partial<PublishRetryPolicy> | undefined;
  task_queues?: TaskQueuesInput | null | undefined;
  beat_schedule?: Readonly<Record<string, BeatEntryInput>> | undefined;
}
