import type { AnyTask } from "../app/types.ts";
import { encodeJson } from "../protocol/json.ts";
import { formatPython } from "../protocol/python-repr.ts";
import { Ignore, Reject, Retry } from "../protocol/task-signals.ts";
import { formatWireError } from "../protocol/wire-error.ts";
import type { Outcome } from "./outcome.ts";
import type { TaskRequest } from "./request.ts";
import { autoretryOptions, isAutoretried, PlannedRetry, planRetry, type RetryDeps } from "./retry.ts";
import { thrownError } from "./thrown-error.ts";
import { formatTraceback } from "./traceback.ts";

/** @see celery 5.7.0 app/task.py, `resultrepr_maxsize` */
const RESULT_REPR = { maxLength: 1024 };

/** How the function ended. */
export type Attempt = { readonly abandoned: boolean } & (
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly error: unknown }
);

export interface SettleDeps extends RetryDeps {
  /** Seconds since the run began. */
  elapsed(): number;
}

/** What the end of the function means for the task. */
export function settle(attempt: Attempt, task: AnyTask, request: TaskRequest, deps: SettleDeps): Outcome {
  if (!attempt.ok) return settleThrown(attempt.error, task, request, deps);
  try {
    return success(attempt.value, deps.elapsed());
  } catch (error) {
    return failure(error, false, deps.elapsed());
  }
}

function settleThrown(thrown: unknown, task: AnyTask, request: TaskRequest, deps: SettleDeps): Outcome {
  const runtimeSeconds = deps.elapsed();
  if (thrown instanceof Ignore) return { state: "IGNORED", runtimeSeconds };
  if (thrown instanceof Reject) return rejected(thrown, runtimeSeconds);
  try {
    const retry = decideRetry(thrown, task, request, deps);
    if (retry) return retrying(retry, runtimeSeconds);
  } catch (final) {
    return failure(final, isExpected(task, final), runtimeSeconds);
  }
  return failure(thrown, isExpected(task, thrown), runtimeSeconds);
}

/** @throws the error to fail with, when the task would be retried but may not be any more. */
function decideRetry(
  thrown: unknown,
  task: AnyTask,
  request: TaskRequest,
  deps: SettleDeps,
): PlannedRetry | undefined {
  if (thrown instanceof PlannedRetry) return thrown;
  if (thrown instanceof Retry) return planRetry(task, request, whenOf(thrown), deps);
  if (!isAutoretried(task.options, thrown)) return undefined;
  return planRetry(task, request, autoretryOptions(task.options, request.retries, thrown, deps.random), deps);
}

/** A task may throw a `Retry` of its own making: it asks for the same as `self.retry`. */
function whenOf(retry: Retry): Parameters<typeof planRetry>[2] {
  const time = typeof retry.when === "number" ? { countdown: retry.when } : { eta: retry.when };
  return retry.exc ? { ...time, exc: retry.exc } : time;
}

function success(value: unknown, runtimeSeconds: number): Outcome {
  const result = value === undefined ? null : value;
  return {
    state: "SUCCESS",
    resultJson: encodeJson(result),
    resultRepr: formatPython(result, RESULT_REPR),
    runtimeSeconds,
  };
}

/** The outcome of a run that ended with an error. */
export function failure(error: unknown, expected: boolean, runtimeSeconds: number): Outcome {
  const wire = thrownError(error);
  const traceback = formatTraceback(error);
  return {
    state: "FAILURE",
    error: wire,
    errorRepr: formatWireError(wire),
    traceback,
    expected,
    runtimeSeconds,
  };
}

function retrying(retry: PlannedRetry, runtimeSeconds: number): Outcome {
  const error = retry.exc ? thrownError(retry.exc) : null;
  return {
    state: "RETRY",
    retry: retry.plan,
    error,
    errorRepr: error ? formatWireError(error) : null,
    traceback: formatTraceback(retry),
    runtimeSeconds,
  };
}

function rejected(reject: Reject, runtimeSeconds: number): Outcome {
  const { requeue, reason } = reject;
  return { state: "REJECTED", requeue, reason, traceback: formatTraceback(reject), runtimeSeconds };
}

function isExpected(task: AnyTask, error: unknown): boolean {
  return task.options.throws.some((type) => error instanceof type);
}
