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
