import { randomUUID } from "node:crypto";
import { OperationalError } from "../protocol/errors.ts";
import type { RedisConnection } from "../redis/connection.ts";
import { RedisFault } from "../redis/fault.ts";
import { laneKey } from "../redis/keys.ts";
import { publishScript } from "../redis/scripts/publish.ts";
import { publishOneScript } from "../redis/scripts/publish-one.ts";
import { sleep } from "../runtime/sleep.ts";
import { Batch, ByteQueue, type Target } from "./batch.ts";
import { bindingsOf, type ChannelNames, declarations, listOf } from "./destination.ts";
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
  readonly #lane: string = laneKey(randomUUID(), "publish");
  /** What the lane holds, unless an answer was lost. */
  #laneText = "";
  readonly #closing = new AbortController();
  #declared = new Set<string>();
  /** Lists of bindings all of which are declared: senders have one list per queue, which saves looking into it. */
  #declaredLists = new WeakSet<object>();
  /** Not under way yet, in their order. */
  readonly #waiting: Batch[] = [];
  readonly #spare: ByteQueue[] = [];
  #declaredOn = 0;
  #number = 0;
  #isBusy = false;

  constructor(redis: RedisConnection, channels: ChannelNames) {
    this.#redis = redis;
    this.#channels = channels;
  }

  publish(message: OutgoingMessage, policy: RetryPolicy): Promise<void> {
    if (!this.#isBusy && message.via === undefined && this.#isDeclared(message)) {
      return this.#publishOne(message, policy);
    }
    const batch = this.#batchFor(policy);
    const index = batch.add(message);
    if (!this.#isBusy) void this.#drain();
    return batch.outcomeOf(index);
  }

  /** Ends the retries; what is under way is still answered. */
  async close(): Promise<void> {
    this.#closing.abort();
    if (this.#number > 0 && this.#redis.generation > 0) {
      await this.#redis.call("DEL", this.#lane).catch(() => undefined); // it expires anyway
    }
  }

  /** The usual message of who waits for each: it needs no batch. */
  async #publishOne(message: OutgoingMessage, policy: RetryPolicy): Promise<void> {
    this.#isBusy = true;
    this.#number += 1;
    let batch: Batch | undefined;
    try {
      const text = `${this.#number}:d`;
      const keys = [this.#lane, listOf(message)];
      const outcome = await this.#redis.run(publishOneScript, keys, [text, this.#laneText, message.raw]);
      if (outcome !== "d") throw refused(message.queue, REFUSED);
      this.#laneText = text;
    } catch (error) {
      batch = new Batch(policy, new ByteQueue());
      batch.add(message);
      await this.#deliver(batch, error);
      batch.answer();
    }
    if (this.#waiting.length > 0) void this.#drain();
    else this.#isBusy = false;
    await batch?.outcomeOf(0);
  }

  #batchFor(policy: RetryPolicy): Batch {
    const last = this.#waiting.at(-1);
    if (last !== undefined && !last.isFull && samePolicy(last.policy, policy)) return last;
    const batch = new Batch(policy, this.#spare.pop() ?? new ByteQueue());
    this.#waiting.push(batch);
    return batch;
  }

  async #drain(): Promise<void> {
    this.#isBusy = true;
    for (let batch = this.#waiting.shift(); batch !== undefined; batch = this.#waiting.shift()) {
      this.#number += 1;
      await this.#deliver(batch, await this.#try(batch));
      batch.answer();
      if (this.#spare.length < SPARE_BUFFERS) this.#spare.push(batch.releaseBytes());
    }
    this.#isBusy = false;
  }

  /** Says it again, under the same number, as long as that is worth it. @param failure of the first try, if it has failed. */
  async #deliver(batch: Batch, failure: unknown): Promise<void> {
    const { policy } = batch;
    let error = failure;
    for (let attempt = 0; error !== undefined; attempt += 1) {
      this.#forgetDeclared();
      const isLast = attempt >= (policy.maxRetries ?? Number.POSITIVE_INFINITY);
      if (isLast || !isPassing(error) || this.#closing.signal.aborted) {
        const reason = error;
        batch.failAll((target) => describe(reason, target, attempt + 1));
        return;
      }
      const seconds = Math.min(policy.intervalMax, policy.intervalStart + attempt * policy.intervalStep);
      await sleep(seconds * 1000, this.#closing.signal);
      error = await this.#try(batch);
    }
  }

  /** @returns why it is not known to be in Redis. */
  async #try(batch: Batch): Promise<unknown> {
    try {
      const args = [this.#number, ...this.#declare(batch), ...batch.arguments(this.#channels)];
      const reply = (await this.#redis.run(publishScript, [this.#lane], args)) as Reply;
      this.#laneText = `${this.#number}:${reply[0]}`;
      settle(batch, reply);
      return undefined;
    } catch (error) {
      return error;
    }
  }

  #isDeclared(message: OutgoingMessage): boolean {
    if (this.#declaredOn !== this.#redis.generation) return false;
    return this.#declaredLists.has(message.bindings ?? bindingsOf(message));
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

/** A letter for each message, then pairs of a message's place and its error. */
type Reply = readonly [outcomes: string, ...errors: (string | number)[]];

const REFUSED = "the push was refused";

function settle(batch: Batch, [outcomes, ...errors]: Reply): void {
  if (errors.length === 0 && !/[es]/.test(outcomes)) return;
  batch.failAll((target, index) => {
    if (outcomes[index] === "d") return undefined;
    const at = errors.indexOf(index);
    return refused(target, at === -1 ? REFUSED : String(errors[at + 1]));
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
