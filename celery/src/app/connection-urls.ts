import { withUrlOptions } from "../protocol/connection-url.ts";
import type { ConfValues } from "./conf-values.ts";
import type { SslOptions } from "./connection-values.ts";

/**
 * The broker's URL with everything that the settings say of its connections, so that whoever has the URL needs nothing else. A URL
 * without such settings stays as it is, to the letter.
 *
 * @see kombu 5.7.0 transport/redis.py, `Channel._connparams`
 */
export function brokerUrlWith(url: string, conf: ConfValues): string {
  const { global_keyprefix, master_name, min_other_sentinels, sentinel_kwargs, ...options } =
    conf.broker_transport_options;
  const { socket_timeout, socket_connect_timeout, socket_keepalive, health_check_interval, client_name } =
    options;
  const fanout = {
    fanout_prefix: options.fanout_prefix === true ? null : options.fanout_prefix,
    fanout_patterns: options.fanout_patterns ? null : false,
  };
  const server = { global_keyprefix, master_name, min_other_sentinels, sentinel_kwargs };
  const socket = {
    socket_timeout,
    socket_connect_timeout,
    socket_keepalive,
    health_check_interval,
    client_name,
  };
  const { secure, ...certificates } = readSsl(conf.broker_use_ssl);
  return withUrlOptions(url, { ...server, ...socket, ...fanout, ...certificates }, secure);
}

/** The same for the result store. @see celery 5.7.0 backends/redis.py, `RedisBackend.__init__` */
export function resultUrlWith(url: string, conf: ConfValues): string {
  const { global_keyprefix, master_name, min_other_sentinels, sentinel_kwargs } =
    conf.result_backend_transport_options;
  const server = {
    global_keyprefix: global_keyprefix && ended(global_keyprefix),
    master_name,
    min_other_sentinels,
    sentinel_kwargs,
  };
  const socket = {
    socket_timeout: conf.redis_socket_timeout,
    socket_connect_timeout: conf.redis_socket_connect_timeout,
    socket_keepalive: conf.redis_socket_keepalive,
    health_check_interval: conf.redis_backend_health_check_interval,
    client_name: conf.redis_client_name,
  };
  const { secure, ...certificates } = readSsl(conf.redis_backend_use_ssl);
  return withUrlOptions(url, { ...server, ...socket, ...certificates }, secure);
}

/** @see celery 5.7.0 backends/base.py, `KeyValueStoreBackend._add_global_keyprefix` */
function ended(prefix: string): string {
  return prefix === "" || ":_-.".includes(prefix.at(-1) ?? "") ? prefix : `${prefix}_`;
}

/** A Sentinel's URL has no scheme for TLS: an option says it there. */
function readSsl(setting: boolean | SslOptions | null): SslOptions & { readonly secure: boolean } {
  if (setting === null || setting === false) return { secure: false };
  return { ssl_cert_reqs: "required", ...(setting === true ? {} : setting), secure: true };
}
