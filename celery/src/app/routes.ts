/** Where a task goes: a queue's name, or the queue and more. */
export type Route = string | { readonly queue?: string; readonly priority?: number };

/** A route decided by code; `undefined` or `null` leaves it to the next one. */
export type RouteFunction = (
  name: string,
  args: readonly unknown[],
  kwargs: Readonly<Record<string, unknown>>,
) => Route | null | undefined;

/** Exact task names win over globs (`tasks.*`), globs in the order given. */
export type RouteTable = Readonly<Record<string, Route>>;

/** Celery's `task_routes`: a table, a function, or a list of these of which the first answer counts. */
export type TaskRoutes = RouteTable | RouteFunction | readonly (RouteTable | RouteFunction)[];

/** What the routes say of a task; an empty object when none does. @see celery 5.7.0 app/routes.py, `Router` */
export function findRoute(
  routes: TaskRoutes | null,
  name: string,
  args: readonly unknown[],
  kwargs: Readonly<Record<string, unknown>>,
): { readonly queue?: string; readonly priority?: number } {
  for (const routers of Array.isArray(routes) ? routes : [routes]) {
    const route = typeof routers === "function" ? routers(name, args, kwargs) : lookUp(routers ?? {}, name);
    if (route !== null && route !== undefined) return typeof route === "string" ? { queue: route } : route;
  }
  return {};
}

function lookUp(table: RouteTable, name: string): Route | undefined {
  if (Object.hasOwn(table, name)) return table[name];
  const glob = Object.keys(table).find((pattern) => matchesGlob(pattern, name));
  return glob === undefined ? undefined : table[glob];
}

/** `*` is any text, `?` one character; everything else is itself. */
function matchesGlob(pattern: string, name: string): boolean {
  if (!/[*?]/.test(pattern)) return false;
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, "\\$&")
    .replaceAll("*", ".*")
    .replaceAll("?", ".");
  return new RegExp(`^${source}$`, "s").test(name);
}
