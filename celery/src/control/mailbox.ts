import { randomUUID } from "node:crypto";
import { decodeBroadcast, encodeBroadcast } from "../protocol/broadcast.ts";
import {
  CONTROL_EXCHANGE,
  type ControlRequest,
  isAddressedTo,
  readControlRequest,
  writeControlReply,
} from "../protocol/control.ts";
import { openConnection, type RedisConnection } from "../redis/connection.ts";
import { bindingKey, bindingMember, SEPARATOR } from "../redis/keys.ts";
import { openSubscriber, type RedisSubscriber } from "../redis/subscriber.ts";
import { parseRedisUrl } from "../redis/url.ts";
import type { LamportClock } from "../runtime/lamport-clock.ts";
import type { Log } from "../runtime/log.ts";

/** Answers one command of `celery inspect` or `celery control`; what it returns is sent as JSON. */
export type ControlCommand = (args: Readonly<Record<string, unknown>>) => unknown;

export interface MailboxOptions {
  /** `celery@host`. */
  readonly nodeName: string;
  /** By method name, as `celery inspect` and `celery control` send it. */
  readonly commands: Readonly<Record<string, ControlCommand>>;
  /** Shared with the node's event dispatcher. */
  readonly lamport: LamportClock;
  readonly log: Log;
}

export type Mailbox = AsyncDisposable;

/** Seconds after which an answer that nobody fetched is deleted. */
const REPLY_KEPT_SECONDS = 60;

/**
 * Listens for remote control, Python's `celery inspect` as well as ours, and answers. Survives the loss of the broker. Closing takes
 * the node's name off the broker.
 *
 * @returns when it listens.
 * @throws OperationalError when the broker cannot be reached now.
 * @see celery 5.7.0 worker/pidbox.py, kombu 5.7.0 pidbox.py
 */
export async function openMailbox(brokerUrl: string, options: MailboxOptions): Promise<Mailbox> {
  const mailbox = new RedisMailbox(brokerUrl, options);
  try {
    await mailbox.listen();
    return mailbox;
  } catch (error) {
    await mailbox[Symbol.asyncDispose]();
    throw error;
  }
}

/** The commands that every node answers. `hello` is what a Python worker asks its neighbours when it starts. */
export function standardCommands(lamport: LamportClock): Readonly<Record<string, ControlCommand>> {
  return {
    ping: () => ({ ok: "pong" }),
    clock: () => ({ clock: lamport.value }),
    hello: () => ({ revoked: {}, clock: lamport.forward() }),
  };
}

class RedisMailbox implements Mailbox {
  readonly #options: MailboxOptions;
  readonly #channel: string;
  readonly #redis: RedisConnection;
  readonly #subscriber: RedisSubscriber;

  constructor(brokerUrl: string, options: MailboxOptions) {
    this.#options = options;
    this.#channel = `/${parseRedisUrl(brokerUrl).db}.${CONTROL_EXCHANGE}`;
    this.#redis = openConnection(brokerUrl, { name: "celery-mailbox" });
    this.#subscriber = openSubscriber(brokerUrl, { name: "celery-mailbox-listener" });
  }

  async listen(): Promise<void> {
    this.#subscriber.events.on("message", (_channel, text) => void this.#receive(text));
    // The broker may have come back empty.
    this.#subscriber.events.on("up", () => void this.#quietly(() => this.#bind("SADD")));
    await this.#bind("SADD");
    await this.#subscriber.subscribe(this.#channel);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#subscriber[Symbol.asyncDispose]();
    await this.#quietly(() => this.#bind("SREM"));
    await this.#redis[Symbol.asyncDispose]();
  }

  async #bind(command: "SADD" | "SREM"): Promise<void> {
    const queue = `${this.#options.nodeName}.${CONTROL_EXCHANGE}`;
    await this.#redis.call(command, bindingKey(CONTROL_EXCHANGE), bindingMember("", queue));
  }

  async #receive(text: string): Promise<void> {
    const broadcast = decodeBroadcast(text);
    const request = broadcast && readControlRequest(broadcast);
    if (!request) return;
    this.#options.lamport.adjust(request.clock);
    if (!isAddressedTo(request, this.#options.nodeName)) return;
    const answer = await this.#dispatch(request);
    const { reply } = request;
    if (reply) await this.#quietly(() => this.#answer(answer, reply));
  }

  async #dispatch({ method, arguments: args }: ControlRequest): Promise<unknown> {
    const { commands, log } = this.#options;
    const command = Object.hasOwn(commands, method) ? commands[method] : undefined;
    if (!command)
      return {
        error: `Unknown command '${method}'. This worker answers: ${Object.keys(commands).join(", ")}.`,
      };
    try {
      return await command(args);
    } catch (error) {
      log.error({}, `pidbox command error: ${String(error)}`);
      return { error: String(error) };
    }
  }

  async #answer(
    answer: unknown,
    { exchange, routingKey, ticket }: NonNullable<ControlRequest["reply"]>,
  ): Promise<void> {
    const { nodeName: node, lamport } = this.#options;
    const address = { exchange, routingKey, deliveryMode: 1, deliveryTag: randomUUID() } as const;
    const payload = encodeBroadcast(
      writeControlReply({ node, answer, ticket, clock: lamport.forward() }),
      address,
    );
    const members = (await this.#redis.call("SMEMBERS", bindingKey(exchange))) as string[];
    for (const queue of boundQueues(members, routingKey)) {
      await this.#redis.pipeline([
        ["lpush", queue, payload],
        ["expire", queue, REPLY_KEPT_SECONDS],
      ]);
    }
  }

  /** A question that cannot be answered (the broker is away) is as good as not heard: the asker has a timeout. */
  async #quietly(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#options.log.debug({ error: error as Error }, "remote control: not answered");
    }
  }
}

function boundQueues(members: readonly string[], routingKey: string): readonly string[] {
  return members.flatMap((member) => {
    const [key, , queue] = member.split(SEPARATOR);
    return key === routingKey && queue ? [queue] : [];
  });
}
