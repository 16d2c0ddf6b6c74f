import type { Redis, RedisOptions } from "ioredis";
import { unreachable } from "./fault.ts";
import { parseRedisUrl } from "./url.ts";

export interface ClientOptions {
  /** Shown by `CLIENT LIST`; no spaces. */
  readonly name?: string;
  /** Default 4000. */
  readonly connectTimeoutMs?: number;
}

/**
 * A connected ioredis client that neither reconnects nor resends: both are decided above it.
 *
 * @throws RedisFault when there is no connection in time, or the server refuses the password or the database.
 */
export async function connectClient(url: string, options: ClientOptions): Promise<Redis> {
  // Loaded with the first connection: pool children make none as a rule, and are to start fast.
  const { Redis: Client } = await import("ioredis");
  const client = new Client(clientSettings(url, options));
  let reason: Error | undefined;
  client.on("error", (error: Error) => {
    reason = error;
  });
  // A frozen server accepts the connection and answers nothing, which ioredis's own limit does not cover.
  const limit = setTimeout(() => client.stream?.destroy(), (options.connectTimeoutMs ?? 4000) + 500);
  try {
    await client.connect();
    const { db } = parseRedisUrl(url);
    // Not left to ioredis: it would carry on in database 0 when the server has no such database.
    if (db !== 0) await client.select(db);
    return client;
  } catch (error) {
    client.disconnect();
    throw unreachable(reason ?? error, url);
  } finally {
    clearTimeout(limit);
  }
}

function clientSettings(url: string, options: ClientOptions): RedisOptions & { replyMapping?: "legacy" } {
  const address = parseRedisUrl(url);
  return {
    host: address.host,
    port: address.port,
    ...(address.username === undefined ? {} : { username: address.username }),
    ...(address.password === undefined ? {} : { password: address.password }),
    ...(address.tls ? { tls: {} } : {}),
    ...(options.name === undefined ? {} : { connectionName: options.name }),
    protocol: 2,
    lazyConnect: true,
    connectTimeout: options.connectTimeoutMs ?? 4000,
    retryStrategy: null,
    maxRetriesPerRequest: null,
    autoResendUnfulfilledCommands: false,
    autoResubscribe: false,
    enableOfflineQueue: false,
    enableReadyCheck: false,
    disableClientInfo: true,
    keepAlive: 10_000,
  };
}
