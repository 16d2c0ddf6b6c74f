import { randomUUID } from "node:crypto";
import { OperationalError } from "../protocol/errors.ts";
import type { RedisConnection } from "../redis/connection.ts";
import { RedisFault } from "../redis/fault.ts";
import { laneKey } from "../redis/keys.ts";
import { publishScript } from "../redis/scripts/publish.ts";
import { sleep } from "../runtime/sleep.ts";
import { Batch, ByteQueue, type Target } from "./batch.ts";
import { type ChannelNames, declarations } from "./destination.ts";
import type { OutgoingMessage, RetryPolicy } from "./transport.ts";

/** Refusals that pass by themselves. Others (out of memory, wrong type) are the caller's to know at once. */
const PASSING: ReadonlySet<string> = new Set([
  "LOADING",
  "BUSY",
  "READONLY",
  "MASTERDOWN",
  "TRYAGAIN",
  "CLUSTERDOWN",
]);

/** Buffers kept for the next batches: one fills while another is under way. */
const SPARE_BUFFERS = 2;

export const NO_RETRY: RetryPolicy = { maxRetries: 0, intervalStart: 0, intervalStep: 0, intervalMax: 0 };

/**
 * Pushes messages: the first at once, and what is published while a batch is under way goes out as one call after it. A batch
 * whose answer was lost is said again under its number, and Redis knows whether it had it.
 */
export class Publisher {
  readonly #redis: RedisConnection;
  readonly #channels: ChannelNames;
  readonly #keys = [laneKey(randomUUID(), "publish")];
  readonly #closing = new AbortController();
  #declared = new Set<string>();
  /** Lists of bindings all of which are declared: senders have one list per queue, which saves looking into it. */
  #declaredLists = new WeakSet<object>();
  /** Not under way yet, in their order. */
  readonly #waiting: Batch[] = [];
  readonly #spare: ByteQueue[] = [];
  #declaredOn = 0;
  #number = 0;
  #draining = false;

  constructor(redis: RedisConnection, channels: ChannelNames) {
    this.#redis = redis;
    this.#channels = channels;
  }

  publish(message: OutgoingMessage, policy: RetryPolicy): Promise<void> {
    const batch = this.#batchFor(policy);
    const index = batch.add(message);
    if (!this.#draining) void this.#drain();
    return batch.outcomeOf(index);
  }

  /** Ends the retries; what is under way is still answered. */
  async close(): Promise<void> {
    this.#closing.abort();
    if (this.#number > 0 && this.#redis.generation > 0) {
      await this.#redis.call("DEL", ...this.#keys).catch(() => undefined); // it expires anyway
    }
  }

  #batchFor(policy: RetryPolicy): Batch {
    const last = this.#waiting.at(-1);
    if (last !== undefined && !last.isFull && samePolicy(last.policy, policy)) return last;
    const batch = new Batch(policy, this.#spare.pop() ?? new ByteQueue());
    this.#waiting.push(batch);
    return batch;
  }

  async #drain(): Promise<void> {
    this.#draining = true;
    for (let batch = this.#waiting.shift(); batch !== undefined; batch = this.#waiting.shift()) {
      await this.#deliver(batch);
      batch.answer();
      if (this.#spare.length < SPARE_BUFFERS) this.#spare.push(batch.releaseBytes());
    }
    this.#draining = false;
  }

  async #deliver(batch: Batch): Promise<void> {
    const { policy } = batch;
    this.#number += 1;
    for (let attempt = 0; ; attempt += 1) {
      try {
        settle(batch, await this.#push(batch));
        return;
      } catch (error) {
        this.#forgetDeclared();
        const isLast = attempt >= (policy.maxRetries ?? Number.POSITIVE_INFINITY);
        if (isLast || !isPassing(error) || this.#closing.signal.aborted) {
          batch.failAll((target) => describe(error, target, attempt + 1));
          return;
        }
      }
      const seconds = Math.min(policy.intervalMax, policy.intervalStart + attempt * policy.intervalStep);
      await sleep(seconds * 1000, this.#closing.signal);
    }
  }

  #push(batch: Batch): Promise<unknown> {
    const args = [this.#number, ...this.#declare(batch), ...batch.arguments(this.#channels)];
    return this.#redis.run(publishScript, this.#keys, args);
  }

  /** Once per connection, as kombu does: another client's purge may have removed them meanwhile. */
  #declare(batch: Batch): readonly string[] {
    if (this.#declaredOn !== this.#redis.generation) this.#forgetDeclared();
    this.#declaredOn = this.#redis.generation;
    const args: string[] = [];
    for (const bindings of batch.bindings) {
      if (this.#declaredLists.has(bindings)) continue;
      this.#declaredLists.add(bindings);
      for (const { key, member } of bindings.flatMap(declarations)) {
        const entry = `${key}\0${member}`;
        if (this.#declared.has(entry)) continue;
        this.#declared.add(entry);
        args.push("bind", key, member);
      }
    }
    // Each time: kombu loses messages when the bindings are flushed while a sender is connected.
    for (const binding of new Set(batch.exchangeBindings)) {
      for (const { key, member } of declarations(binding)) args.push("bind", key, member);
    }
    return args;
  }

  #forgetDeclared(): void {
    this.#declared = new Set();
    this.#declaredLists = new WeakSet();
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

function settle(batch: Batch, reply: unknown): void {
  const [outcomes, ...errors] = reply as readonly [string, ...(string | number)[]];
  if (errors.length === 0 && !/[es]/.test(outcomes)) return;
  batch.failAll((target, index) => {
    if (outcomes[index] === "d") return undefined;
    const at = errors.indexOf(index);
    return refused(target, at === -1 ? "the push was refused" : String(errors[at + 1]));
  });
}

function isPassing(error: unknown): boolean {
  return error instanceof RedisFault && (error.kind !== "refused" || PASSING.has(error.replyCode));
}

function describe(error: unknown, target: Target, tries: number): Error {
  if (!(error instanceof RedisFault)) return error as Error;
  if (error.kind === "refused") return refused(target, error.message, error);
  const doubt = error.kind === "lost" ? " It is not known whether Redis has the message." : "";
  const times = tries === 1 ? "" : ` after ${tries} tries`;
  return new OperationalError(`Could not send to ${destination(target)}${times}: ${error.message}${doubt}`, {
    cause: error,
  });
}

function refused(target: Target, reason: string, cause?: unknown): OperationalError {
  const text = reason.startsWith("UNROUTABLE ")
    ? `Not sent: ${reason.slice("UNROUTABLE ".length)}. ${advise(reason)}`
    : `Redis refused the message for ${destination(target)}: ${reason}`;
  return new OperationalError(text, cause === undefined ? undefined : { cause });
}

function advise(reason: string): string {
  if (reason.includes("is a fanout")) {
    return 'Name it: exchangeType: "fanout", or a Broadcast in task_queues.';
  }
  return "Start the worker that consumes it, or put the queue into this app's task_queues.";
}

function destination(target: Target): string {
  if (typeof target === "string") return `queue "${target}"`;
  return `exchange "${target.exchange}" (key "${target.routingKey}")`;
}
