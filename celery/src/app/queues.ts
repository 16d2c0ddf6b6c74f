import { InvalidArgument } from "../protocol/errors.ts";
import type { Binding, ExchangeType } from "../transport/destination.ts";
import type { Conf } from "./conf.ts";

export type { Binding, ExchangeType } from "../transport/destination.ts";

/** Decides which queues get a message. @see kombu 5.7.0 entity.py, `Exchange` */
export class Exchange {
  readonly name: string;
  readonly type: ExchangeType;

  constructor(name: string, type: ExchangeType = "direct") {
    this.name = name;
    this.type = type;
  }
}

/** What a queue hangs on. */
export interface QueueOptions {
  /** Default: `task_default_exchange`. */
  readonly exchange?: Exchange | string;
  /** Of an exchange given by its name. Default direct. */
  readonly exchangeType?: ExchangeType;
  /** The key by which the queue hangs on its exchange; a pattern with `*` and `#` on a topic. Default: `task_default_routing_key`. */
  readonly routingKey?: string;
}

/** An entry of `task_queues`. @see kombu 5.7.0 entity.py, `Queue` */
export class Queue {
  readonly name: string;
  readonly exchange: Exchange | undefined;
  readonly routingKey: string | undefined;

  constructor(name: string, { exchange, exchangeType, routingKey }: QueueOptions = {}) {
    this.name = name;
    this.exchange = typeof exchange === "string" ? new Exchange(exchange, exchangeType) : exchange;
    this.routingKey = routingKey;
  }
}

/**
 * A queue of which every worker has its own, so that each gets every message. Over Redis it is a subscription: a worker that is
 * not there when the message is sent does not get it.
 *
 * @see kombu 5.7.0 common.py, `Broadcast`
 */
export class Broadcast extends Queue {
  constructor(name: string, { routingKey }: Pick<QueueOptions, "routingKey"> = {}) {
    super(name, {
      exchange: new Exchange(name, "fanout"),
      ...(routingKey === undefined ? {} : { routingKey }),
    });
  }
}

/** The queues of an app and what they hang on. Made once per state of the configuration. */
export class Topology {
  /** What a worker without `-Q` consumes. */
  readonly declared: readonly Binding[];
  readonly #conf: Conf;
  readonly #byName: ReadonlyMap<string, Binding>;

  constructor(conf: Conf) {
    this.#conf = conf;
    const queues = conf.task_queues ?? [];
    const listed = queues.length > 0 ? queues : [new Queue(conf.task_default_queue)];
    this.declared = listed.map((queue) => this.#bind(queue));
    this.#byName = new Map(this.declared.map((binding) => [binding.queue, binding]));
  }

  /**
   * The queue of this name; one that is not in `task_queues` is made up, as in Celery.
   *
   * @throws InvalidArgument when `task_create_missing_queues` is off.
   */
  get(queue: string | Queue): Binding {
    if (queue instanceof Queue) return this.#bind(queue);
    const known = this.#byName.get(queue);
    if (known !== undefined) return known;
    if (queue === "") throw new InvalidArgument("A queue has no name.");
    if (!this.#conf.task_create_missing_queues) {
      throw new InvalidArgument(
        `Queue "${queue}" is missing from task_queues (${[...this.#byName.keys()].join(", ")}), and task_create_missing_queues is off.`,
      );
    }
    const type = this.#conf.task_create_missing_queue_exchange_type ?? "direct";
    return { queue, exchange: queue, type, routingKey: queue };
  }

  /** Where a call goes that says nothing. @throws InvalidArgument as `get`. */
  get byDefault(): Binding {
    return this.get(this.#conf.task_default_queue);
  }

  /** What is known to hang on an exchange. */
  bindingsOf(exchange: string): readonly Binding[] {
    return this.declared.filter((binding) => binding.exchange === exchange);
  }

  /** @see celery 5.7.0 app/amqp.py, `Queues.__setitem__` and `_add`: without a name, the exchange is the default one */
  #bind({ name, exchange, routingKey }: Queue): Binding {
    const conf = this.#conf;
    return {
      queue: name,
      exchange: exchange?.name || (conf.task_default_exchange ?? conf.task_default_queue),
      type: exchange?.name ? exchange.type : conf.task_default_exchange_type,
      routingKey: routingKey || (conf.task_default_routing_key ?? conf.task_default_queue),
    };
  }
}

export interface QueueChoice {
  /** `-Q`: only these; unknown ones are made up. */
  readonly include?: readonly string[] | undefined;
  /** `-X`: all but these. */
  readonly exclude?: readonly string[] | undefined;
}

/**
 * What a worker consumes. @throws InvalidArgument for a name that is not in `task_queues` while `task_create_missing_queues` is off.
 * @see celery 5.7.0 app/amqp.py, `Queues.select` and `deselect`
 */
export function selectQueues(conf: Conf, { include, exclude = [] }: QueueChoice = {}): readonly Binding[] {
  const topology = new Topology(conf);
  const chosen = include?.length
    ? [...new Set(include)].map((name) => topology.get(name))
    : topology.declared;
  return chosen.filter(({ queue }) => !exclude.includes(queue));
}

/** The queue that only the worker of this name consumes. @see celery 5.7.0 utils/nodenames.py, `worker_direct` */
export function workerDirectQueue(nodeName: string): Binding {
  return { queue: `${nodeName}.dq2`, exchange: "C.dq2", type: "direct", routingKey: nodeName };
}
