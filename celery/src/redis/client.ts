import { readFile } from "node:fs/promises";
import type { ConnectionOptions as NodeTlsOptions } from "node:tls";
import type { RedisOptions } from "ioredis";
import { ImproperlyConfigured } from "../protocol/errors.ts";
import { unreachable } from "./fault.ts";
import type { RedisClient as Redis } from "./ioredis.ts";
import type { Servers } from "./servers.ts";
import type { RedisAddress, RedisTarget } from "./url.ts";
import type { TlsOptions } from "./url-options.ts";

export interface ClientOptions {
  /** Shown by `CLIENT LIST`; no spaces. The URL's `client_name` wins. */
  readonly name?: string;
  /** Default 4000; the URL's `socket_connect_timeout` wins. */
  readonly connectTimeoutMs?: number;
}

/**
 * A connected ioredis client that neither reconnects nor resends: both are decided above it. Of several servers it is the
 * first that answers.
 *
 * @throws RedisFault when there is no connection in time, or the server refuses the password or the database.
 */
export async function connectClient(servers: Servers, options: ClientOptions): Promise<Redis> {
  const { target } = servers;
  const connectTimeoutMs = target.options.connectTimeoutMs ?? options.connectTimeoutMs ?? 4000;
  const name = target.options.clientName ?? options.name;
  try {
    const files = target.options.tls && (await readTlsFiles(target.options.tls));
    return await servers.connect((address, secure) => {
      const tls = secure ? files : undefined;
      return connectTo(address, clientSettings(address, { name, connectTimeoutMs, target, tls }));
    });
  } catch (error) {
    throw unreachable(error, servers.url);
  }
}

async function connectTo(address: RedisAddress, settings: Settings): Promise<Redis> {
  // Loaded with the first connection: pool children make none as a rule, and are to start fast.
  const { Redis: Client } = await import("./ioredis.ts");
  const client = new Client(settings);
  let reason: Error | undefined;
  client.on("error", (error: Error) => {
    reason = error;
  });
  // A frozen server accepts the connection and answers nothing, which ioredis's own limit does not cover.
  const limit = setTimeout(() => client.stream?.destroy(), (settings.connectTimeout ?? 4000) + 500);
  try {
    await client.connect();
    // Not left to ioredis: it would carry on in database 0 when the server has no such database.
    if (address.db !== 0) await client.select(address.db);
    return client;
  } catch (error) {
    client.disconnect();
    throw reason ?? error;
  } finally {
    clearTimeout(limit);
  }
}

type Settings = RedisOptions & { replyMapping?: "legacy" };

interface SettingsContext {
  readonly name: string | undefined;
  readonly connectTimeoutMs: number;
  readonly target: RedisTarget;
  readonly tls: NodeTlsOptions | undefined;
}

function clientSettings(
  address: RedisAddress,
  { name, connectTimeoutMs, target, tls }: SettingsContext,
): Settings {
  return {
    ...(address.path === undefined ? { host: address.host, port: address.port } : { path: address.path }),
    ...(address.username === undefined ? {} : { username: address.username }),
    ...(address.password === undefined ? {} : { password: address.password }),
    ...(tls === undefined ? {} : { tls }),
    ...(name === undefined ? {} : { connectionName: name }),
    protocol: 2,
    lazyConnect: true,
    connectTimeout: connectTimeoutMs,
    retryStrategy: null,
    maxRetriesPerRequest: null,
    autoResendUnfulfilledCommands: false,
    autoResubscribe: false,
    enableOfflineQueue: false,
    enableReadyCheck: false,
    disableClientInfo: true,
    keepAlive: target.options.keepAlive ? 10_000 : 0,
  };
}

async function readTlsFiles(options: TlsOptions): Promise<NodeTlsOptions> {
  const [ca, cert, key] = await Promise.all([
    readOption("ssl_ca_certs", options.caFile),
    readOption("ssl_certfile", options.certFile),
    readOption("ssl_keyfile", options.keyFile ?? options.certFile),
  ]);
  return {
    rejectUnauthorized: options.verify,
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert, key }),
    ...(options.keyPassword === undefined ? {} : { passphrase: options.keyPassword }),
    ...(options.checkHostname ? {} : { checkServerIdentity: () => undefined }),
  };
}

async function readOption(name: string, file: string | undefined): Promise<Buffer | undefined> {
  if (file === undefined) return undefined;
  try {
    return await readFile(file);
  } catch (error) {
    throw new ImproperlyConfigured(`${name}: ${(error as Error).message}`, { cause: error });
  }
}
