import { plainOf } from "../protocol/raw-json.ts";
import type { SendOptions } from "./call-options.ts";

/** Queue and more, in our spelling or in Celery's (`routing_key`). */
export type RouteOptions = SendOptions & {
  readonly exchange_type?: SendOptions["exchangeType"];
  readonly routing_key?: string;
  readonly delivery_mode?: 1 | 2;
};

/** Where a task goes and how: a queue's name, or options. */
export type Route = string | RouteOptions;

/** What a routing function is told besides the arguments. */
export interface RoutedCall {
  /** Of the call and its task, as far as they are given. */
  readonly options: SendOptions;
  /** Whether this app has the task. */
  readonly isRegistered: boolean;
}

/** A route decided by code; `undefined` or `null` leaves it to the next one. */
export type RouteFunction = (
  name: string,
  args: readonly unknown[],
  kwargs: Readonly<Record<string, unknown>>,
  call: RoutedCall,
) => Route | null | undefined;

/** Exact task names win over globs (`tasks.*`), globs in the order given. */
export type RouteTable = Readonly<Record<string, Route>>;

/** A table whose patterns may be regular expressions; these match from the beginning of the name, as in Python. */
export type RoutePairs = ReadonlyMap<string | RegExp, Route> | readonly (readonly [string | RegExp, Route])[];

/** Celery's `task_routes`: a table, a function, or a list of these of which the first answer counts. */
export type TaskRoutes =
  | RouteTable
  | RouteFunction
  | ReadonlyMap<string | RegExp, Route>
  | readonly (RouteTable | RouteFunction | RoutePairs)[];

type Lookup = (name: string) => Route | undefined;

/** `task_routes`, made ready. @see celery 5.7.0 app/routes.py, `Router` and `MapRoute` */
export interface RoutingTable {
  /** Whether a name alone decides: then the answer can be kept. */
  readonly isStatic: boolean;
  /** What the routes say of a call; an empty object when none does. */
  find(
    name: string,
    args: readonly unknown[],
    kwargs: Readonly<Record<string, unknown>>,
    call: RoutedCall,
  ): SendOptions;
}

export function compileRoutes(routes: TaskRoutes | null): RoutingTable {
  const sources = routersOf(routes);
  const routers = sources.map((source): RouteFunction | Lookup =>
    typeof source === "function" ? source : compileTable(source),
  );
  const isStatic = !sources.some((source) => typeof source === "function");
  return {
    isStatic,
    find: (name, args, kwargs, call) => {
      for (const router of routers) {
        // Functions look at arguments, which may be another sender's.
        const route = isStatic
          ? router(name, args, kwargs, call)
          : router(name, plainOf(args), plainOf(kwargs), call);
        if (route !== null && route !== undefined) return normalise(route);
      }
      return {};
    },
  };
}

/** Names of the queues that tables name; what functions answer is known only to them. */
export function routedQueues(routes: TaskRoutes | null): readonly string[] {
  return routersOf(routes).flatMap((router) => {
    if (typeof router === "function") return [];
    return pairsOf(router).flatMap(([, route]) => {
      const { queue } = normalise(route);
      return queue === undefined ? [] : [typeof queue === "string" ? queue : queue.name];
    });
  });
}

function routersOf(routes: TaskRoutes | null): readonly (RouteTable | RouteFunction | RoutePairs)[] {
  if (routes === null) return [];
  return Array.isArray(routes) ? routes : [routes as RouteTable];
}

function pairsOf(table: RouteTable | RoutePairs): readonly (readonly [string | RegExp, Route])[] {
  return Symbol.iterator in table ? [...table] : Object.entries(table);
}

function compileTable(table: RouteTable | RoutePairs): Lookup {
  const pairs = pairsOf(table);
  const exact = new Map<string, Route>();
  const patterns: { readonly pattern: RegExp; readonly route: Route }[] = [];
  for (const [key, route] of pairs) {
    if (key instanceof RegExp) patterns.push({ pattern: fromStart(key), route });
    else if (/[*?]/.test(key)) patterns.push({ pattern: globPattern(key), route });
    else exact.set(key, route);
  }
  return (name) => exact.get(name) ?? patterns.find(({ pattern }) => pattern.test(name))?.route;
}

function normalise(route: Route): SendOptions {
  if (typeof route === "string") return { queue: route };
  const { exchange_type, routing_key, delivery_mode, ...options } = route;
  return {
    ...options,
    ...(exchange_type !== undefined && { exchangeType: exchange_type }),
    ...(routing_key !== undefined && { routingKey: routing_key }),
    ...(delivery_mode !== undefined && { deliveryMode: delivery_mode }),
  };
}

/** As Python's `match`; without the flags that make a pattern remember where it was. */
function fromStart(pattern: RegExp): RegExp {
  return new RegExp(`^(?:${pattern.source})`, pattern.flags.replace(/[gy]/g, ""));
}

/** `*` is any text, `?` one character, `[abc]` and `[!abc]` one of or none of these; everything else is itself. */
function globPattern(glob: string): RegExp {
  const source = glob.replace(/\[!?[^\]]+\]|[\\^$.|+(){}[\]*?]/g, (part) => {
    if (part === "*") return ".*";
    if (part === "?") return ".";
    if (part.length > 1) return part.replace(/\\/g, "\\\\").replace(/^\[!/, "[^");
    return `\\${part}`;
  });
  return new RegExp(`^${source}$`, "s");
}
