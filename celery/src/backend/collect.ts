import type { AsyncResult, GetOptions, Receipt } from "./async-result.ts";

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

/** All that came before, members of groups included. */
export function ancestors(parent: Receipt | null): AsyncResult<unknown>[] {
  const found: AsyncResult<unknown>[] = [];
  for (let node = parent; node !== null; node = node.parent) found.push(...leaves(node));
  return found;
}

function leaves(receipt: Receipt): AsyncResult<unknown>[] {
  return "results" in receipt ? receipt.results.flatMap(leaves) : [receipt];
}
