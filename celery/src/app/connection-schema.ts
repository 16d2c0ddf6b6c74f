import * as z from "zod";
import type { BrokerTransportOptions, ConnectionValues, SslOptions } from "./connection-values.ts";

const seconds = z.number().nonnegative();
const positive = z.number().positive();
const count = z.int().positive();
const flag = z.boolean();
const text = z.string().min(1);

const serverOptions = {
  global_keyprefix: orNull(z.string()),
  master_name: orNull(text),
  min_other_sentinels: orNull(z.int().nonnegative()),
  sentinel_kwargs: orNull(z.record(z.string(), z.unknown())),
};

export const brokerTransportOptions: z.ZodType<BrokerTransportOptions> = z
  .strictObject({
    ...serverOptions,
    socket_timeout: orNull(positive),
    socket_connect_timeout: orNull(positive),
    socket_keepalive: orNull(flag),
    health_check_interval: orNull(seconds),
    client_name: orNull(text),
    max_connections: orNull(count),
    retry_on_timeout: orNull(flag),
    visibility_timeout: positive.default(3600),
    heartbeat_ttl: positive.default(10),
    max_message_bytes: count.default(16 * 1024 * 1024),
    queue_order_strategy: z.enum(["round_robin", "sorted", "priority"]).default("round_robin"),
    priority_steps: orNull(
      z
        .array(z.int())
        .refine(
          (steps) => steps.join() === "0,3,6,9",
          "only kombu's default [0, 3, 6, 9]: all who share a queue must agree",
        ),
    ),
    sep: orNull(z.literal("\x06\x16", "only kombu's default: all who share a queue must agree")),
    ack_emulation: z
      .literal(true, "without it a worker that dies takes its messages with it, so it cannot be switched off")
      .default(true),
    fanout_prefix: z.union([flag, z.string()]).default(true),
    fanout_patterns: flag.default(true),
  })
  .prefault({});

const requirement = z.enum(["required", "optional", "none", "CERT_REQUIRED", "CERT_OPTIONAL", "CERT_NONE"]);

const ssl = z.union(
  [
    flag,
    z.strictObject({
      ssl_cert_reqs: requirement.optional(),
      ssl_ca_certs: text.optional(),
      ssl_certfile: text.optional(),
      ssl_keyfile: text.optional(),
      ssl_password: text.optional(),
      ssl_check_hostname: flag.optional(),
    }) satisfies z.ZodType<SslOptions>,
  ],
  "true, false, or { ssl_ca_certs, ssl_cert_reqs, ssl_certfile, ssl_keyfile, ssl_password, ssl_check_hostname }",
);

/** One URL, or a list of them: servers that stand for one another. */
export const brokerUrl: z.ZodType<string | null> = orNull(
  z.union([
    text,
    z
      .array(text)
      .min(1)
      .transform((urls) => urls.join(";")),
  ]),
);

/** @see celery 5.7.0 app/defaults.py */
export const connectionShape: { readonly [K in keyof ConnectionValues]: z.ZodType<ConnectionValues[K]> } = {
  broker_use_ssl: orNull(ssl),
  broker_failover_strategy: z
    .literal("round-robin", 'only "round-robin": the servers of broker_url in turn')
    .default("round-robin"),
  broker_pool_limit: z.int().nonnegative().nullable().default(10),
  redis_backend_use_ssl: orNull(ssl),
  result_backend_transport_options: z
    .strictObject({
      ...serverOptions,
      visibility_timeout: orNull(positive),
      result_chord_ordered: z.boolean().default(true),
    })
    .prefault({}),
  redis_socket_timeout: orNull(positive),
  redis_socket_connect_timeout: orNull(positive),
  redis_socket_keepalive: orNull(flag),
  redis_backend_health_check_interval: orNull(seconds),
  redis_client_name: orNull(text),
  redis_max_connections: orNull(count),
  redis_retry_on_timeout: flag.default(false),
};

/** Where Celery's default is "not set". */
function orNull<S extends z.ZodType>(schema: S): z.ZodDefault<z.ZodNullable<S>> {
  return schema.nullable().default(() => null as z.util.NoUndefined<z.output<z.ZodNullable<S>>>);
}
