import * as z from "zod";
import type { TaskAnnotations } from "./annotations.ts";
import { COMPRESSIONS } from "./call-options.ts";
import type { BeatEntry, ConfValues, ScheduleObject } from "./conf-values.ts";
import { brokerTransportOptions, brokerUrl, connectionShape } from "./connection-schema.ts";
import { POOL_NAMES, poolByName } from "./pool-names.ts";
import { EXCHANGE_TYPES, queuesSchema } from "./queue-input.ts";
import { isRate } from "./rate.ts";
import type { TaskRoutes } from "./routes.ts";

export type { BeatEntry, BeatEntryInput, ConfValues, ScheduleObject } from "./conf-values.ts";

type Shape = { readonly [K in keyof ConfValues]: z.ZodType<ConfValues[K]> };

const seconds = z.number().nonnegative();
const positive = z.number().positive();
const count = z.int().positive();

const json = z.literal("json", 'only "json" is supported: pickle and yaml can run code when they are read');
const contentTypes = z.array(json).min(1);

const retryPolicy = z
  .strictObject({
    max_retries: z.int().nonnegative().nullable().default(3),
    interval_start: seconds.default(0),
    interval_step: seconds.default(0.2),
    interval_max: seconds.default(1),
  })
  .prefault({});

const schedule: z.ZodType<number | ScheduleObject> = z.union(
  [
    positive,
    z.custom<ScheduleObject>((value) => typeof value === "object" && value !== null && "kind" in value),
  ],
  "a number of seconds above 0, crontab({ … }) or schedule({ runEvery, relative })",
);

const beatEntry: z.ZodType<BeatEntry> = z.strictObject({
  task: z.string().min(1),
  schedule,
  relative: z.boolean().default(false),
  args: z.array(z.unknown()).readonly().default([]),
  kwargs: z.record(z.string(), z.unknown()).default({}),
  options: z.record(z.string(), z.unknown()).default({}),
  enabled: z.boolean().default(true),
});

const routes = z.custom<TaskRoutes>(
  (value) => (typeof value === "object" && value !== null) || typeof value === "function",
  "an object of task name → route, a function, or a list of these",
);

const rateLimit = z
  .union([z.string(), z.number()])
  .refine(isRate, 'not a rate such as "10/s", "10/m", "10/h", or a number per second');

const exchangeType = z.enum(EXCHANGE_TYPES, `not one of ${EXCHANGE_TYPES.join(", ")}`);
const classic = z.literal("classic", "only classic queues exist on Redis; quorum queues are RabbitMQ's");

const annotations = z.custom<TaskAnnotations>(
  (value) => (typeof value === "object" && value !== null) || typeof value === "function",
  'an object of task name (or "*") → options, a function, or a list of these',
);

const logLevel = z.enum(["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]);

/** Checks one setting each; `undefined` gives Celery's default. @see celery 5.7.0 app/defaults.py */
export const confShape: Shape = {
  ...connectionShape,
  broker_url: brokerUrl,
  broker_transport_options: brokerTransportOptions,
  broker_connection_timeout: positive.default(4),
  broker_connection_retry: z.boolean().default(true),
  broker_connection_retry_on_startup: orNull(z.boolean()),
  broker_connection_max_retries: z.int().nonnegative().nullable().default(100),

  result_backend: orNull(z.string().min(1)),
  result_expires: positive.nullable().default(86_400),
  result_extended: z.boolean().default(false),
  result_chord_expires: orNull(positive),
  result_chord_join_timeout: positive.default(3),
  result_chord_retry_interval: positive.default(1),
  result_serializer: json.default("json"),
  result_accept_content: orNull(contentTypes),

  accept_content: contentTypes.default(["json"]),
  task_serializer: json.default("json"),
  event_serializer: json.default("json"),
  timezone: orNull(z.string().refine(isTimezone, "not a timezone name such as Europe/Berlin or UTC")),
  enable_utc: z.boolean().default(true),

  task_default_queue: z.string().min(1).default("celery"),
  task_default_priority: orNull(z.int().min(0).max(9)),
  task_default_delivery_mode: z.literal([1, 2]).default(2),
  task_protocol: z.literal(2, "only protocol 2 is written").default(2),
  task_default_exchange: orNull(z.string()),
  task_default_exchange_type: exchangeType.default("direct"),
  task_default_routing_key: orNull(z.string()),
  task_create_missing_queues: z.boolean().default(true),
  task_create_missing_queue_exchange_type: orNull(exchangeType),
  task_create_missing_queue_type: classic.default("classic"),
  task_default_queue_type: classic.default("classic"),
  task_queue_max_priority: orNull(z.int().nonnegative()),
  task_queues: orNull(queuesSchema),
  task_compression: orNull(z.enum(COMPRESSIONS, `not supported; there are: ${COMPRESSIONS.join(", ")}`)),
  task_routes: orNull(routes),
  task_annotations: orNull(annotations),
  task_inherit_parent_priority: z.boolean().default(false),
  task_publish_retry: z.boolean().default(true),
  task_publish_retry_policy: retryPolicy,
  task_send_sent_event: z.boolean().default(false),
  task_repr_maxlevels: z.int().nonnegative().default(3),

  task_acks_late: z.boolean().default(false),
  task_acks_on_failure_or_timeout: z.boolean().default(true),
  task_acks_on_failure: orNull(z.boolean()),
  task_acks_on_timeout: orNull(z.boolean()),
  task_default_rate_limit: orNull(rateLimit),
  task_reject_on_worker_lost: orNull(z.boolean()),
  task_track_started: z.boolean().default(false),
  task_ignore_result: z.boolean().default(false),
  task_always_eager: z.boolean().default(false),
  task_eager_propagates: z.boolean().default(false),
  task_store_eager_result: z.boolean().default(false),
  task_store_errors_even_if_ignored: z.boolean().default(false),
  task_allow_error_cb_on_chord_header: z.boolean().default(false),
  task_time_limit: orNull(positive),
  task_soft_time_limit: orNull(positive),

  worker_concurrency: orNull(count),
  worker_pool: z.enum(POOL_NAMES).transform(poolByName).default("prefork"),
  worker_prefetch_multiplier: z.int().nonnegative().default(4),
  worker_disable_prefetch: z.boolean().default(false),
  worker_disable_rate_limits: z.boolean().default(false),
  worker_deduplicate_successful_tasks: z.boolean().default(false),
  worker_cancel_long_running_tasks_on_connection_loss: z.boolean().default(false),
  worker_pool_restarts: z.boolean().default(false),
  worker_direct: z.boolean().default(false),
  worker_state_db: orNull(z.string().min(1)),
  worker_max_tasks_per_child: orNull(count),
  worker_max_memory_per_child: orNull(count),
  worker_send_task_events: z.boolean().default(false),
  worker_enable_remote_control: z.boolean().default(true),
  worker_soft_shutdown_timeout: seconds.default(0),
  worker_enable_soft_shutdown_on_idle: z.boolean().default(false),
  worker_redirect_stdouts: z.boolean().default(true),
  worker_redirect_stdouts_level: logLevel.default("WARNING"),
  worker_log_color: orNull(z.boolean()),

  beat_schedule: z.record(z.string(), beatEntry).default({}),
  beat_schedule_filename: z.string().min(1).default("celerybeat-schedule"),
  beat_max_loop_interval: seconds.default(0),
  beat_sync_every: z.int().nonnegative().default(0),
  beat_cron_starting_deadline: orNull(seconds),
  beat_enable_remote_control: z.boolean().default(false),
  beat_remote_control_max_tick_age: orNull(seconds),

  imports: z.array(z.string()).default([]),
  include: z.array(z.string()).default([]),
};

/** Where Celery's default is "not set". */
function orNull<T>(schema: z.ZodType<T>): z.ZodType<T | null> {
  return schema.nullish().transform((value) => value ?? null);
}

function isTimezone(name: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return true;
  } catch {
    return false; // RangeError is how Intl says "no such zone"
  }
}
