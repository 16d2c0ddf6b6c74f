import { EventEmitter } from "node:events";
import { type ClientOptions, connectClient } from "./client.ts";
import { type RedisFault, toFault } from "./fault.ts";
import type { RedisClient as Redis } from "./ioredis.ts";
import { prefixArguments, stripReply } from "./key-prefix.ts";
import { type Script, type ScriptPrefixes, type ScriptVariant, scriptVariant } from "./script.ts";
import { openServers, type Servers } from "./servers.ts";
import { parseRedisUrl } from "./url.ts";

export type RedisArgument = string | number;
/** Of a script: bytes are sent as they are. */
export type Argument = RedisArgument | Buffer;
export type RedisCommand = readonly [command: string, ...args: RedisArgument[]];

export interface ConnectionOptions extends ClientOptions {
  /** Silence after which a connection with unanswered commands counts as broken. Default: the URL's `socket_timeout`, else 5000. */
  readonly replyTimeoutMs?: number;
  /** The result store's URL, where scripts run over this connection write results. */
  readonly resultsUrl?: string | undefined;
}

export interface ConnectionEvents {
  /** The TCP connection ended, by whichever side. */
  closed: [];
}

/**
 * One connection to Redis, opened on first use and replaced, never repaired: what was sent on a connection that
 * broke is rejected as `lost`, and the caller decides whether to say it again. Nothing is resent behind
 * its back, nothing waits for ever, and while nothing is unanswered the socket does not keep the process alive.
 *
 * The URL's key prefix is put before keys on the way and taken off what comes back: callers never see it.
 *
 * RESP2 on purpose: one reply shape on Redis 6.2 to 8, Valkey, the emulator and proxies.
 *
 * Every method rejects with a `RedisFault`.
 */
export interface RedisConnection extends AsyncDisposable {
  readonly url: string;
  /** Counts the connections made so far: a change means that the one before is gone. */
  readonly generation: number;
  readonly events: EventEmitter<ConnectionEvents>;
  /** Connects now rather than with the first command. */
  connect(): Promise<void>;
  call(command: string, ...args: readonly RedisArgument[]): Promise<unknown>;
  /** What `say` sends leaves as one write, which costs far less than several; one that connects first sends it afterwards. */
  together<T>(say: () => T): T;
  /** Sends all at once; rejects with the first error, after all are answered. */
  pipeline(commands: readonly RedisCommand[]): Promise<readonly unknown[]>;
  /** EVALSHA, or EVAL where the server does not have the script yet. */
  run(script: Script, keys: readonly string[], args: readonly Argument[]): Promise<unknown>;
  /** Cuts the connection now; what is unanswered is rejected as `lost`. */
  drop(): void;
}

/** Opens nothing yet. @throws ImproperlyConfigured for a URL that is none. */
export function openConnection(url: string, options: ConnectionOptions = {}): RedisConnection {
  return new LazyConnection(url, options);
}

class LazyConnection implements RedisConnection {
  readonly url: string;
  readonly events = new EventEmitter<ConnectionEvents>();
  generation = 0;
  readonly #options: ConnectionOptions;
  readonly #servers: Servers;
  readonly #prefix: string;
  readonly #scriptPrefixes: ScriptPrefixes;
  readonly #replyTimeoutMs: number;
  readonly #variants = new Map<Script, ScriptVariant>();
  #client: Redis | undefined;
  #lastError: Error | undefined;
  #connecting: Promise<Redis> | undefined;
  #pending = 0;
  #lastProgressMs = 0;
  #watchdog: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(url: string, options: ConnectionOptions) {
    this.url = url;
    const { options: said } = parseRedisUrl(url);
    this.#servers = openServers(url);
    this.#prefix = said.keyPrefix;
    const results =
      options.resultsUrl === undefined ? "" : parseRedisUrl(options.resultsUrl).options.keyPrefix;
    this.#scriptPrefixes = { keys: said.keyPrefix, results };
    this.#options = options;
    this.#replyTimeoutMs = options.replyTimeoutMs ?? said.replyTimeoutMs ?? 5000;
  }

  async connect(): Promise<void> {
    await this.#track(async () => {});
  }

  call(command: string, ...args: readonly RedisArgument[]): Promise<unknown> {
    return this.#track((client) => this.#send(client, command, args));
  }

  together<T>(say: () => T): T {
    const stream = this.#live()?.stream;
    stream?.cork();
    try {
      return say();
    } finally {
      stream?.uncork();
    }
  }

  pipeline(commands: readonly RedisCommand[]): Promise<readonly unknown[]> {
    return this.#track(async (client) => {
      const calls = this.together(() => commands.map(([name, ...args]) => this.#send(client, name, args)));
      const replies = await Promise.allSettled(calls);
      return replies.map((reply) => {
        if (reply.status === "rejected") throw reply.reason;
        return reply.value;
      });
    });
  }

  run(script: Script, keys: readonly string[], args: readonly Argument[]): Promise<unknown> {
    const named = this.#prefix === "" ? keys : keys.map((key) => this.#prefix + key);
    return this.#track((client) => this.#evaluate(client, script, [keys.length, ...named, ...args]));
  }

  drop(): void {
    const client = this.#client;
    this.#forget();
    client?.stream.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    this.#stopWatching();
    // A connection that fails while we close leaves nothing to close; whoever waits for it is told by its own promise.
    const client = this.#client ?? (await this.#connecting?.catch(() => undefined));
    this.#forget();
    client?.disconnect();
    client?.stream.destroy();
  }

  async #send(client: Redis, command: string, args: readonly RedisArgument[]): Promise<unknown> {
    const texts = args.map(String);
    if (this.#prefix === "") return client.call(command, ...texts);
    const reply = await client.call(command, ...prefixArguments(this.#prefix, command, texts));
    return stripReply(this.#prefix, command, reply);
  }

  /** Counts what is unanswered, which decides whether the socket holds the process and the watchdog barks. */
  async #track<T>(work: (client: Redis) => Promise<T>): Promise<T> {
    this.#begin();
    try {
      // Connected: the command leaves now, not after whatever else the caller does in this turn.
      const client = this.#live() ?? (await this.#ready());
      return await work(client);
    } catch (error) {
      if (error instanceof TypeError) throw error; // a bug of ours, not the network's
      const fault = toFault(error, this.url, this.#lastError);
      // The server has become a replica: another one is the master now, and the next connection looks for it.
      if (fault.replyCode === "READONLY" && this.#servers.isMany) this.drop();
      throw fault;
    } finally {
      this.#end();
    }
  }

  #begin(): void {
    this.#pending += 1;
    if (this.#pending > 1) return;
    this.#lastProgressMs = performance.now();
    this.#client?.stream.ref();
    this.#watchdog ??= setInterval(() => this.#watch(), this.#replyTimeoutMs / 4).unref();
  }

  #end(): void {
    this.#pending -= 1;
    this.#lastProgressMs = performance.now();
    if (this.#pending > 0) return;
    this.#client?.stream.unref();
  }

  /**
   * A peer that is frozen or cut off never closes: silence is the only sign. After a task that kept this thread busy, what has arrived
   * meanwhile is read first: it was us who were silent.
   */
  #watch(): void {
    // Stopped here and not with each answer: one who says one command after the other has one timer, not one for each.
    if (this.#pending === 0) return this.#stopWatching();
    if (this.#isAnswering()) return;
    setImmediate(() => {
      if (this.#pending === 0 || this.#isAnswering()) return;
      this.#lastError = new Error(`no answer for ${this.#replyTimeoutMs / 1000} seconds`);
      this.#client?.stream.destroy();
    });
  }

  #stopWatching(): void {
    clearInterval(this.#watchdog);
    this.#watchdog = undefined;
  }

  #isAnswering(): boolean {
    return performance.now() - this.#lastProgressMs < this.#replyTimeoutMs;
  }

  #live(): Redis | undefined {
    return !this.#closed && this.#client?.status === "ready" ? this.#client : undefined;
  }

  async #ready(): Promise<Redis> {
    if (this.#closed) throw new Error("it was closed on our side");
    this.#connecting ??= this.#open().finally(() => {
      this.#connecting = undefined;
    });
    return this.#connecting;
  }

  async #open(): Promise<Redis> {
    const client = await connectClient(this.#servers, this.#options);
    client.on("error", (error: Error) => {
      this.#lastError = error;
    });
    client.once("close", () => {
      if (this.#client === client) this.#forget();
      this.events.emit("closed");
    });
    this.#lastError = undefined;
    this.generation += 1;
    this.#client = client;
    return client;
  }

  #forget(): void {
    this.#client = undefined;
    this.#variants.clear();
  }

  /** EVALSHA, then EVAL, then EVAL without the flag line: each only when the one before says that it must be. */
  async #evaluate(client: Redis, script: Script, args: readonly Argument[]): Promise<unknown> {
    const variant = this.#variants.get(script) ?? this.#choose(script, true);
    const texts = args.map((arg) => (typeof arg === "number" ? String(arg) : arg));
    try {
      return await client.call("EVALSHA", variant.sha, ...texts);
    } catch (error) {
      const fault = toFault(error, this.url);
      // The emulator keeps a script that it could not compile, and complains of it here.
      if (isFlagLineRefused(fault, variant)) return this.#evaluateUnflagged(client, script, texts);
      if (fault.replyCode !== "NOSCRIPT") throw error;
    }
    try {
      return await client.call("EVAL", variant.text, ...texts);
    } catch (error) {
      if (!isFlagLineRefused(toFault(error, this.url), variant)) throw error;
      return this.#evaluateUnflagged(client, script, texts);
    }
  }

  #evaluateUnflagged(client: Redis, script: Script, texts: readonly (string | Buffer)[]): Promise<unknown> {
    return client.call("EVAL", this.#choose(script, false).text, ...texts);
  }

  #choose(script: Script, withFlags: boolean): ScriptVariant {
    const variant = scriptVariant(script, withFlags, this.#scriptPrefixes);
    this.#variants.set(script, variant);
    return variant;
  }
}

/** Redis before 7 and the emulator take the flag line for Lua. */
function isFlagLineRefused(fault: RedisFault, variant: ScriptVariant): boolean {
  return variant.text.startsWith("#!") && fault.message.includes("unexpected symbol near '#'");
}
