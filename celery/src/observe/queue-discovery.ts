import type { RedisConnection } from "../redis/connection.ts";
import { bindingKey, SEPARATOR } from "../redis/keys.ts";

/** Keys looked at in one step. */
const STEP = 1000;
/** Exchanges that carry no tasks. */
const NO_TASKS = /\.pidbox$|^celeryev/;

/**
 * Finds out which queues there are. Celery keeps no list of them, only a binding key per exchange; one step of a SCAN at a time
 * finds those without ever holding up a server with millions of keys.
 */
export class QueueDiscovery {
  readonly #redis: RedisConnection;
  readonly #seen = new Map<string, number>();
  #cursor = "0";
  #round = 0;

  constructor(redis: RedisConnection) {
    this.#redis = redis;
  }

  get queues(): readonly string[] {
    return [...this.#seen.keys()].sort();
  }

  /** Somebody spoke of this queue. */
  add(queue: string): void {
    this.#seen.set(queue, this.#round);
  }

  async step(): Promise<void> {
    const reply = await this.#redis.call("SCAN", this.#cursor, "MATCH", bindingKey("*"), "COUNT", STEP);
    const [cursor, keys] = reply as [string, string[]];
    const exchanges = keys
      .map((key) => key.slice(bindingKey("").length))
      .filter((name) => !NO_TASKS.test(name));
    const members = await this.#redis.pipeline(exchanges.map((name) => ["smembers", bindingKey(name)]));
    for (const member of members.flat() as string[]) this.add(member.split(SEPARATOR)[2] ?? "");
    this.#cursor = cursor;
    if (cursor === "0") this.#endRound();
  }

  /** What was not seen for two whole rounds is gone: the database was emptied. */
  #endRound(): void {
    for (const [queue, round] of this.#seen) if (round < this.#round - 1) this.#seen.delete(queue);
    this.#round += 1;
  }
}
