import { InvalidArgument } from "../protocol/errors.ts";
import type { Binding, ExchangeTarget } from "../transport/destination.ts";
import type { SendOptions } from "./call-options.ts";
import { Exchange, type Topology } from "./queues.ts";

/** Where a message goes, and what its `delivery_info` says. */
export interface Address {
  /** The list, or a name for people when it goes `via` an exchange. */
  readonly queue: string;
  readonly exchange: string;
  readonly routingKey: string;
  readonly via: ExchangeTarget | undefined;
  readonly bindings: readonly Binding[];
}

type Target = Pick<SendOptions, "queue" | "exchange" | "exchangeType" | "routingKey">;

/**
 * A direct exchange of which not both name and key are given means the queue itself; then no exchange is asked, and none is named.
 * Where Celery loses a message, because it does not know the type of an exchange that only `task_queues` or Redis could tell, this
 * does not: every queue of the exchange that we know is declared first, and the type is looked up.
 *
 * @throws InvalidArgument
 * @see celery 5.7.0 app/amqp.py, `send_task_message`
 */
export function resolveAddress(task: string, target: Target, topology: Topology): Address {
  const exchange = exchangeName(target.exchange);
  if (!exchange) return toQueue(target, topology);
  const asked = target.queue === undefined ? undefined : topology.get(target.queue);
  const known = topology.bindingsOf(exchange);
  const type = target.exchangeType ?? typeOf(target.exchange) ?? known[0]?.type ?? "direct";
  const routingKey = target.routingKey ?? (type === "direct" ? undefined : keyOf(exchange, asked, known));
  if (routingKey === undefined) {
    if (asked !== undefined && type === "direct") return toQueue({ queue: asked.queue }, topology);
    throw new InvalidArgument(
      `${task} is sent to exchange "${exchange}" without routingKey, so no queue can be found. Give a routingKey, or a queue instead of the exchange.`,
    );
  }
  return through({ exchange, type, routingKey }, asked?.queue ?? exchange, known);
}

function toQueue({ queue, exchangeType, routingKey }: Target, topology: Topology): Address {
  const binding = queue === undefined ? topology.byDefault : topology.get(queue);
  const type = exchangeType ?? binding.type;
  if (type !== "direct") {
    const key = routingKey ?? binding.routingKey;
    return through({ exchange: binding.exchange, type, routingKey: key }, binding.queue, [binding]);
  }
  return {
    queue: binding.queue,
    exchange: "",
    routingKey: binding.queue,
    via: undefined,
    bindings: [binding],
  };
}

/** A fanout queue is nobody's list, so there is nothing to declare. */
function through(via: ExchangeTarget, queue: string, bindings: readonly Binding[]): Address {
  const { exchange, routingKey } = via;
  return { queue, exchange, routingKey, via, bindings: bindings.filter(({ type }) => type !== "fanout") };
}

/** The key that the queues of the exchange wait for, when it goes without saying. */
function keyOf(exchange: string, asked: Binding | undefined, known: readonly Binding[]): string | undefined {
  if (asked?.exchange === exchange) return asked.routingKey;
  const keys = new Set(known.map(({ routingKey }) => routingKey));
  return keys.size === 1 ? known[0]?.routingKey : undefined;
}

function exchangeName(exchange: Target["exchange"]): string | undefined {
  return exchange instanceof Exchange ? exchange.name : exchange;
}

function typeOf(exchange: Target["exchange"]): Binding["type"] | undefined {
  return exchange instanceof Exchange ? exchange.type : undefined;
}
