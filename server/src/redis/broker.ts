import { EventEmitter } from "node:events";
import { Redis, type RedisOptions } from "ioredis";
import type { RedisView } from "../protocol/index.ts";
import type { OwnRedis } from "./own.ts";
import { removeTraces, type Traces } from "./remove-traces.ts";
import { EMULATOR_LABEL, type RedisSource } from "./source.ts";
import { withoutPassword } from "./url.ts";

/** How often a Redis that answers is asked again, and how long it may take; a stopped process holds its port open. */
const PULSE_MS = 2_000;
const ANSWER_MS = 2_000;
const RECONNECT_MS = 250;

export interface BrokerEvents {
  changed: [RedisView];
}

/** The server's own connection to the learner's Redis: is it there, is it ours, and make it empty. */
export interface Broker extends AsyncDisposable {
  readonly source: RedisSource;
  /** With the password: for shells and the observer, never for the page or a log. */
  readonly url: string;
  readonly view: RedisView;
  readonly events: EventEmitter<BrokerEvents>;
  /**
   * Resolves when Redis answers and is the one it should be.
   *
   * @throws the signal's reason.
   */
  whenUp(signal: AbortSignal): Promise<void>;
  /**
   * Makes a lesson start from nothing. Our own Redis is flushed; of an external one only what the playground's
   * own tasks left is removed. Does nothing while Redis is down.
   */
  clear(traces: Traces): Promise<void>;
}

/** Opens the connection and keeps it; returns at once, whether or not Redis is there yet. */
export function openBroker(source: RedisSource, own: OwnRedis | undefined): Broker {
  return new RedisBroker(source, own);
}

class RedisBroker implements Broker {
  readonly source: RedisSource;
  readonly url: string;
  readonly events: EventEmitter<BrokerEvents> = new EventEmitter<BrokerEvents>();
  private readonly own: OwnRedis | undefined;
  private readonly redis: Redis;
  private readonly pulse: NodeJS.Timeout;
  private current: RedisView;

  constructor(source: RedisSource, own: OwnRedis | undefined) {
    this.source = source;
    this.own = own;
    this.url = own?.url ?? (source.kind === "external" ? source.url : "");
    this.current = {
      kind: source.kind,
      label: labelOf(source),
      url: withoutPassword(this.url),
      up: false,
      error: null,
    };
    this.redis = own === undefined ? new Redis(this.url, OPTIONS) : new Redis(own.port, "127.0.0.1", OPTIONS);
    this.redis.on("error", () => undefined); // "close" follows and says it
    this.redis.on("ready", () => void this.meet());
    this.redis.on("close", () => this.lost());
    this.pulse = setInterval(() => void this.feelPulse(), PULSE_MS);
    this.pulse.unref();
  }

  get view(): RedisView {
    return this.current;
  }

  async whenUp(signal: AbortSignal): Promise<void> {
    while (!this.current.up) {
      signal.throwIfAborted();
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          this.events.off("changed", wake);
          signal.removeEventListener("abort", wake);
          resolve();
        };
        this.events.on("changed", wake);
        signal.addEventListener("abort", wake);
      });
    }
  }

  async clear(traces: Traces): Promise<void> {
    if (!this.current.up) return;
    if (this.own === undefined) await removeTraces(this.redis, traces);
    else await this.redis.flushall();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.pulse);
    this.events.removeAllListeners();
    this.redis.disconnect();
  }

  /** Asked on every new connection, before anything is written: the port may have gone to somebody else. */
  private async meet(): Promise<void> {
    const problem = await this.introduce().catch((error: Error) => error.message);
    if (problem === undefined)
      this.change({ ...this.current, up: true, error: null, label: await this.name() });
    else this.change({ ...this.current, up: false, error: problem });
  }

  private async introduce(): Promise<string | undefined> {
    if (this.own === undefined) {
      await this.redis.ping();
      return undefined;
    }
    const answer = await this.redis.auth(this.own.password).catch((error: Error) => error);
    if (answer === "OK") return undefined;
    return (
      `Another program's Redis answers at port ${this.own.port}, so the playground keeps its hands off. ` +
      "Stop the playground with Ctrl-C and start it again: it then picks another port."
    );
  }

  /** An external Redis tells its version only once it answers. */
  private async name(): Promise<string> {
    if (this.source.kind !== "external") return this.current.label;
    const info = await this.redis.info("server").catch(() => "");
    const valkey = /^valkey_version:(\S+)/m.exec(info);
    const version = valkey ?? /^redis_version:(\S+)/m.exec(info);
    return version === null ? "Redis" : `${valkey ? "Valkey" : "Redis"} ${version[1]}`;
  }

  private async feelPulse(): Promise<void> {
    if (this.redis.status !== "ready") return;
    const answered = await this.redis.ping().then(
      () => true,
      () => false,
    );
    if (!answered) this.change({ ...this.current, up: false, error: this.silence() });
    else if (!this.current.up) await this.meet();
  }

  private lost(): void {
    // Before the first answer nothing was lost: it is still starting.
    if (this.current.up || this.current.error !== null) {
      this.change({ ...this.current, up: false, error: this.silence() });
    }
  }

  private silence(): string {
    return this.own === undefined
      ? `The Redis at ${this.current.url} does not answer. Start it again; workers reconnect by themselves.`
      : "Redis does not answer: it stopped in the broker pane. Press Start Redis; workers reconnect by themselves.";
  }

  private change(view: RedisView): void {
    const same = view.up === this.current.up && view.error === this.current.error;
    this.current = view;
    if (!same) this.events.emit("changed", view);
  }
}

/**
 * No offline queue: a FLUSHALL that waits for a reconnection could reach somebody else. Our own Redis is
 * connected to without a password, and told it by hand, because ioredis accepts a server that wants none.
 */
const OPTIONS = {
  protocol: 2,
  enableOfflineQueue: false,
  enableReadyCheck: false,
  disableClientInfo: true,
  autoResendUnfulfilledCommands: false,
  maxRetriesPerRequest: 0,
  connectTimeout: ANSWER_MS,
  commandTimeout: ANSWER_MS,
  retryStrategy: () => RECONNECT_MS,
} satisfies RedisOptions;

function labelOf(source: RedisSource): string {
  switch (source.kind) {
    case "external":
      return "Redis";
    case "server":
      return `${source.binary.product} ${source.binary.version}`;
    case "emulator":
      return EMULATOR_LABEL;
  }
}
