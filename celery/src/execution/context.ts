import type { AnyTask, RetryOptions, TaskContext } from "../app/types.ts";
import type { TaskState } from "../protocol/states.ts";
import type { TaskRequest } from "./request.ts";
import { planRetry, type RetryDeps } from "./retry.ts";
import type { RunSignal } from "./soft-limit.ts";

export interface ContextDeps extends RetryDeps {
  /** Has the worker store the state; settles when it is stored. */
  updateState(state: TaskState, meta: unknown): Promise<void>;
}

/** `self` for one run of a bound task. */
export function makeContext(
  task: AnyTask,
  request: TaskRequest,
  run: RunSignal,
  deps: ContextDeps,
): TaskContext {
  return {
    app: task.app,
    name: task.name,
    request,
    get signal(): AbortSignal {
      return run.signal;
    },
    retry(options: RetryOptions = {}): never {
      throw planRetry(task, request, options, deps);
    },
    updateState: (state, meta = null) => deps.updateState(state, meta),
  };
}
