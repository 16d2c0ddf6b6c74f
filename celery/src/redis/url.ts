import { ImproperlyConfigured } from "../protocol/errors.ts";

/** The parts of `redis://[user:password@]host[:port][/db]`, or `rediss://` for TLS. */
export interface RedisAddress {
  readonly host: string;
  readonly port: number;
  readonly db: number;
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly tls: boolean;
}

/** @throws ImproperlyConfigured quoting the URL, without its password. */
export function parseRedisUrl(text: string): RedisAddress {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !["redis:", "rediss:"].includes(url.protocol)) {
    throw new ImproperlyConfigured(
      `"${maskUrl(text)}" is not a Redis URL. Write redis://host:port/db, e.g. redis://localhost:6379/0.`,
    );
  }
  const path = url.pathname.replace(/^\//, "");
  if (!/^\d*$/.test(path)) {
    throw new ImproperlyConfigured(`"${maskUrl(text)}": the database must be a number, not "${path}".`);
  }
  return {
    host: url.hostname.replace(/^\[|\]$/g, "") || "localhost",
    port: url.port === "" ? 6379 : Number(url.port),
    db: path === "" ? 0 : Number(path),
    username: url.username === "" ? undefined : decodeURIComponent(url.username),
    password: url.password === "" ? undefined : decodeURIComponent(url.password),
    tls: url.protocol === "rediss:",
  };
}

/** The URL with its password replaced, for messages and logs. */
export function maskUrl(text: string): string {
  return text.replace(/^([a-z+]+:\/\/[^/@]*?:)[^/]*@/i, "$1**@");
}

/** Whether two URLs name one database of one server. */
export function sameDatabase(a: string, b: string): boolean {
  const [first, second] = [parseRedisUrl(a), parseRedisUrl(b)];
  return (
    canonicalHost(first.host) === canonicalHost(second.host) &&
    first.port === second.port &&
    first.db === second.db &&
    first.tls === second.tls
  );
}

function canonicalHost(host: string): string {
  return ["localhost", "::1"].includes(host) ? "127.0.0.1" : host.toLowerCase();
}
