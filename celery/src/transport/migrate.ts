import { peekMessage } from "../protocol/message-peek.ts";
import { openConnection, type RedisConnection } from "../redis/connection.ts";
import { declarations, ownBinding } from "../redis/destination.ts";
import { migratingKey, PRIORITY_STEPS, queueKey } from "../redis/keys.ts";
import { migrateScript } from "../redis/scripts/migrate.ts";

export interface MigrateOptions {
  /** Queues there, and what they are called here. */
  readonly queues: ReadonlyMap<string, string>;
  /** Only tasks of these names. */
  readonly tasks?: ReadonlySet<string>;
  /** Most messages. */
  readonly limit?: number;
  /** Take the messages away from the source. Without it they are copied, and every task is there twice. */
  readonly move: boolean;
  /** Called for each message that is at its new place. */
  readonly onTask: (task: { readonly name: string; readonly id: string; readonly count: number }) => void;
}

/** Messages that are read at once. */
const CHUNK = 100;

/**
 * Carries waiting messages from one broker to another, the oldest first, byte by byte as they are. What workers hold already, stays
 * where it is. Moved messages are never nowhere: one that an interrupted run had under way is carried by the next, possibly twice.
 *
 * @returns how many.
 * @throws OperationalError when one of the brokers goes away.
 * @see celery 5.7.0 contrib/migrate.py
 */
export async function migrateMessages(
  sourceUrl: string,
  destinationUrl: string,
  options: MigrateOptions,
  signal: AbortSignal,
): Promise<number> {
  await using source = openConnection(sourceUrl, { name: "celery-migrate" });
  await using destination = openConnection(destinationUrl, { name: "celery-migrate" });
  const migration = new Migration(source, destination, options, signal);
  for (const [from, to] of options.queues) {
    for (const { key, member } of declarations(ownBinding(to))) await destination.call("SADD", key, member);
    for (const step of PRIORITY_STEPS) await migration.carryList(queueKey(from, step), queueKey(to, step));
  }
  return migration.count;
}

class Migration {
  count = 0;
  readonly #source: RedisConnection;
  readonly #destination: RedisConnection;
  readonly #options: MigrateOptions;
  readonly #signal: AbortSignal;

  constructor(
    source: RedisConnection,
    destination: RedisConnection,
    options: MigrateOptions,
    signal: AbortSignal,
  ) {
    this.#source = source;
    this.#destination = destination;
    this.#options = options;
    this.#signal = signal;
  }

  async carryList(from: string, to: string): Promise<void> {
    if (this.#options.move) await this.#carryUnderWay(from, to);
    let passed = 0;
    while (!this.#signal.aborted && this.#room() > 0) {
      const chunk = await this.#read(from, passed);
      if (chunk.length === 0) return;
      const wanted = chunk.filter((raw) => this.#isWanted(raw)).slice(0, this.#room());
      const carried = this.#options.move ? await this.#take(from, wanted) : wanted;
      await this.#deliver(from, to, carried);
      // What was taken is not there any more; what was not is passed by.
      passed += this.#options.move ? chunk.length - carried.length : chunk.length;
    }
  }

  #room(): number {
    return (this.#options.limit ?? Number.POSITIVE_INFINITY) - this.count;
  }

  #isWanted(raw: string): boolean {
    const { tasks } = this.#options;
    return tasks === undefined || tasks.has(peekMessage(raw).task ?? "");
  }

  /** Oldest first: they stand at the end of the list. */
  async #read(list: string, passed: number): Promise<readonly string[]> {
    const messages = (await this.#source.call("LRANGE", list, -passed - CHUNK, -passed - 1)) as string[];
    return messages.toReversed();
  }

  async #take(list: string, messages: readonly string[]): Promise<readonly string[]> {
    if (messages.length === 0) return [];
    const taken = (await this.#source.run(migrateScript, [list, migratingKey(list)], messages)) as number[];
    return taken.map((number) => messages[number - 1] as string);
  }

  async #deliver(from: string, to: string, messages: readonly string[]): Promise<void> {
    if (messages.length === 0) return;
    await this.#destination.call("LPUSH", to, ...messages);
    if (this.#options.move)
      await this.#source.pipeline(messages.map((raw) => ["lrem", migratingKey(from), -1, raw] as const));
    for (const raw of messages) {
      const { task = "?", id = "?" } = peekMessage(raw);
      this.count += 1;
      this.#options.onTask({ name: task, id, count: this.count });
    }
  }

  /** What a run that was interrupted had taken out already. */
  async #carryUnderWay(from: string, to: string): Promise<void> {
    const left = (await this.#source.call("LRANGE", migratingKey(from), 0, -1)) as string[];
    await this.#deliver(from, to, left.toReversed());
  }
}
