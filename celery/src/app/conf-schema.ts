import * as z from "zod";
import type { ExchangeType } from "../transport/destination.ts";
import type { TaskAnnotations } from "./annotations.ts";
import { COMPRESSIONS, type Compression } from "./call-options.ts";
import type { BeatEntry, ConfValues, PublishRetryPolicy, ScheduleObject } from "./conf-values.ts";
import { brokerTransportOptions, brokerUrl, connectionSettings } from "./connection-schema.ts";
import { POOL_NAMES, poolByName } from "./pool-names.ts";
import { EXCHANGE_TYPES, queuesSchema } from "./queue-input.ts";
import { isRate } from "./rate.ts";
import type { TaskRoutes } from "./routes.ts";
import { group, orNull, type Settings, setting } from "./setting.ts";

export type { BeatEntry, BeatEntryInput, ConfValues, ScheduleObject } from "./conf-values.ts";

const text = (): z.ZodString => z.string().min(1);
const flag = (): z.ZodBoolean => z.boolean();
const seconds = (): z.ZodNumber => z.number().nonnegative();
const positive = (): z.ZodNumber => z.number().positive();
const whole = (): z.ZodInt => z.int().nonnegative();
const count = (): z.ZodInt => z.int().positive();

const json = (): z.ZodLiteral<"json"> =>
  z.literal("json", 'only "json" is supported: pickle and yaml can run code when they are read');
const contentTypes = (): z.ZodArray<z.ZodLiteral<"json">> => z.array(json()).min(1);

const retryPolicy = group<PublishRetryPolicy>({
  max_retries: setting<number | null>(3, () => whole().nullable()),
  interval_start: setting(0, seconds),
  interval_step: setting(0.2, seconds),
  interval_max: setting(1, seconds),
});

const schedule = (): z.ZodType<number | ScheduleObject> =>
  z.union(
    [
      positive(),
      z.custom<ScheduleObject>((value) => typeof value === "object" && value !== null && "kind" in value),
    ],
    "a number of seconds above 0, crontab({ … }) or schedule({ runEvery, relative })",
  );

const beatEntry = (): z.ZodType<BeatEntry> =>
  z.strictObject({
    task: text(),
    schedule: schedule(),
    relative: flag().default(false),
    args: z.array(z.unknown()).readonly().default([]),
    kwargs: z.record(z.string(), z.unknown()).default({}),
    options: z.record(z.string(), z.unknown()).default({}),
    enabled: flag().default(true),
  });

const routes = (): z.ZodType<TaskRoutes> =>
  z.custom<TaskRoutes>(isObjectOrFunction, "an object of task name → route, a function, or a list of these");

const annotations = (): z.ZodType<TaskAnnotations> =>
  z.custom<TaskAnnotations>(
    isObjectOrFunction,
    'an object of task name (or "*") → options, a function, or a list of these',
  );

const rateLimit = (): z.ZodType<string | number> =>
  z
    .union([z.string(), z.number()])
    .refine(isRate, 'not a rate such as "10/s", "10/m", "10/h", or a number per second');

const timezone = (): z.ZodType<string> =>
  z.string().refine(isTimezone, "not a timezone name such as Europe/Berlin or UTC");

const exchangeType = (): z.ZodType<ExchangeType> =>
  z.enum(EXCHANGE_TYPES, `not one of ${EXCHANGE_TYPES.join(", ")}`);
const classic = (): z.ZodLiteral<"classic"> =>
  z.literal("classic", "only classic queues exist on Redis; quorum queues are RabbitMQ's");

const protocol = (): z.ZodLiteral<2> => z.literal(2, "only protocol 2 is written");
const compression = (): z.ZodType<Compression> =>
  z.enum(COMPRESSIONS, `not supported; there are: ${COMPRESSIONS.join(", ")}`);
const pool = (): z.ZodType<ConfValues["worker_pool"]> => z.enum(POOL_NAMES).transform(poolByName);
const logLevel = (): z.ZodType<ConfValues["worker_redirect_stdouts_level"]> =>
  z.enum(["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]);

/** @see celery 5.7.0 app/defaults.py */
export const confSettings: Settings<ConfValues> = {
  ...connectionSettings,
  broker_url: brokerUrl,
  broker_transport_options: brokerTransportOptions,
  broker_connection_timeout: setting(4, positive),
  broker_connection_retry: setting(true, flag),
  broker_connection_retry_on_startup: orNull(flag),
  broker_connection_max_retries: setting<number | null>(100, () => whole().nullable()),

  result_backend: orNull(text),
  result_expires: setting<number | null>(86_400, () => positive().nullable()),
  result_extended: setting(false, flag),
  result_chord_expires: orNull(positive),
  result_chord_join_timeout: setting(3, positive),
  result_chord_retry_interval: setting(1, positive),
  result_serializer: setting("json", json),
  result_accept_content: orNull(contentTypes),

  accept_content: setting(["json"], contentTypes),
  task_serializer: setting("json", json),
  event_serializer: setting("json", json),
  timezone: orNull(timezone),
  enable_utc: setting(true, flag),

  task_default_queue: setting("celery", text),
  task_default_priority: orNull(() => z.int().min(0).max(9)),
  task_default_delivery_mode: setting<1 | 2>(2, () => z.literal([1, 2])),
  task_protocol: setting(2, protocol),
  task_default_exchange: orNull(() => z.string()),
  task_default_exchange_type: setting("direct", exchangeType),
  task_default_routing_key: orNull(() => z.string()),
  task_create_missing_queues: setting(true, flag),
  task_create_missing_queue_exchange_type: orNull(exchangeType),
  task_create_missing_queue_type: setting("classic", classic),
  task_default_queue_type: setting("classic", classic),
  task_queue_max_priority: orNull(whole),
  task_queues: orNull(queuesSchema),
  task_compression: orNull(compression),
  task_routes: orNull(routes),
  task_annotations: orNull(annotations),
  task_inherit_parent_priority: setting(false, flag),
  task_publish_retry: setting(true, flag),
  task_publish_retry_policy: retryPolicy,
  task_send_sent_event: setting(false, flag),
  task_repr_maxlevels: setting(3, whole),

  task_acks_late: setting(false, flag),
  task_acks_on_failure_or_timeout: setting(true, flag),
  task_acks_on_failure: orNull(flag),
  task_acks_on_timeout: orNull(flag),
  task_default_rate_limit: orNull(rateLimit),
  task_reject_on_worker_lost: orNull(flag),
  task_track_started: setting(false, flag),
  task_ignore_result: setting(false, flag),
  task_always_eager: setting(false, flag),
  task_eager_propagates: setting(false, flag),
  task_store_eager_result: setting(false, flag),
  task_store_errors_even_if_ignored: setting(false, flag),
  task_allow_error_cb_on_chord_header: setting(false, flag),
  task_time_limit: orNull(positive),
  task_soft_time_limit: orNull(positive),

  worker_concurrency: orNull(count),
  worker_pool: setting("prefork", pool),
  worker_prefetch_multiplier: setting(4, whole),
  worker_disable_prefetch: setting(false, flag),
  worker_disable_rate_limits: setting(false, flag),
  worker_deduplicate_successful_tasks: setting(false, flag),
  worker_cancel_long_running_tasks_on_connection_loss: setting(false, flag),
  worker_pool_restarts: setting(false, flag),
  worker_direct: setting(false, flag),
  worker_state_db: orNull(text),
  worker_max_tasks_per_child: orNull(count),
  worker_max_memory_per_child: orNull(count),
  worker_send_task_events: setting(false, flag),
  worker_enable_remote_control: setting(true, flag),
  worker_soft_shutdown_timeout: setting(0, seconds),
  worker_enable_soft_shutdown_on_idle: setting(false, flag),
  worker_redirect_stdouts: setting(true, flag),
  worker_redirect_stdouts_level: setting("WARNING", logLevel),
  worker_log_color: orNull(flag),

  beat_schedule: setting({}, () => z.record(z.string(), beatEntry())),
  beat_schedule_filename: setting("celerybeat-schedule", text),
  beat_max_loop_interval: setting(0, seconds),
  beat_sync_every: setting(0, whole),
  beat_cron_starting_deadline: orNull(seconds),
  beat_enable_remote_control: setting(false, flag),
  beat_remote_control_max_tick_age: orNull(seconds),

  imports: setting([], () => z.array(z.string())),
  include: setting([], () => z.array(z.string())),
};

function isObjectOrFunction(value: unknown): boolean {
  return (typeof value === "object" && value !== null) || typeof value === "function";
}

function isTimezone(name: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return true;
  } catch {
    return false; // RangeError is how Intl says "no such zone"
  }
}
