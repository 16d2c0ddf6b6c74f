import { once } from "node:events";
import type { ResultBackend } from "../../src/backend/backend.ts";
import { openConnection, type RedisConnection } from "../../src/redis/connection.ts";
import type { Log } from "../../src/runtime/log.ts";
import { ownBinding } from "../../src/transport/destination.ts";
import { openTransport, type TransportOptions } from "../../src/transport/open-transport.ts";
import type { Claim, Consumer, OutgoingMessage, Transport } from "../../src/transport/transport.ts";
import { openTcpProxy, type TcpProxy } from "./tcp-proxy.ts";

/** One database with clients on it, all closed at the end. */
export interface TransportLab extends AsyncDisposable {
  readonly url: string;
  readonly redis: RedisConnection;
  readonly transport: Transport;
  /** What was logged, as `level: message`. */
  readonly logged: string[];
  openTransport(url: string, options?: TransportOptions): Transport;
  /** A line to the same database that can be disturbed; closed after whoever uses it. */
  openProxy(): Promise<TcpProxy>;
  /** A consumer that is connected. */
  openConsumer(options?: LabConsumerOptions): Promise<Consumer>;
  publish(...names: readonly string[]): Promise<void>;
  /** Keys that are not there to stay: no bindings, no lanes of publishers. */
  keys(): Promise<readonly string[]>;
}

export interface LabConsumerOptions {
  readonly url?: string;
  readonly queues?: readonly string[];
  readonly heartbeatTtlMs?: number;
  readonly visibilityTimeoutMs?: number;
  readonly backend?: ResultBackend;
}

/** @param options.keep others are in this database too: it is not emptied. */
export async function openTransportLab(
  url: string,
  { keep = false }: { readonly keep?: boolean } = {},
): Promise<TransportLab> {
  const redis = openConnection(url, { name: "test" });
  if (!keep) await redis.call("FLUSHDB");
  const opened: AsyncDisposable[] = [];
  const logged: string[] = [];
  const track = <T extends AsyncDisposable>(resource: T): T => {
    opened.push(resource);
    return resource;
  };
  const transport = track(openTransport(url));
  return {
    url,
    redis,
    transport,
    logged,
    openTransport: (other, options) => track(openTransport(other, options)),
    openProxy: async () => track(await openTcpProxy(url)),
    openConsumer: async ({ url: other = url, queues = ["celery"], ...options } = {}) => {
      const base = { nodeName: "w1@test", queues, heartbeatTtlMs: 2000, log: collect(logged) };
      const consumer = track(await openTransport(other).openConsumer({ ...base, ...options }));
      await once(consumer.events, "connected");
      return consumer;
    },
    publish: async (...names) => {
      for (const name of names) await transport.publish(message(name));
    },
    keys: async () => {
      const all = (await redis.call("KEYS", "*")) as readonly string[];
      return all.filter((key) => !key.startsWith("_kombu.binding") && !key.endsWith(":publish")).toSorted();
    },
    [Symbol.asyncDispose]: async () => {
      for (const resource of opened.toReversed()) await resource[Symbol.asyncDispose]();
      await redis[Symbol.asyncDispose]();
    },
  };
}

/** The envelope's text; only what the transport may look at is there. */
export function envelope(name: string): string {
  return `{"name": ${JSON.stringify(name)}, "properties": {"delivery_info": {"exchange": "", "routing_key": "celery"}}}`;
}

/** One list for all messages of the queue, as the app's senders have it. */
const OWN_BINDINGS = [ownBinding("celery")];

export function message(name: string, changes: Partial<OutgoingMessage> = {}): OutgoingMessage {
  const isOwn = changes.queue === undefined && changes.via === undefined;
  return {
    queue: "celery",
    raw: envelope(name),
    priority: 0,
    ...(isOwn && { bindings: OWN_BINDINGS }),
    ...changes,
  };
}

export function nameOf({ raw }: Pick<Claim, "raw">): string {
  return (JSON.parse(raw) as { name: string }).name;
}

export function isRedelivered({ raw }: Pick<Claim, "raw">): boolean {
  const { properties } = JSON.parse(raw) as { properties: { delivery_info: { redelivered?: boolean } } };
  return properties.delivery_info.redelivered === true;
}

/** Claims until there are `count`, waiting for work in between as a worker does. */
export async function claimAll(consumer: Consumer, count: number): Promise<Claim[]> {
  const claims: Claim[] = [];
  const patience = AbortSignal.timeout(60_000);
  while (claims.length < count) {
    const more = await consumer.claim(count - claims.length);
    claims.push(...more);
    if (more.length === 0) claims.push(...(await consumer.claimNext(count - claims.length, patience)));
    if (patience.aborted) throw new Error(`only ${claims.length} of ${count} messages came`);
  }
  return claims;
}

function collect(logged: string[]): Log {
  const at =
    (level: string) =>
    (_fields: object, text: string): void =>
      void logged.push(`${level}: ${text}`);
  return { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
}
