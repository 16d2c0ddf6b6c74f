import type { Argument } from "../redis/connection.ts";
import {
  type Binding,
  bindingsOf,
  type ChannelNames,
  deliveryArguments,
  type ExchangeTarget,
  listOf,
  type OutgoingMessage,
} from "./destination.ts";
import type { RetryPolicy } from "./transport.ts";

/** Messages and bytes in one script call: enough to make the trip cheap, few enough not to hold Redis up. */
const MOST_MESSAGES = 500;
const MOST_BYTES = 1024 * 1024;

/** Where a message goes, for people: a queue or an exchange. */
export type Target = string | ExchangeTarget;

/** Neighbours for one list, which are pushed together. */
interface Run {
  readonly list: string;
  readonly from: number;
  to: number;
  /** Of each message in bytes, with commas between them. */
  lengths: string;
}

/**
 * What goes out as one call. Texts are copied into one buffer as they come, so that a thousand messages under way are no load for
 * the garbage collector; and all who wait, wait for one promise and then ask for their own message's fate.
 */
export class Batch {
  readonly policy: RetryPolicy;
  /** Settles when all are answered for; never rejects. */
  readonly answered: Promise<void>;
  answer!: () => void;
  readonly #targets: Target[] = [];
  readonly #bindings: (readonly Binding[])[] = [];
  readonly #exchangeBindings: Binding[] = [];
  readonly #items: (Run | OutgoingMessage)[] = [];
  readonly #bytes: ByteQueue;
  /** The only message so far: most batches have just one, and need no buffer. */
  #single: string | undefined;
  #failures: Map<number, Error> | undefined;

  constructor(policy: RetryPolicy, bytes: ByteQueue) {
    this.policy = policy;
    this.#bytes = bytes;
    this.answered = new Promise((resolve) => {
      this.answer = resolve;
    });
  }

  get isFull(): boolean {
    return this.#targets.length >= MOST_MESSAGES || this.#bytes.size >= MOST_BYTES;
  }

  /** Lists of bindings of the messages to queues: nothing depends on them here. */
  get bindings(): readonly (readonly Binding[])[] {
    return this.#bindings;
  }

  /** Of the messages to exchanges: without them these would get nowhere. */
  get exchangeBindings(): readonly Binding[] {
    return this.#exchangeBindings;
  }

  /** @returns its number in the batch. */
  add(message: OutgoingMessage): number {
    const bindings = message.bindings ?? bindingsOf(message);
    if (message.via === undefined) {
      if (this.#bindings.at(-1) !== bindings) this.#bindings.push(bindings);
      this.#addRaw(listOf(message), message.raw);
    } else {
      this.#exchangeBindings.push(...bindings);
      this.#items.push(message);
    }
    return this.#targets.push(message.via ?? message.queue) - 1;
  }

  /** How the script is told. */
  arguments(channels: ChannelNames): Argument[] {
    const args: Argument[] = [];
    for (const item of this.#items) {
      if ("raw" in item) args.push(...deliveryArguments(item, channels));
      else args.push("push", item.list, item.lengths, this.#single ?? this.#bytes.slice(item.from, item.to));
    }
    return args;
  }

  /** @param errorOf of a message, or `undefined` when it is in Redis. */
  failAll(errorOf: (target: Target, index: number) => Error | undefined): void {
    this.#failures = new Map();
    for (const [index, target] of this.#targets.entries()) {
      const error = errorOf(target, index);
      if (error !== undefined) this.#failures.set(index, error);
    }
  }

  /** For the next batch; this one is answered. */
  releaseBytes(): ByteQueue {
    this.#bytes.size = 0;
    return this.#bytes;
  }

  /** Settles when this message is in Redis. */
  async outcomeOf(index: number): Promise<void> {
    await this.answered;
    const failure = this.#failures?.get(index);
    if (failure !== undefined) throw failure;
  }

  #addRaw(list: string, raw: string): void {
    if (this.#items.length === 0) {
      this.#single = raw;
      this.#items.push({ list, from: 0, to: 0, lengths: String(Buffer.byteLength(raw)) });
      return;
    }
    this.#spill();
    const length = this.#bytes.append(raw);
    const last = this.#items.at(-1);
    if (last === undefined || "raw" in last || last.list !== list) {
      const from = this.#bytes.size - length;
      this.#items.push({ list, from, to: this.#bytes.size, lengths: String(length) });
      return;
    }
    last.lengths += `,${length}`;
    last.to = this.#bytes.size;
  }

  #spill(): void {
    const [first] = this.#items;
    if (this.#single === undefined || first === undefined || "raw" in first) return;
    first.to = this.#bytes.append(this.#single);
    this.#single = undefined;
  }
}

/** Texts one behind the other, as UTF-8. */
export class ByteQueue {
  size = 0;
  #bytes: Buffer | undefined;

  /** @returns how many bytes it takes. */
  append(text: string): number {
    // UTF-8 needs at most three bytes for each unit of a JavaScript string; counted exactly where that would be much.
    const most = text.length > 65_536 ? Buffer.byteLength(text) : text.length * 3;
    const bytes = this.#withRoomFor(most);
    const length = bytes.write(text, this.size);
    this.size += length;
    return length;
  }

  slice(from: number, to: number): Buffer {
    return (this.#bytes ?? Buffer.alloc(0)).subarray(from, to);
  }

  #withRoomFor(more: number): Buffer {
    if (this.#bytes !== undefined && this.#bytes.length - this.size >= more) return this.#bytes;
    const grown = Buffer.allocUnsafeSlow(Math.max(65_536, 2 * (this.size + more)));
    this.#bytes?.copy(grown, 0, 0, this.size);
    this.#bytes = grown;
    return grown;
  }
}
