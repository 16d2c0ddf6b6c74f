import type { Conf } from "./conf.ts";
import type { Route, TaskRoutes } from "./routes.ts";

type Named = string | { readonly name: string };

/** The queues of a configuration: those listed, or the default one, and those that routes name. What `purge` empties. */
export function knownQueues(conf: Conf): readonly string[] {
  const { task_queues: listed, task_default_queue: fallback, task_routes: routes } = conf;
  const queues: readonly Named[] = [...(listed ?? [fallback]), ...routedQueues(routes)];
  return [...new Set(queues.map((queue) => (typeof queue === "string" ? queue : queue.name)))];
}

function routedQueues(routes: TaskRoutes | null): readonly Named[] {
  if (routes === null || typeof routes === "function") return [];
  if (Array.isArray(routes)) return (routes as readonly TaskRoutes[]).flatMap(routedQueues);
  return Object.values(routes as Readonly<Record<string, Route>>).flatMap((route) => {
    const queue = typeof route === "string" ? route : route.queue;
    return queue === undefined ? [] : [queue];
  });
}
