import { randomUUID } from "node:crypto";
import { OperationalError } from "../protocol/errors.ts";
import type { RedisArgument, RedisConnection } from "../redis/connection.ts";
import { RedisFault } from "../redis/fault.ts";
import { laneKey } from "../redis/keys.ts";
import { publishScript } from "../redis/scripts/publish.ts";
import { sleep } from "../runtime/sleep.ts";
import { bindingsOf, type ChannelNames, declarations, deliveryArguments, listOf } from "./destination.ts";
import type { OutgoingMessage, RetryPolicy } from "./transport.ts";

/** Messages in one script call: enough to make the trip cheap, few enough not to hold Redis up. */
const BATCH = 500;

/** What goes out as one call. All who wait for it wait for one promise, and then ask for their own message's fate. */
class Batch {
  readonly policy: RetryPolicy;
  readonly messages: OutgoingMessage[] = [];
  /** Settles when all are answered for; never rejects. */
  readonly answered: Promise<void>;
  answer!: () => void;
  #failures: Map<number, Error> | undefined;

  constructor(policy: RetryPolicy) {
    this.policy = policy;
    this.answered = new Promise((resolve) => {
      this.answer = resolve;
    });
  }

  takes(policy: RetryPolicy): boolean {
    return this.messages.length < BATCH && samePolicy(this.policy, policy);
  }

  fail(index: number, error: Error): void {
    this.#failures ??= new Map();
    this.#failures.set(index, error);
  }

  failureOf(index: number): Error | undefined {
    return this.#failures?.get(index);
  }
}

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
  #declaredOn = 0;
  #number = 0;
  #draining = false;

  constructor(redis: RedisConnection, channels: ChannelNames) {
    this.#redis = redis;
    this.#channels = channels;
  }

  async publish(message: OutgoingMessage, policy: RetryPolicy): Promise<void> {
    const batch = this.#batchFor(policy);
    const index = batch.messages.push(message) - 1;
    if (!this.#draining) void this.#drain();
    await batch.answered;
    const failure = batch.failureOf(index);
    if (failure !== undefined) throw failure;
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
    if (last?.takes(policy)) return last;
    const batch = new Batch(policy);
    this.#waiting.push(batch);
    return batch;
  }

  async #drain(): Promise<void> {
    this.#draining = true;
    for (let batch = this.#waiting.shift(); batch !== undefined; batch = this.#waiting.shift()) {
      await this.#deliver(batch);
      batch.answer();
    }
    this.#draining = false;
  }

  async #deliver(batch: Batch): Promise<void> {
    const { policy, messages } = batch;
    this.#number += 1;
    for (let attempt = 0; ; attempt += 1) {
      try {
        settle(batch, await this.#push(messages));
        return;
      } catch (error) {
        this.#forgetDeclared();
        const isLast = attempt >= (policy.maxRetries ?? Number.POSITIVE_INFINITY);
        if (isLast || !isPassing(error) || this.#closing.signal.aborted) {
          messages.forEach((message, index) => batch.fail(index, describe(error, message, attempt + 1)));
          return;
        }
      }
      const seconds = Math.min(policy.intervalMax, policy.intervalStart + attempt * policy.intervalStep);
      await sleep(seconds * 1000, this.#closing.signal);
    }
  }

  #push(messages: readonly OutgoingMessage[]): Promise<unknown> {
    const args: RedisArgument[] = [this.#number];
    this.#declare(messages, args);
    appendMessages(messages, args, this.#channels);
    return this.#redis.run(publishScript, this.#keys, args);
  }

  /** Once per connection, as kombu does: another client's purge may have removed them meanwhile. */
  #declare(messages: readonly OutgoingMessage[], args: RedisArgument[]): void {
    if (this.#declaredOn !== this.#redis.generation) this.#forgetDeclared();
    this.#declaredOn = this.#redis.generation;
    for (const message of messages) {
      if (message.bindings !== undefined && this.#declaredLists.has(message.bindings)) continue;
      for (const { key, member } of bindingsOf(message).flatMap(declarations)) {
        const entry = `${key}\0${member}`;
        if (this.#declared.has(entry)) continue;
        this.#declared.add(entry);
        args.push("bind", key, member);
      }
      if (message.bindings !== undefined) this.#declaredLists.add(message.bindings);
    }
  }

  #forgetDeclared(): void {
    this.#declared = new Set();
    this.#declaredLists = new WeakSet();
  }
}

/** Neighbours for one list travel together: one LPUSH for all of them. */
function appendMessages(
  messages: readonly OutgoingMessage[],
  args: RedisArgument[],
  channels: ChannelNames,
): void {
  let list: string | undefined;
  let countAt = 0;
  for (const message of messages) {
    if (message.via !== undefined) {
      list = undefined;
      args.push(...deliveryArguments(message, channels));
      continue;
    }
    const where = listOf(message);
    if (where === list) {
      args[countAt] = Number(args[countAt]) + 1;
    } else {
      list = where;
      args.push("push", where, 1);
      countAt = args.length - 1;
    }
    args.push(message.raw);
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
  batch.messages.forEach((message, index) => {
    if (outcomes[index] === "d") return;
    const at = errors.indexOf(index);
    batch.fail(index, refused(message, at === -1 ? "the push was refused" : String(errors[at + 1])));
  });
}

function isPassing(error: unknown): boolean {
  return error instanceof RedisFault && (error.kind !== "refused" || PASSING.has(error.replyCode));
}

function describe(error: unknown, message: OutgoingMessage, tries: number): Error {
  if (!(error instanceof RedisFault)) return error as Error;
  if (error.kind === "refused") return refused(message, error.message, error);
  const doubt = error.kind === "lost" ? " It is not known whether Redis has the message." : "";
  const times = tries === 1 ? "" : ` after ${tries} tries`;
  return new OperationalError(`Could not send to ${destination(message)}${times}: ${error.message}${doubt}`, {
    cause: error,
  });
}

function refused(message: OutgoingMessage, reason: string, cause?: unknown): OperationalError {
  const text = reason.startsWith("UNROUTABLE ")
    ? `Not sent: ${reason.slice("UNROUTABLE ".length)}. ${advise(reason)}`
    : `Redis refused the message for ${destination(message)}: ${reason}`;
  return new OperationalError(text, cause === undefined ? undefined : { cause });
}

function advise(reason: string): string {
  if (reason.includes("is a fanout")) {
    return 'Name it: exchangeType: "fanout", or a Broadcast in task_queues.';
  }
  return "Start the worker that consumes it, or put the queue into this app's task_queues.";
}

function destination({ queue, via }: OutgoingMessage): string {
  return via === undefined ? `queue "${queue}"` : `exchange "${via.exchange}" (key "${via.routingKey}")`;
}
