import { EventEmitter } from "node:events";
import { sleep } from "../runtime/sleep.ts";
import { type ClientOptions, connectClient } from "./client.ts";
import { type RedisFault, toFault } from "./fault.ts";
import type { RedisClient as Redis } from "./ioredis.ts";
import { escapeGlob, stripPrefix } from "./key-prefix.ts";
import { openServers, type Servers } from "./servers.ts";
import { parseRedisUrl } from "./url.ts";

export interface SubscriberOptions extends ClientOptions {
  /** How often a quiet connection is asked for a sign of life; 0 for never. Default: the URL's `health_check_interval`, else 15 000. */
  readonly pingIntervalMs?: number;
  /** Longest wait between two attempts to reconnect. Default 2000. */
  readonly maxRetryDelayMs?: number;
  /** Silence after which a connection that owes an answer counts as broken, and one that does not is asked by `check`. Default 5000. */
  readonly replyTimeoutMs?: number;
}

export interface SubscriberEvents {
  /** `pattern` is `undefined` when the channel itself was subscribed to. */
  message: [channel: string, text: string, pattern: string | undefined];
  /** Connected and everything subscribed. After a gap: what was published meanwhile is missed. */
  up: [];
  /** The connection ended, or an attempt to reconnect failed. It goes on trying. */
  down: [fault: RedisFault];
}

/**
 * One connection for any number of subscriptions. It opens with the first, reconnects and subscribes again by
 * itself while there are any, and does not keep the process alive unless `hold` says so.
 */
export interface RedisSubscriber extends AsyncDisposable {
  readonly events: EventEmitter<SubscriberEvents>;
  readonly isUp: boolean;
  /**
   * Settles when the server has confirmed. What is asked for in one turn of the event loop goes out as one command.
   *
   * @throws RedisFault when there is no connection now; it goes on trying nevertheless, until `unsubscribe`.
   */
  subscribe(channel: string): Promise<void>;
  subscribePattern(pattern: string): Promise<void>;
  unsubscribe(channel: string): void;
  unsubscribePattern(pattern: string): void;
  /** For who relies on hearing: asks a connection that has been quiet for a sign of life. Without one it is replaced. */
  check(): void;
  /** While held, the connection keeps the process alive. Each call needs its own `letGo`. */
  hold(): void;
  letGo(): void;
}

/** Opens nothing yet. @throws ImproperlyConfigured for a URL that is none. */
export function openSubscriber(url: string, options: SubscriberOptions = {}): RedisSubscriber {
  return new LazySubscriber(url, options);
}

type Kind = "channel" | "pattern";
const KINDS = ["channel", "pattern"] as const;

/** Names in one SUBSCRIBE: keeps each command, and each answer, small. */
const CHUNK = 1000;

class LazySubscriber implements RedisSubscriber {
  readonly events = new EventEmitter<SubscriberEvents>();
  readonly #url: string;
  readonly #options: SubscriberOptions;
  readonly #servers: Servers;
  readonly #prefix: string;
  readonly #pingIntervalMs: number;
  readonly #replyTimeoutMs: number;
  readonly #wanted = makeSets();
  readonly #toAdd = makeSets();
  readonly #toRemove = makeSets();
  readonly #closing = new AbortController();
  #client: Redis | undefined;
  #connecting: Promise<Redis> | undefined;
  #scheduled: Promise<void> | undefined;
  #reconnecting = false;
  #checking = false;
  #heardAtMs = 0;
  #holds = 0;

  constructor(url: string, options: SubscriberOptions) {
    const { options: said } = parseRedisUrl(url);
    this.#url = url;
    this.#options = options;
    this.#servers = openServers(url);
    this.#prefix = said.keyPrefix;
    this.#pingIntervalMs = options.pingIntervalMs ?? said.pingIntervalMs ?? 15_000;
    this.#replyTimeoutMs = options.replyTimeoutMs ?? 5000;
  }

  get isUp(): boolean {
    return this.#client !== undefined;
  }

  subscribe(channel: string): Promise<void> {
    return this.#add("channel", channel);
  }

  subscribePattern(pattern: string): Promise<void> {
    return this.#add("pattern", pattern);
  }

  unsubscribe(channel: string): void {
    this.#remove("channel", channel);
  }

  unsubscribePattern(pattern: string): void {
    this.#remove("pattern", pattern);
  }

  check(): void {
    const client = this.#client;
    if (client === undefined || this.#checking) return;
    if (performance.now() - this.#heardAtMs < this.#replyTimeoutMs) return;
    this.#checking = true;
    const limit = setTimeout(() => client.stream.destroy(), this.#replyTimeoutMs).unref();
    const end = (): void => {
      clearTimeout(limit);
      this.#checking = false;
    };
    client.ping().then(() => {
      this.#heardAtMs = performance.now();
      end();
    }, end); // closed: `#lost` takes over
  }

  hold(): void {
    this.#holds += 1;
    if (this.#holds === 1) this.#client?.stream.ref();
  }

  letGo(): void {
    this.#holds -= 1;
    if (this.#holds === 0) this.#client?.stream.unref();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    await this.#connecting?.catch(() => undefined); // whoever waits for it was told
    this.#client?.disconnect();
    this.#client?.stream.destroy();
    this.#client = undefined;
  }

  async #add(kind: Kind, name: string): Promise<void> {
    this.#wanted[kind].add(name);
    this.#toRemove[kind].delete(name);
    this.#toAdd[kind].add(name);
    this.hold();
    try {
      await this.#flushSoon();
    } finally {
      this.letGo();
    }
  }

  #remove(kind: Kind, name: string): void {
    if (!this.#wanted[kind].delete(name)) return;
    if (!this.#toAdd[kind].delete(name)) this.#toRemove[kind].add(name);
    if (this.#client === undefined) return;
    this.#flushSoon().catch(() => undefined); // a lost connection has unsubscribed us
  }

  #flushSoon(): Promise<void> {
    this.#scheduled ??= nextTurn().then(() => {
      this.#scheduled = undefined;
      return this.#flush();
    });
    return this.#scheduled;
  }

  async #flush(): Promise<void> {
    try {
      const client = await this.#ready();
      await Promise.all(KINDS.map((kind) => this.#send(client, kind)));
    } catch (error) {
      this.#reconnectLater();
      throw toFault(error, this.#url);
    }
  }

  async #send(client: Redis, kind: Kind): Promise<void> {
    const added = drain(this.#toAdd[kind]);
    const removed = drain(this.#toRemove[kind]);
    const verbs =
      kind === "channel"
        ? (["subscribe", "unsubscribe"] as const)
        : (["psubscribe", "punsubscribe"] as const);
    const limit = setTimeout(() => client.stream.destroy(), this.#replyTimeoutMs);
    try {
      const sent = this.#chunks(added, kind).map((names) => client[verbs[0]](...names));
      await Promise.all([...sent, ...this.#chunks(removed, kind).map((names) => client[verbs[1]](...names))]);
    } finally {
      clearTimeout(limit);
    }
  }

  async #ready(): Promise<Redis> {
    if (this.#closing.signal.aborted) throw new Error("it was closed on our side");
    if (this.#client !== undefined) return this.#client;
    this.#connecting ??= this.#establish().finally(() => {
      this.#connecting = undefined;
    });
    return this.#connecting;
  }

  async #establish(): Promise<Redis> {
    const client = await connectClient(this.#servers, this.#options);
    this.#relay(client);
    let reason: Error | undefined;
    client.on("error", (error: Error) => {
      reason = error;
    });
    client.once("close", () => this.#lost(client, reason));
    try {
      await this.#subscribeAll(client);
    } catch (error) {
      client.disconnect();
      throw reason ?? error;
    }
    this.#client = client;
    this.#heardAtMs = performance.now();
    if (this.#holds === 0) client.stream.unref();
    this.#pingUntilClosed(client);
    this.events.emit("up");
    return client;
  }

  #relay(client: Redis): void {
    const bare = (name: string): string => stripPrefix(this.#prefix, name);
    const patternPrefix = escapeGlob(this.#prefix);
    client.on("message", (channel: string, text: string) => {
      this.#heardAtMs = performance.now();
      this.events.emit("message", bare(channel), text, undefined);
    });
    client.on("pmessage", (pattern: string, channel: string, text: string) => {
      this.#heardAtMs = performance.now();
      this.events.emit("message", bare(channel), text, stripPrefix(patternPrefix, pattern));
    });
  }

  /** As the server knows them, so many to a command. */
  #chunks(names: readonly string[], kind: Kind): readonly (readonly string[])[] {
    const prefix = kind === "channel" ? this.#prefix : escapeGlob(this.#prefix);
    return chunks(prefix === "" ? names : names.map((name) => prefix + name));
  }

  async #subscribeAll(client: Redis): Promise<void> {
    for (const kind of KINDS) {
      this.#toRemove[kind].clear();
      for (const name of this.#wanted[kind]) this.#toAdd[kind].add(name);
      await this.#send(client, kind);
    }
  }

  #lost(client: Redis, reason: Error | undefined): void {
    if (this.#client !== client) return;
    this.#client = undefined;
    if (this.#closing.signal.aborted) return;
    this.events.emit("down", toFault(new Error("it was closed by the other side"), this.#url, reason));
    this.#reconnectLater();
  }

  #reconnectLater(): void {
    if (this.#reconnecting || this.#closing.signal.aborted) return;
    this.#reconnecting = true;
    void this.#reconnect().finally(() => {
      this.#reconnecting = false;
    });
  }

  async #reconnect(): Promise<void> {
    const limit = this.#options.maxRetryDelayMs ?? 2000;
    const { signal } = this.#closing;
    for (let delay = 50; this.#isWanted() && this.#client === undefined; delay = Math.min(limit, delay * 2)) {
      await sleep(delay * (0.5 + Math.random() / 2), signal, { ref: this.#holds > 0 });
      if (signal.aborted || !this.#isWanted()) return;
      try {
        await this.#ready();
      } catch (error) {
        this.events.emit("down", toFault(error, this.#url));
      }
    }
  }

  #isWanted(): boolean {
    return KINDS.some((kind) => this.#wanted[kind].size > 0);
  }

  /** A peer that is frozen or cut off never closes: an unanswered ping is the only sign. */
  #pingUntilClosed(client: Redis): void {
    if (this.#pingIntervalMs === 0) return;
    let answered = true;
    const timer = setInterval(() => {
      if (!answered) {
        client.stream.destroy();
        return;
      }
      answered = false;
      client.ping().then(
        () => {
          answered = true;
        },
        () => undefined, // closed: `#lost` takes over
      );
    }, this.#pingIntervalMs);
    timer.unref();
    client.once("close", () => clearInterval(timer));
  }
}

function makeSets(): Record<Kind, Set<string>> {
  return { channel: new Set(), pattern: new Set() };
}

function drain(names: Set<string>): readonly string[] {
  const list = [...names];
  names.clear();
  return list;
}

function chunks(names: readonly string[]): readonly (readonly string[])[] {
  const count = Math.ceil(names.length / CHUNK);
  return Array.from({ length: count }, (_, index) => names.slice(index * CHUNK, (index + 1) * CHUNK));
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
