import type { GetOptions, Receipt } from "./async-result.ts";

/** @see celery 5.7.0 result.py, `AsyncResult.collect` and `iterdeps` */
export async function* collect(
  root: Receipt,
  options: GetOptions,
): AsyncGenerator<readonly [Receipt, unknown]> {
  const waiting: Receipt[] = [root];
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
    yield [next, await next.get(options)];
    waiting.push(...((await next.children()) ?? []));
  }
}

/** Ids of all that came before, members of groups included. */
export function ancestors(parent: Receipt | null): string[] {
  const ids: string[] = [];
  for (let node = parent; node !== null; node = node.parent) {
    if ("results" in node) ids.push(...leaves(node));
    else ids.push(node.id);
  }
  return ids;
}

function leaves(receipt: Receipt): string[] {
  return "results" in receipt ? receipt.results.flatMap(leaves) : [receipt.id];
}
