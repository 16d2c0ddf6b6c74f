import type { TaskRequest } from "../execution/request.ts";
import type { PoolResult, RunHooks } from "./pool.ts";

/** One run, from the moment the pool has taken it to its end. */
export interface Job {
  /** Unique in its pool. */
  readonly number: number;
  /** Not to begin after this, as a `MachineClock` counts: by then its message may be somebody else's. */
  readonly by: number;
  readonly request: TaskRequest;
  readonly hooks: RunHooks;
  readonly resolve: (result: PoolResult) => void;
  /** Its function is called. */
  started: boolean;
  /** Why the worker itself ended it. */
  verdict: PoolResult | undefined;
  hardLimit: NodeJS.Timeout | undefined;
}

export function makeJob(
  number: number,
  by: number,
  request: TaskRequest,
  hooks: RunHooks,
  resolve: (result: PoolResult) => void,
): Job {
  return { number, by, request, hooks, resolve, started: false, verdict: undefined, hardLimit: undefined };
}
