import type { RedisConnection } from "../redis/connection.ts";
import { RedisFault } from "../redis/fault.ts";
import type { RedisSubscriber } from "../redis/subscriber.ts";

/** With more patterns on the server another one costs more than it saves: Redis tries each with every message that anybody publishes. */
const MOST_PATTERNS = 50;
/** How long it listens on after the last one who waited. */
const KEEP_MS = 60_000;
/** How long it does without after it was of no use. */
const REST_MS = 60_000;

export interface OwnResultsDeps {
  /** What the keys of this app's own results begin with, and hardly any others. `undefined`: it has none. */
  readonly prefix: string | undefined;
  readonly commands: RedisConnection;
  readonly subscriber: RedisSubscriber;
  /** Whether anybody waits for a result. */
  readonly isNeeded: () => boolean;
  /** From now on, every own result is heard. */
  readonly onListening: () => void;
  /** Own results may be missed from now on. */
  readonly onDeaf: () => void;
  readonly nowMs: () => number;
}

/**
 * One subscription for all results of this app's own tasks, by their ids' common beginning: instead of a SUBSCRIBE, a GET and an
 * UNSUBSCRIBE for each `get`. There from the first who waits until a minute after the last.
 */
export class OwnResults {
  readonly #deps: OwnResultsDeps;
  readonly #pattern: string;
  #isWanted = false;
  #isOn = false;
  #starting: Promise<boolean> | undefined;
  #restsUntilMs = Number.NEGATIVE_INFINITY;
  #neededAtMs = 0;
  #idle: NodeJS.Timeout | undefined;

  constructor(deps: OwnResultsDeps) {
    this.#deps = deps;
    this.#pattern = `${deps.prefix}*`;
  }

  /** Whether everything that is stored under this key is heard. */
  hears(key: string): boolean {
    return this.#isOn && this.#owns(key);
  }

  /**
   * Listens, if this is the key of an own result.
   *
   * @returns whether such keys are left to the pattern; if there is no connection now, from the next one on.
   * @throws RedisFault when there is no connection now.
   */
  async listenFor(key: string): Promise<boolean> {
    if (!this.#owns(key) || this.#deps.nowMs() < this.#restsUntilMs) return false;
    if (this.#isOn) return true;
    this.#starting ??= this.#start().finally(() => {
      this.#starting = undefined;
      this.unneeded();
    });
    return this.#starting;
  }

  /** The last one who waited has gone. */
  unneeded(): void {
    if (!this.#isWanted || this.#starting !== undefined || this.#deps.isNeeded()) return;
    // Nobody waits for the connection to come back.
    if (!this.#isOn) return this.stop();
    this.#neededAtMs = this.#deps.nowMs();
    this.#idle ??= this.#lookAfter(KEEP_MS);
  }

  /** Connected, and everything subscribed. */
  onUp(): void {
    if (this.#starting === undefined) this.#on();
  }

  onDown(): void {
    this.#off();
  }

  /** New ones who wait do without it for a while. Those who wait already rely on it until `stop`. */
  rest(): void {
    this.#restsUntilMs = this.#deps.nowMs() + REST_MS;
    this.#off();
  }

  stop(): void {
    clearTimeout(this.#idle);
    this.#idle = undefined;
    if (!this.#isWanted) return;
    this.#isWanted = false;
    this.#off();
    this.#deps.subscriber.unsubscribePattern(this.#pattern);
  }

  async #start(): Promise<boolean> {
    const { subscriber } = this.#deps;
    // Those who wait already rely on it.
    if (!this.#isWanted) return this.#begin();
    await subscriber.subscribePattern(this.#pattern);
    if (subscriber.isUp) this.#on();
    return true;
  }

  async #begin(): Promise<boolean> {
    const { commands, subscriber } = this.#deps;
    this.#isWanted = true;
    try {
      const asked = commands.call("PUBSUB", "NUMPAT").catch(() => 0);
      await subscriber.subscribePattern(this.#pattern);
      if (Number(await asked) <= MOST_PATTERNS) {
        if (subscriber.isUp) this.#on();
        return true;
      }
    } catch (error) {
      // An access list may allow the channels and not the pattern.
      if (!(error instanceof RedisFault && error.kind === "refused")) throw error;
    }
    this.rest();
    this.stop();
    return false;
  }

  #on(): void {
    if (this.#isOn || !this.#isWanted || this.#deps.nowMs() < this.#restsUntilMs) return;
    this.#isOn = true;
    this.#deps.onListening();
  }

  #off(): void {
    if (!this.#isOn) return;
    this.#isOn = false;
    this.#deps.onDeaf();
  }

  #owns(key: string): boolean {
    const { prefix } = this.#deps;
    return prefix !== undefined && key.startsWith(prefix);
  }

  #lookAfter(ms: number): NodeJS.Timeout {
    return setTimeout(() => this.#look(), ms).unref();
  }

  /** One timer for many waits: it looks how long ago the last one was. */
  #look(): void {
    this.#idle = undefined;
    if (this.#deps.isNeeded()) return;
    const left = this.#neededAtMs + KEEP_MS - this.#deps.nowMs();
    if (left > 0) this.#idle = this.#lookAfter(left);
    else this.stop();
  }
}
