import type { AnyTask, RetryOptions } from "../app/types.ts";
import { encodeJson } from "../protocol/json.ts";
import { formatPython } from "../protocol/python-repr.ts";
import { Ignore, Reject, Replaced, Retry } from "../protocol/task-signals.ts";
import { formatWireError } from "../protocol/wire-error.ts";
import type { RunScene } from "./execute.ts";
import type { Outcome } from "./outcome.ts";
import { autoretryOptions, isAutoretried, PlannedRetry, planRetry } from "./retry.ts";
import { thrownError } from "./thrown-error.ts";
import { formatTraceback } from "./traceback.ts";

/** @see celery 5.7.0 app/task.py, `resultrepr_maxsize` */
const RESULT_REPR = { maxLength: 1024 };

/** How the function ended. */
export type Attempt =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly error: unknown };

/** What is settled: the outcome, and what the function returned or threw in the end, for who listens in this process. */
export interface Settled {
  readonly outcome: Outcome;
  readonly retval: unknown;
}

/** What the end of the function means for the task. */
export function settle(attempt: Attempt, scene: RunScene): Settled {
  if (!attempt.ok) return settleThrown(attempt.error, scene);
  const { value } = attempt;
  try {
    return { outcome: retriedToo(success(value, scene.elapsed()), scene), retval: value };
  } catch (error) {
    return { outcome: failure(error, false, scene.elapsed()), retval: error };
  }
}

function settleThrown(thrown: unknown, scene: RunScene): Settled {
  const runtimeSeconds = scene.elapsed();
  if (thrown instanceof Replaced) return replaced(thrown, runtimeSeconds);
  if (thrown instanceof Ignore) return { outcome: { state: "IGNORED", runtimeSeconds }, retval: thrown };
  if (thrown instanceof Reject) return { outcome: rejected(thrown, runtimeSeconds), retval: thrown };
  try {
    const retry = decideRetry(thrown, scene);
    if (retry) return { outcome: retrying(retry, runtimeSeconds), retval: retry };
  } catch (final) {
    return failed(final, scene, runtimeSeconds);
  }
  return failed(thrown, scene, runtimeSeconds);
}

function replaced(thrown: Replaced, runtimeSeconds: number): Settled {
  const replacedBy = encodeJson(thrown.signature, "signature");
  return { outcome: { state: "IGNORED", runtimeSeconds, replacedBy }, retval: thrown };
}

function failed(error: unknown, scene: RunScene, runtimeSeconds: number): Settled {
  const outcome = failure(error, isExpected(scene.task, error), runtimeSeconds);
  return { outcome: retriedToo(outcome, scene), retval: error };
}

/** `self.retry({ throw: false })`: sent again, whatever became of this run. */
function retriedToo(
  outcome: Extract<Outcome, { state: "SUCCESS" | "FAILURE" }>,
  { context }: RunScene,
): Outcome {
  if (context === undefined || context.quietRetries.length === 0) return outcome;
  return { ...outcome, retriedToo: context.quietRetries.map(({ plan }) => plan) };
}

/** @throws the error to fail with, when the task would be retried but may not be any more. */
function decideRetry(thrown: unknown, { task, request, context, deps }: RunScene): PlannedRetry | undefined {
  if (thrown instanceof PlannedRetry) return thrown;
  if (thrown instanceof Retry) return planRetry(task, request, whenOf(thrown), deps);
  if (!isAutoretried(task.options, thrown)) return undefined;
  const options = autoretryOptions(task.options, request.retries, thrown, deps.random);
  const maxRetries = context?.maxRetries;
  return planRetry(task, request, maxRetries === undefined ? options : { ...options, maxRetries }, deps);
}

/** A task may throw a `Retry` of its own making: it asks for the same as `self.retry`. */
function whenOf(retry: Retry): RetryOptions {
  const time = typeof retry.when === "number" ? { countdown: retry.when } : { eta: retry.when };
  return retry.exc ? { ...time, exc: retry.exc } : time;
}

function success(value: unknown, runtimeSeconds: number): Extract<Outcome, { state: "SUCCESS" }> {
  const result = value === undefined ? null : value;
  return {
    state: "SUCCESS",
    resultJson: encodeJson(result),
    resultRepr: formatPython(result, RESULT_REPR),
    runtimeSeconds,
  };
}

/** The outcome of a run that ended with an error. */
export function failure(
  error: unknown,
  expected: boolean,
  runtimeSeconds: number,
): Extract<Outcome, { state: "FAILURE" }> {
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
