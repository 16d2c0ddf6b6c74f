import { randomUUID } from "node:crypto";
import * as z from "zod";
import { decodeBroadcast, encodeBroadcast } from "../protocol/broadcast.ts";
import {
  CONTROL_EXCHANGE,
  type ControlRequest,
  isAddressedTo,
  readControlRequest,
  writeControlReply,
} from "../protocol/control.ts";
import { OperationalError } from "../protocol/errors.ts";
import { formatPythonString } from "../protocol/python-repr.ts";
import { openConnection, type RedisConnection } from "../redis/connection.ts";
import { bindingKey, bindingMember, SEPARATOR } from "../redis/keys.ts";
import { openSubscriber, type RedisSubscriber } from "../redis/subscriber.ts";
import { type Clock, systemClock } from "../runtime/clock.ts";
import type { LamportClock } from "../runtime/lamport-clock.ts";
import type { Log } from "../runtime/log.ts";
import { controlChannel } from "./channel.ts";
import { ControlError } from "./panel.ts";

/** Answers one command of `celery inspect` or `celery control`; what it returns is sent as JSON. */
export type ControlCommand = (args: Readonly<Record<string, unknown>>) => unknown;

/** What a command returns after which the node says nothing: `shutdown`. */
export const NO_REPLY: unique symbol = Symbol("no reply");

export interface MailboxOptions {
  /** `celery@host`. */
  readonly nodeName: string;
  /** By method name, as `celery inspect` and `celery control` send it. */
  readonly commands: Readonly<Record<string, ControlCommand>>;
  /** Shared with the node's event dispatcher. */
  readonly lamport: LamportClock;
  readonly log: Log;
  readonly clock?: Clock;
  /** A broker that is away now is told to the log, not thrown: the node listens as soon as it is back. */
  readonly patient?: boolean;
}

export type Mailbox = AsyncDisposable;

/** Seconds after which an answer that nobody fetched is deleted. */
const REPLY_KEPT_SECONDS = 60;
/**
 * A command that nobody has waited for since so long is not carried out: a worker that was stopped for an hour must not shut down because somebody
 * asked for it then. Generous, because the sender's clock may be another machine's.
 */
const EXPIRED_AFTER_SECONDS = 30;

/**
 * Listens for remote control, Python's `celery inspect` as well as ours, and answers. Survives the loss of the broker. Closing takes
 * the node's name off the broker.
 *
 * @returns when it listens, or goes on trying to.
 * @throws OperationalError when the broker cannot be reached now, unless it is `patient`.
 * @see celery 5.7.0 worker/pidbox.py, kombu 5.7.0 pidbox.py
 */
export async function openMailbox(brokerUrl: string, options: MailboxOptions): Promise<Mailbox> {
  const mailbox = new RedisMailbox(brokerUrl, options);
  try {
    await mailbox.listen();
    return mailbox;
  } catch (error) {
    if (options.patient && error instanceof OperationalError) {
      options.log.warn(
        { error },
        "remote control: the broker is away; it is listened to as soon as it is back",
      );
      return mailbox;
    }
    await mailbox[Symbol.asyncDispose]();
    throw error;
  }
}

class RedisMailbox implements Mailbox {
  readonly #options: MailboxOptions;
  readonly #channel: string;
  readonly #redis: RedisConnection;
  readonly #subscriber: RedisSubscriber;

  constructor(brokerUrl: string, options: MailboxOptions) {
    this.#options = options;
    this.#channel = controlChannel(brokerUrl);
    this.#redis = openConnection(brokerUrl, { name: "celery-mailbox" });
    this.#subscriber = openSubscriber(brokerUrl, { name: "celery-mailbox-listener" });
  }

  async listen(): Promise<void> {
    this.#subscriber.events.on("message", (_channel, text) => void this.#receive(text));
    // The broker may have come back empty.
    this.#subscriber.events.on("up", () => void this.#quietly(() => this.#bind("SADD")));
    await Promise.all([this.#bind("SADD"), this.#subscriber.subscribe(this.#channel)]);
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
    if (isExpired(request, this.#options.clock ?? systemClock)) return;
    const answer = await this.#dispatch(request);
    const { reply } = request;
    if (reply && answer !== NO_REPLY) await this.#quietly(() => this.#answer(answer, reply));
  }

  async #dispatch({ method, arguments: args }: ControlRequest): Promise<unknown> {
    const { commands, log } = this.#options;
    try {
      const command = Object.hasOwn(commands, method) ? commands[method] : undefined;
      if (!command) throw new ControlError(`KeyError(${formatPythonString(method)})`);
      return await command(args);
    } catch (error) {
      const text = errorText(error);
      log.error({}, `pidbox command error: ${text}`);
      return { error: text };
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

function isExpired({ expires }: ControlRequest, clock: Clock): boolean {
  return expires > 0 && clock.nowMs() / 1000 > expires + EXPIRED_AFTER_SECONDS;
}

/** As Python's `repr` of an exception; a `ControlError` says it itself. */
function errorText(error: unknown): string {
  if (error instanceof ControlError) return error.message;
  if (error instanceof z.ZodError) return `TypeError(${formatPythonString(z.prettifyError(error))})`;
  if (error instanceof Error) return `${error.name}(${formatPythonString(error.message)})`;
  return String(error);
}

function boundQueues(members: readonly string[], routingKey: string): readonly string[] {
  return members.flatMap((member) => {
    const [key, , queue] = member.split(SEPARATOR);
    return key === routingKey && queue ? [queue] : [];
  });
}
