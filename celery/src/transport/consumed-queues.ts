import type { RedisConnection } from "../redis/connection.ts";
import { RedisFault } from "../redis/fault.ts";
import { BroadcastIntake, type BroadcastIntakeDeps } from "./broadcast-intake.ts";
import { type Binding, declarations, ownBinding } from "./destination.ts";

/** The queues of one consumer, and the lists that they are in Redis. */
export class ConsumedQueues {
  readonly #deps: BroadcastIntakeDeps;
  readonly #intake: BroadcastIntake;
  readonly #bindings = new Map<string, Binding>();

  constructor(queues: readonly (string | Binding)[], deps: BroadcastIntakeDeps) {
    this.#deps = deps;
    this.#intake = new BroadcastIntake(deps);
    for (const queue of queues) this.add(queue);
  }

  get names(): readonly string[] {
    return [...this.#bindings.keys()];
  }

  get lists(): readonly string[] {
    return [...this.#bindings.values()].map((binding) => this.#listOf(binding));
  }

  /** @returns the list to take from. */
  add(queue: string | Binding): string {
    const binding = typeof queue === "string" ? ownBinding(queue) : queue;
    this.#bindings.set(binding.queue, binding);
    if (binding.type === "fanout") this.#intake.listen(binding);
    return this.#listOf(binding);
  }

  /** @returns the list that is left. */
  remove(queue: string): string {
    const binding = this.#bindings.get(queue) ?? ownBinding(queue);
    this.#bindings.delete(queue);
    if (binding.type === "fanout") this.#intake.stopListening(binding);
    return this.#listOf(binding);
  }

  /** As kombu does: senders that use exchanges find the queues here. @throws RedisFault, but for a refusal. */
  async declare(redis: RedisConnection): Promise<void> {
    const commands = [...this.#bindings.values()]
      .flatMap(declarations)
      .map(({ key, member }) => ["SADD", key, member] as const);
    if (commands.length === 0) return;
    try {
      await redis.pipeline(commands);
    } catch (error) {
      if (!(error instanceof RedisFault) || error.kind !== "refused") throw error;
      this.#deps.log.warn({ err: error }, "could not declare the queues' bindings"); // only senders by exchange miss them
    }
  }

  close(): Promise<void> {
    return this.#intake.close();
  }

  #listOf(binding: Binding): string {
    return binding.type === "fanout" ? this.#intake.listOf(binding) : binding.queue;
  }
}
