import { randomUUID } from "node:crypto";
import { type EventDispatcher, openEventDispatcher, taskSentFields } from "../events/index.ts";
import { InvalidArgument } from "../protocol/errors.ts";
import { encodeTaskMessage } from "../protocol/message.ts";
import type { Clock } from "../runtime/clock.ts";
import type { OutgoingMessage, RetryPolicy, Transport } from "../transport/transport.ts";
import type { ApplyOptions, PreparedCall } from "./call-options.ts";
import type { Conf } from "./conf.ts";
import { type Call, makeDraft, type RoutedDraft } from "./draft.ts";
import { Router } from "./router.ts";
import type { Signals } from "./signals.ts";

export interface SenderDeps {
  readonly conf: Conf;
  readonly clock: Clock;
  readonly origin: string;
  readonly signals: Signals;
  readonly brokerUrl: () => string;
  readonly transport: () => Transport;
}

/** Makes messages of calls, and sends them. */
export class Sender {
  readonly #deps: SenderDeps;
  readonly #router: Router;
  /** This client's own id. */
  readonly replyTo: string = randomUUID();
  #policy: { readonly revision: number; readonly policy: RetryPolicy } | undefined;
  #events: EventDispatcher | undefined;

  constructor(deps: SenderDeps) {
    this.#deps = deps;
    this.#router = new Router(deps.conf);
  }

  /** @throws InvalidArgument, EncodeError */
  prepare(call: Call): PreparedCall {
    const { conf, clock, origin, signals } = this.#deps;
    const routed = makeDraft(call, { conf, clock, origin, router: this.#router, replyTo: this.replyTo });
    const { draft } = signals.beforeTaskPublish.isHeard ? this.#tellBefore(call, routed) : routed;
    const { address, priority } = routed;
    const raw = this.#checkSize(encodeTaskMessage(draft), call.name);
    const { retry = conf.task_publish_retry, retryPolicy } = call.options;
    return {
      call,
      headers: draft.headers,
      exchange: address.exchange,
      routingKey: address.routingKey,
      message: outgoing(address, raw, priority),
      retry,
      policy:
        retryPolicy === undefined ? this.#defaultPolicy() : { ...this.#defaultPolicy(), ...retryPolicy },
    };
  }

  /** @throws OperationalError */
  async publish(prepared: PreparedCall): Promise<void> {
    await this.#deps.transport().publish(prepared.message, prepared);
    if (this.#deps.signals.afterTaskPublish.isHeard) this.#tellAfter(prepared);
    if (this.#deps.conf.task_send_sent_event) await this.#announce(prepared);
  }

  /** Sending afterwards opens it again. */
  async close(): Promise<void> {
    const events = this.#events;
    this.#events = undefined;
    await events?.[Symbol.asyncDispose]();
  }

  #defaultPolicy(): RetryPolicy {
    const { revision, task_publish_retry_policy: said } = this.#deps.conf;
    if (this.#policy?.revision !== revision) {
      const policy = {
        maxRetries: said.max_retries,
        intervalStart: said.interval_start,
        intervalStep: said.interval_step,
        intervalMax: said.interval_max,
      };
      this.#policy = { revision, policy };
    }
    return this.#policy.policy;
  }

  /** Workers refuse larger ones: better to be told by the sender's own error. */
  #checkSize(raw: string, task: string): string {
    const limit = this.#deps.conf.broker_transport_options.max_message_bytes;
    if (raw.length <= limit) return raw;
    throw new InvalidArgument(
      `The message for ${task} has ${raw.length} bytes, more than the ${limit} allowed ` +
        "(broker_transport_options.max_message_bytes). Store the data elsewhere and send where it is.",
    );
  }

  /** What a listener puts into the headers travels. */
  #tellBefore(call: Call, { draft, address }: RoutedDraft): Pick<RoutedDraft, "draft"> {
    const headers = { ...draft.headers.custom };
    void this.#deps.signals.beforeTaskPublish.send({
      ...described(call, draft.headers.id, address),
      headers,
    });
    return { draft: { ...draft, headers: { ...draft.headers, custom: headers } } };
  }

  #tellAfter({ call, headers, exchange, routingKey }: PreparedCall): void {
    const about = described(call, headers.id, { exchange, routingKey });
    void this.#deps.signals.afterTaskPublish.send({ ...about, headers: headers.custom });
  }

  async #announce({ headers, message, exchange, routingKey }: PreparedCall): Promise<void> {
    const { brokerUrl, origin } = this.#deps;
    this.#events ??= openEventDispatcher(brokerUrl(), { hostname: origin, taskEvents: true });
    const where = { queue: message.queue, exchange, routing_key: routingKey };
    this.#events.send("task-sent", { ...taskSentFields(headers, message.queue), ...where });
    await this.#events.flush();
  }
}

function outgoing(
  { queue, via, bindings }: RoutedDraft["address"],
  raw: string,
  priority: number,
): OutgoingMessage {
  return via === undefined ? { queue, raw, priority, bindings } : { queue, raw, priority, bindings, via };
}

function described(
  { name, args, options }: Call,
  taskId: string,
  { exchange, routingKey }: { readonly exchange: string; readonly routingKey: string },
): {
  sender: string;
  taskId: string;
  args: readonly unknown[];
  kwargs: NonNullable<ApplyOptions["kwargs"]>;
  exchange: string;
  routingKey: string;
} {
  return { sender: name, taskId, args, kwargs: options.kwargs ?? {}, exchange, routingKey };
}
