import type { AnyTask, ResolvedTaskOptions, RetryOptions } from "../app/types.ts";
import { InvalidArgument } from "../protocol/errors.ts";
import { decodeJson, encodeJson } from "../protocol/json.ts";
import { formatPython, formatPythonArgs } from "../protocol/python-repr.ts";
import { MaxRetriesExceededError, Retry } from "../protocol/task-signals.ts";
import { isTime } from "../protocol/time.ts";
import { formatWireError } from "../protocol/wire-error.ts";
import type { Clock } from "../runtime/clock.ts";
import type { RetryChanges, RetryPlan } from "./outcome.ts";
import type { TaskRequest } from "./request.ts";
import { thrownError } from "./thrown-error.ts";

export interface RetryDeps {
  readonly clock: Clock;
  /** 0 ≤ n < 1. */
  readonly random: () => number;
}

/** `Retry` with the decision that it announces. */
export class PlannedRetry extends Retry {
  readonly plan: RetryPlan;

  constructor(plan: RetryPlan, options: { exc?: Error | undefined; when: number | Date }) {
    super(plan.message, options);
    this.name = "Retry";
    this.plan = plan;
  }
}

/**
 * Decides about another run.
 *
 * @throws the error in `options.exc`, else MaxRetriesExceededError, when the retries are used up. InvalidArgument for a time that is none.
 * @see celery 5.7.0 app/task.py, `Task.retry`
 */
export function planRetry(
  task: AnyTask,
  request: TaskRequest,
  options: RetryOptions,
  deps: RetryDeps,
): PlannedRetry {
  const maxRetries = options.maxRetries === undefined ? task.options.maxRetries : options.maxRetries;
  const call = nextArguments(task, request, options);
  if (maxRetries !== null && request.retries + 1 > maxRetries) throw exhausted(request, call, options.exc);
  const now = deps.clock.nowMs() / 1000;
  const countdown = options.countdown ?? task.options.defaultRetryDelay;
  const when = options.eta ?? countdown;
  const etaEpochSeconds = options.eta ? options.eta.getTime() / 1000 : now + countdown;
  checkTime(options.eta ? "eta" : "countdown", when, etaEpochSeconds);
  const plan: RetryPlan = {
    etaEpochSeconds,
    message: retryMessage(when, options.exc),
    args: asSent(call.args),
    kwargs: asSent(call.kwargs),
    queue: options.queue ?? null,
    exchange: options.exchange ?? null,
    routingKey: options.routingKey ?? null,
    priority: options.priority ?? null,
    changes: changesOf(options, now),
  };
  return new PlannedRetry(plan, { exc: options.exc, when });
}

/** Where the task can be blamed: a message with such a time could not be written. */
function checkTime(name: string, value: unknown, epochSeconds: number): void {
  if (isTime(epochSeconds * 1000)) return;
  throw new InvalidArgument(
    `${name} = ${String(value)}: a time between the years 1 and 9999 is expected, e.g. countdown: 60.`,
  );
}

/** Null where nothing is new. */
interface NextArguments {
  readonly args: readonly unknown[] | null;
  readonly kwargs: Readonly<Record<string, unknown>> | null;
}

/**
 * New positional arguments replace keywords of the same parameters, and the other way round; the rest is kept.
 *
 * @see celery 5.7.0 app/task.py, `Task.retry`
 */
function nextArguments(
  { takes: signature }: AnyTask,
  request: TaskRequest,
  options: RetryOptions,
): NextArguments {
  const { args = null, kwargs = null } = options;
  const names = signature?.parameters.map(({ name }) => name) ?? [];
  if (args !== null && kwargs === null) {
    const covered = new Set(names.slice(0, args.length));
    const kept = Object.entries(request.kwargs).filter(([name]) => !covered.has(name));
    return {
      args,
      kwargs: kept.length === Object.keys(request.kwargs).length ? null : Object.fromEntries(kept),
    };
  }
  if (kwargs === null || args !== null || signature === null) return { args, kwargs };
  const replaced = names.slice(0, request.args.length).filter((name) => Object.hasOwn(kwargs, name));
  if (replaced.length === 0) return { args, kwargs };
  const others = Object.entries(kwargs).filter(([name]) => !replaced.includes(name));
  return {
    args: request.args.map((value, index) => {
      const name = names[index];
      return name !== undefined && replaced.includes(name) ? kwargs[name] : value;
    }),
    kwargs: Object.fromEntries(others),
  };
}

function changesOf(options: RetryOptions, nowSeconds: number): RetryChanges {
  const { timeLimit, softTimeLimit, expires, ignoreResult, shadow, headers } = options;
  const expiresEpochSeconds =
    expires instanceof Date ? expires.getTime() / 1000 : nowSeconds + (expires ?? 0);
  checkTime("expires", expires, expiresEpochSeconds);
  return {
    ...(timeLimit !== undefined && { timeLimit }),
    ...(softTimeLimit !== undefined && { softTimeLimit }),
    ...(expires !== undefined && { expiresEpochSeconds }),
    ...(ignoreResult !== undefined && { ignoreResult }),
    ...(shadow !== undefined && { shadow }),
    ...(headers !== undefined && { headers: asSent(headers) }),
  };
}

/** What a value is after its journey; a value that cannot travel fails here, where the task can be blamed. */
function asSent<T>(value: T): T {
  return decodeJson(encodeJson(value)) as T;
}

function exhausted(request: TaskRequest, call: NextArguments, exc: Error | undefined): Error {
  if (exc) return exc;
  const args = formatPythonArgs(call.args ?? request.args);
  const kwargs = formatPython(call.kwargs ?? request.kwargs);
  return new MaxRetriesExceededError(
    `Can't retry ${request.task}[${request.id}] args:${args} kwargs:${kwargs}`,
  );
}

function retryMessage(when: number | Date, exc: Error | undefined): string {
  const time = typeof when === "number" ? `in ${when}s` : `at ${when.toISOString()}`;
  return exc ? `Retry ${time}: ${formatWireError(thrownError(exc))}` : `Retry ${time}`;
}

/** Whether the task's options say that this error means another try. */
export function isAutoretried(options: ResolvedTaskOptions, error: unknown): error is Error {
  return (
    error instanceof Error &&
    options.autoretryFor.some((type) => error instanceof type) &&
    !options.dontAutoretryFor.some((type) => error instanceof type)
  );
}

/** What `autoretryFor` passes to `retry`: the task's `retryKwargs`, with the wait that backs off if asked for. */
export function autoretryOptions(
  options: ResolvedTaskOptions,
  retries: number,
  exc: Error,
  random: () => number,
): RetryOptions {
  if (options.retryBackoff === false || options.retryBackoff === 0) return { ...options.retryKwargs, exc };
  const factor = Math.trunc(Math.max(1, Number(options.retryBackoff)));
  return { ...options.retryKwargs, exc, countdown: backoffSeconds(factor, retries, options, random) };
}

/**
 * Doubles with every retry up to the maximum; with jitter a random whole number from 0 to that, so that tasks
 * that failed together do not come back together.
 *
 * @see celery 5.7.0 utils/time.py, `get_exponential_backoff_interval`
 */
function backoffSeconds(
  factor: number,
  retries: number,
  options: Pick<ResolvedTaskOptions, "retryBackoffMax" | "retryJitter">,
  random: () => number,
): number {
  const countdown = Math.min(Math.trunc(options.retryBackoffMax), factor * 2 ** retries);
  return options.retryJitter ? Math.floor(random() * (countdown + 1)) : countdown;
}
