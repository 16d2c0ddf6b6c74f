import type { Entry } from "./entry.ts";

/**
 * An argument of a periodic task that is worked out each time Beat sends it:
 *
 * ```ts
 * kwargs: { until: new BeatLazyFunc(() => new Date().toISOString()) }
 * ```
 *
 * @see celery 5.7.0 beat.py, `BeatLazyFunc`
 */
export class BeatLazyFunc<Args extends readonly unknown[] = readonly unknown[]> {
  /** This and not the class tells it, so that one from another copy of this library counts too. */
  readonly isBeatLazyFunc: true = true;
  readonly #work: () => unknown;

  constructor(work: (...args: Args) => unknown, ...args: Args) {
    this.#work = () => work(...args);
  }

  /** What is sent instead of it. */
  evaluate(): unknown {
    return this.#work();
  }
}

/** The entry with its lazy arguments worked out. Those inside of others stay: they cannot be sent, and sending says so. */
export function evaluateArguments(entry: Entry): Entry {
  const kwargs = Object.entries(entry.options.kwargs ?? {}).map(([name, value]) => [name, evaluate(value)]);
  return {
    ...entry,
    args: entry.args.map(evaluate),
    options: { ...entry.options, kwargs: Object.fromEntries(kwargs) as Record<string, unknown> },
  };
}

function evaluate(value: unknown): unknown {
  return typeof value === "object" && value !== null && "isBeatLazyFunc" in value
    ? (value as BeatLazyFunc).evaluate()
    : value;
}
