import type { RedisClient as Redis } from "./ioredis.ts";
import { parseRedisUrl, type RedisAddress, type RedisTarget } from "./url.ts";

/** @throws what says why this server cannot be used. */
export type Connect = (address: RedisAddress, tls: boolean) => Promise<Redis>;

/** The servers of one URL, as one connection sees them. */
export interface Servers {
  readonly url: string;
  readonly target: RedisTarget;
  /** Whether there may be another server to go to. */
  readonly isMany: boolean;
  /** A client of the server that is to be used now. @throws the last server's failure, when none can be. */
  connect(connect: Connect): Promise<Redis>;
}

/** @throws ImproperlyConfigured for a URL that is none. */
export function openServers(url: string): Servers {
  const target = parseRedisUrl(url);
  return target.isSentinel ? new SentinelServers(url, target) : new ListedServers(url, target);
}

/** `redis://a;redis://b`: whichever answers, the one that did last first, as kombu goes round. */
class ListedServers implements Servers {
  readonly url: string;
  readonly target: RedisTarget;
  #first = 0;

  constructor(url: string, target: RedisTarget) {
    this.url = url;
    this.target = target;
  }

  get isMany(): boolean {
    return this.target.servers.length > 1;
  }

  connect(connect: Connect): Promise<Redis> {
    const { servers, options } = this.target;
    return firstThatWorks(servers, this.#first, async (address, index) => {
      const client = await connect(address, options.tls !== undefined);
      this.#first = index;
      return client;
    });
  }
}

/** Asks the Sentinels for the master's address with each new connection. @see redis-py sentinel.py, `discover_master` */
class SentinelServers implements Servers {
  readonly url: string;
  readonly target: RedisTarget;
  readonly isMany = true;
  #first = 0;

  constructor(url: string, target: RedisTarget) {
    this.url = url;
    this.target = target;
  }

  async connect(connect: Connect): Promise<Redis> {
    const { servers, options } = this.target;
    const master = await firstThatWorks(servers, this.#first, async (sentinel, index) => {
      const address = await this.#ask(sentinel, connect);
      this.#first = index;
      return address;
    });
    const client = await connect(master, options.tls !== undefined);
    try {
      const [role] = (await client.call("ROLE")) as [string];
      if (role === "master") return client;
      throw new Error(`${master.host}:${master.port} is a ${role} still; the Sentinels call it the master`);
    } catch (error) {
      client.disconnect();
      throw error;
    }
  }

  async #ask(sentinel: RedisAddress, connect: Connect): Promise<RedisAddress> {
    const { masterName, minOtherSentinels, username, password, tls } = this.#sentinelOptions();
    const client = await connect({ ...sentinel, db: 0, username, password }, tls);
    try {
      const state = pairs(await client.call("SENTINEL", "MASTER", masterName));
      const others = Number(state.get("num-other-sentinels") ?? 0);
      const flags = (state.get("flags") ?? "").split(",");
      if (others < minOtherSentinels) throw new Error(`the Sentinel knows ${others} others only`);
      if (flags.includes("s_down") || flags.includes("o_down"))
        throw new Error(`the Sentinels hold ${masterName} for dead; they have not agreed on another yet`);
      const { db } = this.target;
      const [user, secret] = [this.target.username, this.target.password];
      const [host, port] = [state.get("ip") ?? "", Number(state.get("port"))];
      return { host, port, path: undefined, db, username: user, password: secret, tls: this.target.tls };
    } finally {
      client.disconnect();
    }
  }

  #sentinelOptions(): NonNullable<RedisTarget["options"]["sentinel"]> {
    const { sentinel } = this.target.options;
    if (sentinel === undefined) throw new TypeError("a Sentinel's URL has Sentinel's options");
    return sentinel;
  }
}

async function firstThatWorks<T>(
  addresses: readonly RedisAddress[],
  start: number,
  attempt: (address: RedisAddress, index: number) => Promise<T>,
): Promise<T> {
  let last: unknown;
  for (let step = 0; step < addresses.length; step += 1) {
    const index = (start + step) % addresses.length;
    try {
      return await attempt(addresses[index] as RedisAddress, index);
    } catch (error) {
      last = error;
    }
  }
  throw last;
}

function pairs(reply: unknown): ReadonlyMap<string, string> {
  const flat = (reply as readonly unknown[]).map(String);
  return new Map(
    flat.flatMap((name, index) => (index % 2 === 0 ? [[name, flat[index + 1] ?? ""] as const] : [])),
  );
}
