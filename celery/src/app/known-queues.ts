import type { Conf } from "./conf.ts";
import { Topology } from "./queues.ts";
import { routedQueues } from "./routes.ts";

/** The queues of a configuration: those listed, or the default one, and those that routes name. What `purge` empties. */
export function knownQueues(conf: Conf): readonly string[] {
  const { declared } = new Topology(conf);
  // A broadcast is no list: there is nothing to empty.
  const broadcasts = new Set(declared.filter(({ type }) => type === "fanout").map(({ queue }) => queue));
  const names = [...declared.map(({ queue }) => queue), ...routedQueues(conf.task_routes)];
  return [...new Set(names)].filter((name) => !broadcasts.has(name));
}
