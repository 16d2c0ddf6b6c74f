import { randomUUID } from "node:crypto";
// Not by the folder's index: every client and pool child loads this, and has no use for the rest.
import type { EventDispatcher } from "../events/dispatcher.ts";
import { openEventDispatcher } from "../events/open-dispatcher.ts";
import { taskSentFields } from "../events/task-fields.ts";
import { InvalidArgument } from "../protocol/errors.ts";
import { encodeTaskMessage } from "../protocol/message.ts";
import { plainOf } from "../protocol/raw-json.ts";
import type { Clock } from "../runtime/clock.ts";
import type { OutgoingMessage, RetryPolicy, Transport } from "../transport/transport.ts";
import type { ApplyOptions, PreparedCall } from "./call-options.ts";
import type { Conf } from "./conf.ts";
import { makeDeliveryTags } from "./delivery-tags.ts";
import { type Call, type DraftDeps, type DraftSettings, makeDraft, type RoutedDraft } from "./draft.ts";
import { Router } from "./router.ts";
import type { Signals } from "./signals.ts";

export interface SenderDeps {
  readonly conf: Conf;
  readonly clock: Clock;
  readonly origin: string;
  readonly signals: Signals;
  /** Of a task. */
  readonly newId: () => string;
  readonly brokerUrl: () => string;
  readonly transport: () => Transport;
}

interface Settings {
  readonly revision: number;
  readonly draft: DraftDeps;
  readonly policy: RetryPolicy;
  readonly retry: boolean;
  /** `task_send_sent_event`. */
  readonly announces: boolean;
  readonly maxBytes: number;
}

/** Makes messages of calls, and sends them. */
export class Sender {
  readonly #deps: SenderDeps;
  readonly #router: Router;
  /** This client's own id. */
  readonly replyTo: string = randomUUID();
  readonly #nextTag = makeDeliveryTags();
  #known: Settings | undefined;
  #events: EventDispatcher | undefined;

  constructor(deps: SenderDeps) {
    this.#deps = deps;
    this.#router = new Router(deps.conf);
  }

  /** @throws InvalidArgument, EncodeError */
  prepare(call: Call): PreparedCall {
    const { signals } = this.#deps;
    const settings = this.#settings();
    const routed = makeDraft(call, settings.draft);
    const { draft } = signals.beforeTaskPublish.isHeard ? this.#tellBefore(call, routed) : routed;
    const { address, priority } = routed;
    const raw = checkSize(encodeTaskMessage(draft), call.name, settings.maxBytes);
    const { retry = settings.retry, retryPolicy } = call.options;
    return {
      call,
      headers: draft.headers,
      exchange: address.exchange,
      routingKey: address.routingKey,
      message: outgoing(address, raw, priority),
      retry,
      policy: retryPolicy === undefined ? settings.policy : { ...settings.policy, ...retryPolicy },
    };
  }

  /** @throws OperationalError */
  publish(prepared: PreparedCall): Promise<void> {
    const sent = this.#deps.transport().publish(prepared.message, prepared);
    const isTold = this.#deps.signals.afterTaskPublish.isHeard || this.#settings().announces;
    return isTold ? sent.then(() => this.#tellAfter(prepared)) : sent;
  }

  /** Sending afterwards opens it again. */
  async close(): Promise<void> {
    const events = this.#events;
    this.#events = undefined;
    await events?.[Symbol.asyncDispose]();
  }

  /** Asking the configuration costs more than all else here, so it is asked once per state. */
  #settings(): Settings {
    const { conf, clock, origin, newId } = this.#deps;
    const { revision } = conf;
    if (this.#known?.revision !== revision) {
      this.#known = {
        revision,
        draft: {
          conf: draftSettings(conf),
          clock,
          origin,
          router: this.#router,
          replyTo: this.replyTo,
          nextId: newId,
          nextTag: this.#nextTag,
        },
        policy: policyOf(conf),
        retry: conf.task_publish_retry,
        announces: conf.task_send_sent_event,
        maxBytes: conf.broker_transport_options.max_message_bytes,
      };
    }
    return this.#known;
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

  async #tellAfter(prepared: PreparedCall): Promise<void> {
    const { call, headers, exchange, routingKey } = prepared;
    const { afterTaskPublish } = this.#deps.signals;
    if (afterTaskPublish.isHeard) {
      const about = described(call, headers.id, { exchange, routingKey });
      void afterTaskPublish.send({ ...about, headers: headers.custom });
    }
    if (this.#settings().announces) await this.#announce(prepared);
  }

  async #announce({ headers, message, exchange, routingKey }: PreparedCall): Promise<void> {
    const { brokerUrl, origin } = this.#deps;
    this.#events ??= openEventDispatcher(brokerUrl(), { hostname: origin, taskEvents: true });
    const where = { queue: message.queue, exchange, routing_key: routingKey };
    this.#events.send("task-sent", { ...taskSentFields(headers, message.queue), ...where });
    await this.#events.flush();
  }
}

/** Workers refuse larger ones: better to be told by the sender's own error. */
function checkSize(raw: string, task: string, limit: number): string {
  if (raw.length <= limit) return raw;
  throw new InvalidArgument(
    `The message for ${task} has ${raw.length} bytes, more than the ${limit} allowed ` +
      "(broker_transport_options.max_message_bytes). Store the data elsewhere and send where it is.",
  );
}

function policyOf({ task_publish_retry_policy: said }: Conf): RetryPolicy {
  return {
    maxRetries: said.max_retries,
    intervalStart: said.interval_start,
    intervalStep: said.interval_step,
    intervalMax: said.interval_max,
  };
}

function draftSettings(conf: Conf): DraftSettings {
  const { task_inherit_parent_priority, task_default_priority, task_ignore_result, task_repr_maxlevels } =
    conf;
  return { task_inherit_parent_priority, task_default_priority, task_ignore_result, task_repr_maxlevels };
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
  const { kwargs = {} } = options;
  return { sender: name, taskId, args: plainOf(args), kwargs: plainOf(kwargs), exchange, routingKey };
}
