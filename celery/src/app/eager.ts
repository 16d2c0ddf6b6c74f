import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { AsyncResult, type GetOptions } from "../backend/async-result.ts";
import { type Execution, execute } from "../execution/execute.ts";
import type { Outcome, RetryPlan } from "../execution/outcome.ts";
import type { TaskRequest } from "../execution/request.ts";
import { Run } from "../execution/run.ts";
import { decodeJson, encodeJson, rawJson } from "../protocol/json.ts";
import type { ResultMeta } from "../protocol/result-meta.ts";
import { isoFromMs } from "../protocol/time.ts";
import { systemClock } from "../runtime/clock.ts";
import { applyCanvasEagerly } from "./canvas/eager-canvas.ts";
import { toSigOptions } from "./canvas/options.ts";
import { makeSig } from "./canvas/sig.ts";
import type { AnyTask, ApplyOptions, CeleryApp } from "./types.ts";
import { NO_WORKFLOW } from "./workflow-info.ts";

/** How a task is run by `apply`. */
export interface EagerOptions {
  readonly kwargs?: Readonly<Record<string, unknown>>;
  readonly taskId?: string;
  /** Retries so far. */
  readonly retries?: number;
  /** Throw what the task throws. Default `task_eager_propagates`. */
  readonly throw?: boolean;
  readonly headers?: Readonly<Record<string, unknown>>;
}

/** The result of a task that ran in this process: known from the beginning, and its error is the very one that was thrown. */
export class EagerResult<T> extends AsyncResult<T> {
  readonly #meta: ResultMeta;
  readonly #thrown: unknown;

  constructor(app: CeleryApp, meta: ResultMeta, thrown: unknown) {
    super(meta.taskId, { backend: () => app.backend(), insideTask: () => false });
    this.#meta = meta;
    this.#thrown = thrown;
  }

  override meta(): Promise<ResultMeta> {
    return Promise.resolve(this.#meta);
  }

  override result(): Promise<unknown> {
    return Promise.resolve(this.#meta.status === "SUCCESS" ? this.#meta.result : this.#thrown);
  }

  override get(options: GetOptions = {}): Promise<T> {
    const { status, result } = this.#meta;
    if (status === "SUCCESS") return Promise.resolve(result as T);
    if (status !== "FAILURE") return Promise.resolve(null as T);
    if (options.propagate === false) return Promise.resolve(this.#thrown as T);
    return Promise.reject(this.#thrown as Error);
  }

  /** There is nothing to delete. */
  override forget(): Promise<void> {
    return Promise.resolve();
  }
}

/**
 * Runs the task in this process as a worker would: with a context, handlers, signals, autoretry. Retries follow at once, whatever
 * their countdown.
 *
 * @see celery 5.7.0 app/task.py, `Task.apply`
 */
export async function applyEagerly(
  task: AnyTask,
  args: readonly unknown[],
  options: EagerOptions,
): Promise<EagerResult<unknown>> {
  let request = eagerRequest(task, args, options);
  for (;;) {
    const execution = await runHere(task.app, request);
    const { outcome } = execution;
    if (outcome.state !== "RETRY") return conclude(task, request, execution, options);
    request = nextRequest(request, outcome.retry);
  }
}

/** What `applyAsync` does under `task_always_eager`: the arguments travel through JSON, so that what cannot be sent fails here, too. */
export async function applyAlwaysEagerly(
  task: AnyTask,
  args: readonly unknown[],
  options: ApplyOptions,
): Promise<EagerResult<unknown>> {
  const sent = decodeJson(encodeJson([args, options.kwargs ?? {}], "arguments")) as [
    readonly unknown[],
    Readonly<Record<string, unknown>>,
  ];
  const { taskId, headers, link, linkError } = options;
  if (link !== undefined || linkError !== undefined) {
    const [callArgs, kwargs] = sent;
    const sig = makeSig(task.name, { args: callArgs, kwargs, options: toSigOptions(options) });
    return (await applyCanvasEagerly(task.app, sig)) as EagerResult<unknown>;
  }
  return await applyEagerly(task, sent[0], {
    kwargs: sent[1],
    ...(taskId !== undefined && { taskId }),
    ...(headers !== undefined && { headers }),
  });
}

function runHere(app: CeleryApp, request: TaskRequest): Promise<Execution> {
  const run = new Run({
    // As in Celery, only the end of an eager task may be stored.
    updateState: () => Promise.resolve(),
    onSoftLimit: () => undefined,
    sendEvent: () => undefined,
  });
  const report = (text: string): void => void process.stderr.write(`${text}\n`);
  return execute(request, run, { app, clock: systemClock, random: Math.random, report });
}

async function conclude(
  task: AnyTask,
  request: TaskRequest,
  { outcome, retval }: Execution,
  options: EagerOptions,
): Promise<EagerResult<unknown>> {
  const { conf } = task.app;
  const meta = metaOf(request.id, outcome);
  if (conf.task_store_eager_result && (outcome.state === "SUCCESS" || outcome.state === "FAILURE")) {
    await task.app.backend()?.store(meta);
  }
  const throws = options.throw ?? conf.task_eager_propagates;
  if (throws && outcome.state === "FAILURE") throw retval;
  const value = outcome.state === "SUCCESS" ? (retval ?? null) : meta.result;
  return new EagerResult(task.app, { ...meta, result: value }, retval);
}

function metaOf(taskId: string, outcome: Outcome): ResultMeta {
  const failed = outcome.state === "FAILURE" ? outcome : undefined;
  return {
    taskId,
    status: outcome.state,
    result: outcome.state === "SUCCESS" ? rawJson(outcome.resultJson) : (failed?.error ?? null),
    traceback: failed?.traceback ?? null,
    children: [],
    dateDone: isoFromMs(systemClock.nowMs()),
  };
}

function eagerRequest(task: AnyTask, args: readonly unknown[], options: EagerOptions): TaskRequest {
  const id = options.taskId ?? randomUUID();
  const parent = task.app.currentTask();
  const { timeLimit, softTimeLimit, ignoreResult } = task.options;
  return {
    id,
    task: task.name,
    args,
    kwargs: options.kwargs ?? {},
    retries: options.retries ?? 0,
    rootId: parent?.rootId ?? id,
    parentId: parent?.id ?? null,
    eta: null,
    expires: null,
    origin: task.app.origin,
    hostname: hostname(),
    deliveryInfo: { exchange: "", routingKey: "", redelivered: false, priority: 0 },
    redelivered: false,
    timeLimit: [timeLimit, softTimeLimit],
    ignoreResult,
    headers: options.headers ?? {},
    calledDirectly: false,
    isEager: true,
    ...NO_WORKFLOW,
    // There is nobody to kill the caller's own process.
    hardLimitSeconds: null,
    softLimitSeconds: null,
  };
}

function nextRequest(request: TaskRequest, plan: RetryPlan): TaskRequest {
  return {
    ...request,
    retries: request.retries + 1,
    args: plan.args ?? request.args,
    kwargs: plan.kwargs ?? request.kwargs,
  };
}
