import type { AsyncResult } from "../backend/async-result.ts";
import { bindArguments } from "../execution/bind-arguments.ts";
import { declareSignature, readSignature, type TaskSignature } from "../execution/parameters.ts";
import { InvalidArgument } from "../protocol/errors.ts";
import { annotate } from "./annotations.ts";
import { canvasOf } from "./canvas/task-canvas.ts";
import type { Conf } from "./conf.ts";
import { directContext } from "./direct-context.ts";
import { applyAlwaysEagerly, applyEagerly, type EagerOptions } from "./eager.ts";
import { pickHandlers } from "./task-handlers.ts";
import type { AnyTask, ApplyOptions, CeleryApp, ResolvedTaskOptions, Task, TaskOptions } from "./types.ts";

type AnyFunction = (...args: never[]) => unknown;

/** The callable that `app.task()` returns: a function with a name, options and ways to be sent. */
export function makeTask(
  app: CeleryApp,
  name: string,
  options: TaskOptions,
  run: AnyFunction,
): Task<readonly unknown[], unknown> {
  const call = async (...args: readonly unknown[]): Promise<unknown> => {
    const self = options.bind ? [directContext(task, args)] : [];
    return (await task.run(...self, ...args)) ?? null;
  };
  const task = Object.defineProperties(call, {
    name: { value: name },
    app: { value: app },
    options: { get: cachedOptions(name, options, app.conf), enumerable: true },
    run: { value: run },
    takes: { get: cachedSignature(name, options, run) },
    ...canvasOf(app, name),
    delay: { value: (...args: readonly unknown[]) => send(task, args, {}) },
    applyAsync: {
      value: (args: readonly unknown[] = [], applyOptions: ApplyOptions = {}) =>
        send(task, args, applyOptions),
    },
    apply: {
      value: (args: readonly unknown[] = [], eagerOptions: EagerOptions = {}) =>
        applyEagerly(task, args, eagerOptions),
    },
    AsyncResult: { value: (id: string) => app.AsyncResult(id) },
  }) as unknown as Task<readonly unknown[], unknown>;
  return task;
}

/** @throws TypeError when the arguments do not fit, in Python's words (`typing`). */
function send(task: AnyTask, args: readonly unknown[], options: ApplyOptions): Promise<AsyncResult<unknown>> {
  const { name, app } = task;
  try {
    checkArguments(task, args, options);
  } catch (error) {
    return Promise.reject(error as Error);
  }
  return app.conf.task_always_eager
    ? applyAlwaysEagerly(task, args, options)
    : app.sendTask(name, args, options);
}

function checkArguments(task: AnyTask, args: readonly unknown[], options: ApplyOptions): void {
  const { name, takes } = task;
  if (!Array.isArray(args)) {
    throw new InvalidArgument(
      `${name}.applyAsync takes the arguments as a list: ${name}.applyAsync([1, 2], { countdown: 5 }).`,
    );
  }
  if (task.options.typing) bindArguments(name, takes, { args, kwargs: options.kwargs ?? NO_KWARGS });
}

const NO_KWARGS: Readonly<Record<string, unknown>> = {};

/** Read when it is first asked for, once. */
function cachedSignature(name: string, options: TaskOptions, run: AnyFunction): () => TaskSignature | null {
  let signature: TaskSignature | null | undefined =
    options.parameters && declareSignature(name, options.parameters);
  return () => {
    if (signature === undefined) signature = readSignature(run, options.bind ?? false);
    return signature;
  };
}

/** Resolved once per state of the configuration: a task may be made before `conf.update`. */
function cachedOptions(name: string, options: TaskOptions, conf: Conf): () => ResolvedTaskOptions {
  let revision = -1;
  let resolved: ResolvedTaskOptions;
  return () => {
    if (revision !== conf.revision) {
      resolved = resolveOptions(annotate(name, options, conf.task_annotations), conf);
      revision = conf.revision;
    }
    return resolved;
  };
}

/** @see celery 5.7.0 app/task.py, `Task` and `from_config` */
function resolveOptions(options: TaskOptions, conf: Conf): ResolvedTaskOptions {
  return {
    bind: options.bind ?? false,
    typing: options.typing ?? true,
    handlers: pickHandlers(options),
    maxRetries: options.maxRetries === undefined ? 3 : options.maxRetries,
    defaultRetryDelay: options.defaultRetryDelay ?? 180,
    autoretryFor: options.autoretryFor ?? [],
    dontAutoretryFor: options.dontAutoretryFor ?? [],
    retryKwargs: options.retryKwargs ?? {},
    retryBackoff: options.retryBackoff ?? false,
    retryBackoffMax: options.retryBackoffMax ?? 600,
    retryJitter: options.retryJitter ?? true,
    acksLate: options.acksLate ?? conf.task_acks_late,
    acksOnFailure: firstOf(
      options.acksOnFailure,
      options.acksOnFailureOrTimeout,
      conf.task_acks_on_failure,
      conf.task_acks_on_failure_or_timeout,
    ),
    acksOnTimeout: firstOf(
      options.acksOnTimeout,
      options.acksOnFailureOrTimeout,
      conf.task_acks_on_timeout,
      conf.task_acks_on_failure_or_timeout,
    ),
    rateLimit: options.rateLimit === undefined ? conf.task_default_rate_limit : options.rateLimit,
    rejectOnWorkerLost: options.rejectOnWorkerLost ?? conf.task_reject_on_worker_lost ?? false,
    ignoreResult: options.ignoreResult ?? conf.task_ignore_result,
    storeErrorsEvenIfIgnored: conf.task_store_errors_even_if_ignored,
    trackStarted: options.trackStarted ?? conf.task_track_started,
    timeLimit: options.timeLimit === undefined ? conf.task_time_limit : options.timeLimit,
    softTimeLimit: options.softTimeLimit === undefined ? conf.task_soft_time_limit : options.softTimeLimit,
    expires: options.expires ?? null,
    queue: options.queue ?? null,
    exchange: options.exchange ?? null,
    routingKey: options.routingKey ?? null,
    priority: options.priority ?? null,
    serializer: "json",
    compression: options.compression ?? null,
    throws: options.throws ?? [],
  };
}

/** The most specific one that was said; the last is always said. */
function firstOf(...flags: readonly (boolean | null | undefined)[]): boolean {
  return flags.find((flag) => typeof flag === "boolean") ?? true;
}
