import { bindingKey, bindingMember, permanentBindingKey, priorityStep, queueKey } from "./keys.ts";
import { fanoutPrefix, parseRedisUrl } from "./url.ts";

/** How an exchange chooses among the queues bound to it. Headers exchanges do not exist on Redis. */
export type ExchangeType = "direct" | "topic" | "fanout";

/** What a message can be sent to instead of a queue: every queue bound to it by a fitting key gets a copy. */
export interface ExchangeTarget {
  readonly exchange: string;
  readonly type: ExchangeType;
  readonly routingKey: string;
}

/** How a queue hangs on an exchange. With a fanout exchange it is no list: whoever listens gets a copy. */
export interface Binding extends ExchangeTarget {
  readonly queue: string;
}

/** One message on its way to a queue, or to an exchange when it has `via`. */
export interface OutgoingMessage {
  /** The list it is pushed to. With `via` only a name for people: the exchange decides. */
  readonly queue: string;
  /** The envelope's JSON text, pushed as it is. */
  readonly raw: string;
  /** 0 to 9, 0 first: picks kombu's priority list. */
  readonly priority: number;
  readonly via?: ExchangeTarget;
  /** What is declared before, so that nothing is lost before the first worker starts. Default without `via`: `ownBinding(queue)`. */
  readonly bindings?: readonly Binding[];
}

/** What a message needs to be declared. */
export function bindingsOf({ bindings, via, queue }: OutgoingMessage): readonly Binding[] {
  return bindings ?? (via === undefined ? [ownBinding(queue)] : []);
}

/** The binding of a queue about which nothing was said. */
export function ownBinding(queue: string): Binding {
  return { queue, exchange: queue, type: "direct", routingKey: queue };
}

/**
 * Entries of sets that make a binding known to every sender. The second keeps kombu from sweeping the first away when a queue of the
 * same exchange expires. A fanout queue has none: it is a subscription.
 *
 * @see kombu 5.7.0 transport/redis.py, `Channel._queue_bind` and `SWEEP_BINDINGS`
 */
export function declarations(binding: Binding): readonly { readonly key: string; readonly member: string }[] {
  const { exchange, type, routingKey, queue } = binding;
  if (type === "fanout") return [];
  const member = bindingMember(routingKey, queue, type === "topic" ? topicPattern(routingKey) : "");
  return [bindingKey(exchange), permanentBindingKey(exchange)].map((key) => ({ key, member }));
}

/**
 * The regular expression that kombu keeps with a topic binding, and asks in place of the key: `feed.#` → `^feed\..*?$`.
 *
 * @see kombu 5.7.0 transport/virtual/exchange.py, `TopicExchange.key_to_pattern`; utils/text.py, `escape_regex`
 */
export function topicPattern(routingKey: string): string {
  const wildcards: Readonly<Record<string, string>> = { "*": "[^\\.]+", "#": ".*?" };
  const escaped = routingKey.replace(/[^\p{L}\p{N}.#*]/gu, (char) => (char === "\0" ? "\\000" : `\\${char}`));
  return `^${escaped
    .split(".")
    .map((word) => wildcards[word] ?? word)
    .join("\\.")}$`;
}

/**
 * How a script is told where a message goes: `push, list`, `cast, channel` or `route, set of bindings, "<key>"`, then the suffix of the
 * list's priority (empty for the first two) and the message.
 *
 * @see `DELIVER` in scripts/deliver.ts
 */
export function deliveryArguments(
  message: OutgoingMessage,
  channels: ChannelNames,
): readonly [verb: string, where: string, key: string, suffix: string, raw: string] {
  const { via, raw } = message;
  if (via === undefined) return ["push", listOf(message), "", "", raw];
  if (via.type === "fanout") return ["cast", fanoutChannel(via, channels), "", "", raw];
  return [
    "route",
    bindingKey(via.exchange),
    via.routingKey,
    queueKey("", priorityStep(message.priority)),
    raw,
  ];
}

/** The list that a message without `via` is pushed to. */
export function listOf({ queue, priority }: OutgoingMessage): string {
  return priority === 0 ? queue : queueKey(queue, priorityStep(priority));
}

/** How a broker's URL wants the channels of fanout exchanges to be called. */
export interface ChannelNames {
  readonly prefix: string;
  /** Whether the routing key is part of the name. */
  readonly hasKeys: boolean;
}

export function channelNames(url: string): ChannelNames {
  return { prefix: fanoutPrefix(url), hasKeys: parseRedisUrl(url).options.fanoutPatterns };
}

/** @see kombu 5.7.0 transport/redis.py, `Channel._get_publish_topic` */
export function fanoutChannel(
  { exchange, routingKey }: Omit<ExchangeTarget, "type">,
  { prefix, hasKeys }: ChannelNames,
): string {
  return routingKey === "" || !hasKeys ? `${prefix}${exchange}` : `${prefix}${exchange}/${routingKey}`;
}
