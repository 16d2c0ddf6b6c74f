import { maskUrl, queryOf, splitUrls } from "../protocol/connection-url.ts";
import { ImproperlyConfigured } from "../protocol/errors.ts";
import { type LinkOptions, readLinkOptions } from "./url-options.ts";

export { maskUrl } from "../protocol/connection-url.ts";

/** Where one server listens, and who we are there. */
export interface RedisAddress {
  readonly host: string;
  readonly port: number;
  /** Of a Unix socket; host and port mean nothing then. */
  readonly path: string | undefined;
  readonly db: number;
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly tls: boolean;
}

/** All that a URL says: its first server's address, the others, and how to talk to them. */
export interface RedisTarget extends RedisAddress {
  /** In the order given; the first is this one. */
  readonly servers: readonly RedisAddress[];
  /** True when `servers` are Sentinels, to be asked where the server is. */
  readonly isSentinel: boolean;
  readonly options: LinkOptions;
}

/** What a fanout exchange's channels begin with. @see kombu 5.7.0 transport/redis.py, `keyprefix_fanout` */
export function fanoutPrefix(url: string): string {
  const { db, options } = parseRedisUrl(url);
  return (options.fanoutPrefix ?? "/{db}.").replace("{db}", String(db));
}

/**
 * Reads what Celery and redis-py read: `redis://[user:password@]host[:port][/db]`, `rediss://` for TLS,
 * `redis+socket://[user:password@]/path?virtual_host=db` (or `unix://`, `socket://`) for Unix sockets,
 * `sentinel://host[:port][/db]`; several with `;` between them; options as `?name=value`.
 *
 * @throws ImproperlyConfigured quoting the URL, without its password.
 */
export function parseRedisUrl(text: string): RedisTarget {
  const servers = splitUrls(text).map((url) => parseOne(url, text));
  const [first] = servers;
  if (first === undefined) throw refusal(text);
  const schemes = new Set(servers.map(({ scheme }) => scheme === "sentinel"));
  const isSentinel = first.scheme === "sentinel";
  if (schemes.size > 1) throw complaint(text, "sentinel:// and other URLs cannot be in one list.");
  if (isSentinel && servers.some(({ db, hasDb }) => hasDb && db !== first.db)) {
    throw complaint(text, "all of its Sentinels must name the same database; Celery reads the first one's.");
  }
  const options = readLinkOptions(splitUrls(text).map(queryOf), { tls: first.tls, isSentinel }, (reason) =>
    complaint(text, reason),
  );
  const { host, port, path, db, username, password } = first;
  const tls = options.tls !== undefined;
  return { host, port, path, db, username, password, tls, servers, isSentinel, options };
}

/** Whether two URLs name one database of one server. */
export function sameDatabase(a: string, b: string): boolean {
  const [first, second] = [parseRedisUrl(a), parseRedisUrl(b)];
  return (
    first.isSentinel === second.isSentinel &&
    first.options.sentinel?.masterName === second.options.sentinel?.masterName &&
    placeOf(first) === placeOf(second)
  );
}

interface ParsedUrl extends RedisAddress {
  readonly scheme: string;
  readonly hasDb: boolean;
}

const URL_SHAPE =
  /^(?<scheme>[a-z][a-z+]*):\/\/(?:(?<user>[^/?#]*)@)?(?<host>\[[^\]]*\]|[^/?#:]*)(?::(?<port>\d*))?(?<path>\/[^?#]*)?(?:\?|$)/i;
const SOCKET_SCHEMES: ReadonlySet<string> = new Set(["unix", "socket", "redis+socket"]);
const SCHEMES: ReadonlySet<string> = new Set(["redis", "rediss", "sentinel", ...SOCKET_SCHEMES]);

/** Not by `URL`: it refuses credentials without a host, which is how a socket's password is written. */
function parseOne(url: string, whole: string): ParsedUrl {
  const { scheme: name = "", user = "", host = "", port = "", path = "" } = URL_SHAPE.exec(url)?.groups ?? {};
  const scheme = name.toLowerCase();
  if (!SCHEMES.has(scheme)) throw refusal(whole);
  const isSocket = SOCKET_SCHEMES.has(scheme);
  if (isSocket && (host !== "" || path.length < 2)) {
    throw complaint(whole, "a socket's path is absolute: redis+socket:///run/redis.sock?virtual_host=0");
  }
  const query = queryOf(url);
  const said = query.get("virtual_host") ?? query.get("db") ?? (isSocket ? "" : path);
  const db = said.replace(/^\//, "");
  if (!/^\d*$/.test(db)) throw complaint(whole, `the database must be a number, not "${db}".`);
  const colon = user.indexOf(":");
  return {
    scheme,
    host: decode(host.replace(/^\[|\]$/g, "")) || "localhost",
    port: port === "" ? defaultPort(scheme) : Number(port),
    path: isSocket ? decode(path) : undefined,
    db: Number(db || 0),
    hasDb: db !== "",
    username: decode(colon === -1 ? user : user.slice(0, colon)) || undefined,
    password: colon === -1 ? undefined : decode(user.slice(colon + 1)) || undefined,
    tls: scheme === "rediss",
  };
}

function defaultPort(scheme: string): number {
  return scheme === "sentinel" ? 26_379 : 6379;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // a lone % stands for itself, as in Python
  }
}

function refusal(text: string): ImproperlyConfigured {
  return new ImproperlyConfigured(
    `"${maskUrl(text)}" is not a Redis URL. Write redis://host:port/db, e.g. redis://localhost:6379/0.`,
  );
}

function complaint(text: string, reason: string): ImproperlyConfigured {
  return new ImproperlyConfigured(`"${maskUrl(text)}": ${reason}`);
}

function placeOf({ servers }: RedisTarget): string {
  return servers
    .map(({ host, port, path, db, tls }) => `${tls} ${path ?? `${canonicalHost(host)}:${port}`} ${db}`)
    .join(";");
}

function canonicalHost(host: string): string {
  return ["localhost", "::1"].includes(host) ? "127.0.0.1" : host.toLowerCase();
}
