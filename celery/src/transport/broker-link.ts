import { EventEmitter } from "node:events";
import { OperationalError } from "../protocol/errors.ts";
import type { RedisConnection } from "../redis/connection.ts";
import { RedisFault } from "../redis/fault.ts";
import { type Deferred, makeDeferred } from "../runtime/deferred.ts";
import { abortable, sleep } from "../runtime/sleep.ts";
import { ServerClock } from "./server-clock.ts";

export interface LinkEvents {
  disconnected: [error: Error];
  reconnecting: [delaySeconds: number, attempt: number, error: Error];
  connected: [];
}

/** Seconds before each attempt to reconnect; the last one repeats. Short: a worker is to be back within 3 s of Redis. */
const DELAYS: readonly number[] = [0.2, 0.5, 1, 2];

/** Refusals that mean "not now": as good as no connection. */
const NOT_NOW: ReadonlySet<string> = new Set(["LOADING", "MASTERDOWN", "READONLY", "BUSY", "TRYAGAIN"]);

/**
 * A consumer's line to the broker. While it is down, what was asked of it waits and is said again afterwards; so
 * everything run over it must be repeatable.
 */
export class BrokerLink {
  readonly events: EventEmitter<LinkEvents> = new EventEmitter();
  readonly connection: RedisConnection;
  /** Read with every connection made. */
  readonly clock: ServerClock = new ServerClock();
  readonly #closing = new AbortController();
  #up: Deferred<void> | undefined;

  constructor(connection: RedisConnection) {
    this.connection = connection;
    this.#up = makeDeferred();
    setImmediate(() => void this.#reconnect(undefined));
  }

  get isUp(): boolean {
    return this.#up === undefined;
  }

  /** Settles when the line is up. @throws `signal.reason` */
  async untilUp(signal: AbortSignal): Promise<void> {
    if (this.#up !== undefined) await abortable(this.#up.promise, signal);
  }

  /**
   * Does `work` as often as it takes.
   *
   * @throws RedisFault when Redis refuses; OperationalError once the link is closed.
   */
  async run<T>(work: (redis: RedisConnection) => Promise<T>): Promise<T> {
    for (;;) {
      if (this.#closing.signal.aborted) throw this.#closing.signal.reason;
      if (this.#up) await this.#up.promise;
      try {
        return await work(this.connection);
      } catch (error) {
        this.report(error);
      }
    }
  }

  /** Takes note of a failure. @throws what does not mean that the line is down. */
  report(error: unknown): void {
    if (!isDown(error)) throw error;
    if (this.#up !== undefined) return;
    this.#up = makeDeferred();
    this.events.emit("disconnected", error);
    void this.#reconnect(error);
  }

  close(): void {
    const reason = new OperationalError("The connection to the broker was closed.");
    this.#closing.abort(reason);
    this.#up?.promise.catch(() => undefined); // nobody may be waiting
    this.#up?.reject(reason);
    this.#up = undefined;
  }

  async #reconnect(first: Error | undefined): Promise<void> {
    const { signal } = this.#closing;
    let error = first;
    for (let attempt = 0; !signal.aborted; attempt += 1) {
      if (error !== undefined) {
        const delay = DELAYS[Math.min(attempt, DELAYS.length - 1)] ?? 2;
        this.events.emit("reconnecting", delay, attempt + 1, error);
        await sleep(delay * 1000, signal);
      }
      error = await this.#tryConnect();
      if (error !== undefined || signal.aborted) continue;
      this.#up?.resolve();
      this.#up = undefined;
      this.events.emit("connected");
      return;
    }
  }

  async #tryConnect(): Promise<Error | undefined> {
    try {
      const [seconds, micros] = (await this.connection.call("TIME")) as readonly [string, string];
      this.clock.set(Number(seconds) * 1000 + Number(micros) / 1000);
      return undefined;
    } catch (error) {
      return error as Error;
    }
  }
}

function isDown(error: unknown): error is RedisFault {
  return error instanceof RedisFault && (error.kind !== "refused" || NOT_NOW.has(error.replyCode));
}
