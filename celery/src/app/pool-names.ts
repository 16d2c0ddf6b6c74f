/** The kinds of pool that there are. */
type PoolName = "prefork" | "async" | "solo";

/** What Celery calls its pools, and which of ours does the same. */
const BY_CELERYS_NAME: Readonly<Record<string, PoolName>> = {
  prefork: "prefork",
  processes: "prefork",
  async: "async",
  threads: "async",
  gevent: "async",
  eventlet: "async",
  solo: "solo",
};

export const POOL_NAMES: readonly string[] = Object.keys(BY_CELERYS_NAME);

/** @param name one of `POOL_NAMES`. */
export function poolByName(name: string): PoolName {
  return BY_CELERYS_NAME[name] ?? "prefork";
}

/** What to say about a name that is Celery's only; `undefined` for ours and for what means the same. */
export function explainPoolName(name: string): string | undefined {
  if (name === "processes" || poolByName(name) === name) return undefined;
  return `There are no ${name === "threads" ? "threads" : "green threads"} here: pool "${name}" is pool "async", one event loop that runs many tasks at once.`;
}
