import { type Address, resolveAddress } from "./address.ts";
import type { Compression, SendOptions } from "./call-options.ts";
import type { Conf } from "./conf.ts";
import { Topology } from "./queues.ts";
import { compileRoutes, type RoutingTable } from "./routes.ts";
import type { ApplyOptions, ResolvedTaskOptions } from "./types.ts";

/** Everything about a message that does not depend on its arguments. */
export interface Delivery {
  readonly address: Address;
  /** `undefined`: neither call nor task nor route say so. */
  readonly priority: number | undefined;
  readonly compression: Compression | null;
  readonly deliveryMode: 1 | 2;
}

interface Derived {
  readonly revision: number;
  readonly topology: Topology;
  readonly routes: RoutingTable;
  /** By task name, for calls that say nothing about their delivery. */
  readonly plain: Map<string, Delivery>;
}

/** Names that are remembered; whoever makes up names does not fill the memory. */
const MOST_NAMES = 1000;

/** Decides where calls go. What it derives from the configuration is made anew when that has changed. */
export class Router {
  readonly #conf: Conf;
  #state: Derived | undefined;

  constructor(conf: Conf) {
    this.#conf = conf;
  }

  get topology(): Topology {
    return this.#derived().topology;
  }

  /**
   * Options of the call win over those of the task, these over `task_routes`, these over the defaults: one by one, so that a route
   * may give the priority and the call the queue.
   *
   * @throws InvalidArgument
   * @see celery 5.7.0 app/routes.py, `Router.route`
   */
  deliver(
    name: string,
    args: readonly unknown[],
    options: ApplyOptions,
    task: ResolvedTaskOptions | undefined,
  ): Delivery {
    const { routes, plain } = this.#derived();
    const isPlain = routes.isStatic && !saysHow(options);
    const known = isPlain ? plain.get(name) : undefined;
    if (known !== undefined) return known;
    const delivery = this.#decide(name, args, options, task);
    if (isPlain && plain.size < MOST_NAMES) plain.set(name, delivery);
    return delivery;
  }

  #decide(
    name: string,
    args: readonly unknown[],
    options: ApplyOptions,
    task: ResolvedTaskOptions | undefined,
  ): Delivery {
    const { topology, routes } = this.#derived();
    const given = { ...said(task ?? {}), ...said(options) };
    const route = routes.find(name, args, options.kwargs ?? {}, {
      options: given,
      isRegistered: task !== undefined,
    });
    const merged: SendOptions = { ...said(route), ...given };
    const { task_compression, task_default_delivery_mode } = this.#conf;
    return {
      address: resolveAddress(name, merged, topology),
      priority: merged.priority,
      compression: merged.compression === undefined ? task_compression : merged.compression,
      deliveryMode: merged.deliveryMode ?? task_default_delivery_mode,
    };
  }

  #derived(): Derived {
    const { revision } = this.#conf;
    if (this.#state?.revision !== revision) {
      const topology = new Topology(this.#conf);
      this.#state = { revision, topology, routes: compileRoutes(this.#conf.task_routes), plain: new Map() };
    }
    return this.#state;
  }
}

/** How a message is sent, in routes and calls alike. */
export const SEND_OPTIONS: readonly (keyof SendOptions)[] = [
  "queue",
  "exchange",
  "exchangeType",
  "routingKey",
  "priority",
  "serializer",
  "compression",
  "deliveryMode",
];

function saysHow(options: SendOptions): boolean {
  return SEND_OPTIONS.some((name) => options[name] !== undefined);
}

type Sayings = { readonly [K in keyof SendOptions]?: SendOptions[K] | null | undefined };

/** What is not given, or null, is left to whoever comes next. */
function said(options: Sayings): SendOptions {
  return Object.fromEntries(
    SEND_OPTIONS.flatMap((name) => {
      const value = options[name];
      return value === undefined || (value === null && name !== "compression") ? [] : [[name, value]];
    }),
  );
}
