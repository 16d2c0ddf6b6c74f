import * as z from "zod";
import type {
  BrokerTransportOptions,
  ConnectionValues,
  ServerOptions,
  SslOptions,
} from "./connection-values.ts";
import { group, orNull, type Setting, type Settings, setting } from "./setting.ts";

const seconds = (): z.ZodNumber => z.number().nonnegative();
const positive = (): z.ZodNumber => z.number().positive();
const count = (): z.ZodInt => z.int().positive();
const flag = (): z.ZodBoolean => z.boolean();
const text = (): z.ZodString => z.string().min(1);

const serverOptions: Settings<ServerOptions> = {
  global_keyprefix: orNull(() => z.string()),
  master_name: orNull(text),
  min_other_sentinels: orNull(() => z.int().nonnegative()),
  sentinel_kwargs: orNull(() => z.record(z.string(), z.unknown())),
};

const prioritySteps = (): z.ZodType<number[]> =>
  z
    .array(z.int())
    .refine(
      (steps) => steps.join() === "0,3,6,9",
      "only kombu's default [0, 3, 6, 9]: all who share a queue must agree",
    );

export const brokerTransportOptions: Setting<BrokerTransportOptions> = group<BrokerTransportOptions>({
  ...serverOptions,
  socket_timeout: orNull(positive),
  socket_connect_timeout: orNull(positive),
  socket_keepalive: orNull(flag),
  health_check_interval: orNull(seconds),
  client_name: orNull(text),
  max_connections: orNull(count),
  retry_on_timeout: orNull(flag),
  visibility_timeout: setting(3600, positive),
  heartbeat_ttl: setting(10, positive),
  max_message_bytes: setting(16 * 1024 * 1024, count),
  queue_order_strategy: setting("round_robin", () => z.enum(["round_robin", "sorted", "priority"])),
  priority_steps: orNull(prioritySteps),
  sep: orNull(() => z.literal("\x06\x16", "only kombu's default: all who share a queue must agree")),
  ack_emulation: setting(true, () =>
    z.literal(true, "without it a worker that dies takes its messages with it, so it cannot be switched off"),
  ),
  fanout_prefix: setting(true, () => z.union([flag(), z.string()])),
  fanout_patterns: setting(true, flag),
});

const ssl = (): z.ZodType<boolean | SslOptions> =>
  z.union(
    [
      flag(),
      z.strictObject({
        ssl_cert_reqs: z
          .enum(["required", "optional", "none", "CERT_REQUIRED", "CERT_OPTIONAL", "CERT_NONE"])
          .optional(),
        ssl_ca_certs: text().optional(),
        ssl_certfile: text().optional(),
        ssl_keyfile: text().optional(),
        ssl_password: text().optional(),
        ssl_check_hostname: flag().optional(),
      }),
    ],
    "true, false, or { ssl_ca_certs, ssl_cert_reqs, ssl_certfile, ssl_keyfile, ssl_password, ssl_check_hostname }",
  );

/** One URL, or a list of them: servers that stand for one another. */
export const brokerUrl: Setting<string | null> = orNull(() =>
  z.union([
    text(),
    z
      .array(text())
      .min(1)
      .transform((urls) => urls.join(";")),
  ]),
);

/** @see celery 5.7.0 app/defaults.py */
export const connectionSettings: Settings<ConnectionValues> = {
  broker_use_ssl: orNull(ssl),
  broker_failover_strategy: setting("round-robin", () =>
    z.literal("round-robin", 'only "round-robin": the servers of broker_url in turn'),
  ),
  broker_pool_limit: setting<number | null>(10, () => z.int().nonnegative().nullable()),
  redis_backend_use_ssl: orNull(ssl),
  result_backend_transport_options: group<ConnectionValues["result_backend_transport_options"]>({
    ...serverOptions,
    visibility_timeout: orNull(positive),
    result_chord_ordered: setting(true, flag),
  }),
  redis_socket_timeout: orNull(positive),
  redis_socket_connect_timeout: orNull(positive),
  redis_socket_keepalive: orNull(flag),
  redis_backend_health_check_interval: orNull(seconds),
  redis_client_name: orNull(text),
  redis_max_connections: orNull(count),
  redis_retry_on_timeout: setting(false, flag),
};
