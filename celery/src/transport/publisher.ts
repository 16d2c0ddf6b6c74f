import { randomUUID } from "node:crypto";
import { OperationalError } from "../protocol/errors.ts";
import type { RedisConnection } from "../redis/connection.ts";
import { RedisFault } from "../redis/fault.ts";
import { bindingKey, bindingMember, laneKey, priorityStep, queueKey } from "../redis/keys.ts";
import { publishScript } from "../redis/scripts/publish.ts";
import { sleep } from "../runtime/sleep.ts";
import type { OutgoingMessage, RetryPolicy } from "./transport.ts";

interface Waiting {
  readonly message: OutgoingMessage;
  readonly policy: RetryPolicy;
  resolve(): void;
  reject(error: Error): void;
}

/** Messages in one script call: enough to make the trip cheap, few enough not to hold Redis up. */
const BATCH = 500;

/** Refusals that pass by themselves. Others (out of memory, wrong type) are the caller's to know at once. */
const PASSING: ReadonlySet<string> = new Set([
  "LOADING",
  "BUSY",
  "READONLY",
  "MASTERDOWN",
  "TRYAGAIN",
  "CLUSTERDOWN",
]);

export const NO_RETRY: RetryPolicy = { maxRetries: 0, intervalStart: 0, intervalStep: 0, intervalMax: 0 };

/**
 * Pushes messages: what is published in one turn of the event loop, or while a batch is under way, goes out as one
 * call. A batch whose answer was lost is said again under its number, and Redis knows whether it had it.
 */
export class Publisher {
  readonly #redis: RedisConnection;
  readonly #lane = laneKey(randomUUID(), "publish");
  readonly #waiting: Waiting[] = [];
  readonly #closing = new AbortController();
  readonly #declared = new Set<string>();
  #declaredOn = 0;
  #number = 0;
  #draining = false;

  constructor(redis: RedisConnection) {
    this.#redis = redis;
  }

  publish(message: OutgoingMessage, policy: RetryPolicy): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ message, policy, resolve, reject });
      if (this.#draining) return;
      this.#draining = true;
      setImmediate(() => void this.#drain());
    });
  }

  /** Ends the retries; what is under way is still answered. */
  async close(): Promise<void> {
    this.#closing.abort();
    if (this.#number > 0 && this.#redis.generation > 0) {
      await this.#redis.call("DEL", this.#lane).catch(() => undefined); // it expires anyway
    }
  }

  async #drain(): Promise<void> {
    while (this.#waiting.length > 0) {
      const policy = this.#waiting[0]?.policy ?? NO_RETRY;
      const end = this.#waiting.slice(0, BATCH).findIndex((item) => !samePolicy(item.policy, policy));
      await this.#deliver(this.#waiting.splice(0, end === -1 ? BATCH : end), policy);
    }
    this.#draining = false;
  }

  async #deliver(batch: readonly Waiting[], policy: RetryPolicy): Promise<void> {
    this.#number += 1;
    for (let attempt = 0; ; attempt += 1) {
      try {
        settle(batch, await this.#push(batch));
        return;
      } catch (error) {
        const isLast = attempt >= (policy.maxRetries ?? Number.POSITIVE_INFINITY);
        if (isLast || !isPassing(error) || this.#closing.signal.aborted) {
          for (const item of batch) item.reject(describe(error, item.message, attempt + 1));
          return;
        }
      }
      const seconds = Math.min(policy.intervalMax, policy.intervalStart + attempt * policy.intervalStep);
      await sleep(seconds * 1000, this.#closing.signal);
    }
  }

  #push(batch: readonly Waiting[]): Promise<unknown> {
    const pushes = batch.flatMap(({ message }) => [
      "push",
      queueKey(message.queue, priorityStep(message.priority)),
      message.raw,
    ]);
    return this.#redis.run(publishScript, [this.#lane], [this.#number, ...this.#bindings(batch), ...pushes]);
  }

  /** Once per connection, as kombu does: another client's purge may have removed them meanwhile. */
  #bindings(batch: readonly Waiting[]): readonly string[] {
    if (this.#declaredOn !== this.#redis.generation) this.#declared.clear();
    this.#declaredOn = this.#redis.generation;
    const queues = new Set(batch.map(({ message }) => message.queue));
    const fresh = [...queues].filter((queue) => !this.#declared.has(queue));
    for (const queue of fresh) this.#declared.add(queue);
    return fresh.flatMap((queue) => ["bind", bindingKey(queue), bindingMember(queue, queue)]);
  }
}

function samePolicy(a: RetryPolicy, b: RetryPolicy): boolean {
  return (
    a === b ||
    (a.maxRetries === b.maxRetries &&
      a.intervalStart === b.intervalStart &&
      a.intervalStep === b.intervalStep &&
      a.intervalMax === b.intervalMax)
  );
}

function settle(batch: readonly Waiting[], reply: unknown): void {
  const [outcomes, ...errors] = reply as readonly [string, ...(string | number)[]];
  for (const [index, item] of batch.entries()) {
    if (outcomes[index] !== "e") {
      item.resolve();
      continue;
    }
    const at = errors.indexOf(index);
    item.reject(refused(item.message, at === -1 ? "the push was refused" : String(errors[at + 1])));
  }
}

function isPassing(error: unknown): boolean {
  return error instanceof RedisFault && (error.kind !== "refused" || PASSING.has(error.replyCode));
}

function describe(error: unknown, message: OutgoingMessage, tries: number): Error {
  if (!(error instanceof RedisFault)) return error as Error;
  if (error.kind === "refused") return refused(message, error.message, error);
  const doubt = error.kind === "lost" ? " It is not known whether Redis has the message." : "";
  const times = tries === 1 ? "" : ` after ${tries} tries`;
  return new OperationalError(
    `Could not send to queue "${message.queue}"${times}: ${error.message}${doubt}`,
    { cause: error },
  );
}

function refused(message: OutgoingMessage, reason: string, cause?: unknown): OperationalError {
  return new OperationalError(
    `Redis refused the message for queue "${message.queue}": ${reason}`,
    cause === undefined ? undefined : { cause },
  );
}
