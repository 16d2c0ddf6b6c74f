import type { Conf } from "./conf.ts";
import type { Route, TaskRoutes } from "./routes.ts";

/** The queues of a configuration: those listed, or the default one, and those that routes name. What `purge` empties. */
export function knownQueues(conf: Conf): readonly string[] {
  const { task_queues: listed, task_default_queue: fallback, task_routes: routes } = conf;
  const names = (listed ?? [fallback]).map((queue: string | { readonly name: string }) =>
    typeof queue === "string" ? queue : queue.name,
  );
  return [...new Set([...names, ...routedQueues(routes)])];
}

function routedQueues(routes: TaskRoutes | null): readonly string[] {
  if (routes === null || typeof routes === "function") return [];
  if (Array.isArray(routes)) return (routes as readonly TaskRoutes[]).flatMap(routedQueues);
  return Object.values(routes as Readonly<Record<string, Route>>).flatMap((route) => {
    const queue = typeof route === "string" ? route : route.queue;
    return queue === undefined ? [] : [queue];
  });
}
