import type { AnyTask, CeleryApp } from "../app/types.ts";
import { TaskNotRegistered } from "../protocol/errors.ts";
import type { Clock } from "../runtime/clock.ts";
import { afterRun, beforeRun } from "./around-run.ts";
import { bindArguments } from "./bind-arguments.ts";
import { RunContext } from "./context.ts";
import type { Outcome } from "./outcome.ts";
import type { TaskRequest } from "./request.ts";
import type { Run } from "./run.ts";
import { type Attempt, failure, type SettleDeps, type Settled, settle } from "./settle.ts";

export interface ExecuteDeps {
  readonly app: Pick<CeleryApp, "tasks" | "runInTask" | "signals">;
  readonly clock: Clock;
  /** 0 ≤ n < 1. */
  readonly random: () => number;
  /** Told of what failed beside the task: a handler or this library. */
  readonly report: (text: string) => void;
}

export interface Execution {
  readonly outcome: Outcome;
  /** What the function returned or threw in the end, for whoever is in the same process. */
  readonly retval: unknown;
  /** The function was given up and may still be running. */
  readonly abandoned: boolean;
}

/** Everything about one run, for the steps of it. */
export interface RunScene {
  readonly task: AnyTask;
  readonly request: TaskRequest;
  readonly run: Run;
  /** `self`, for a bound task. */
  readonly context: RunContext | undefined;
  readonly deps: ExecuteDeps & SettleDeps;
}

/** Runs one task. Never rejects: whatever the task does is an outcome. */
export async function execute(request: TaskRequest, run: Run, deps: ExecuteDeps): Promise<Execution> {
  const startedMs = deps.clock.monotonicMs();
  const elapsed = (): number => (deps.clock.monotonicMs() - startedMs) / 1000;
  const task = deps.app.tasks.get(request.task);
  if (!task) {
    const error = new TaskNotRegistered(request.task, [...deps.app.tasks.keys()]);
    return { outcome: failure(error, false, elapsed()), retval: error, abandoned: false };
  }
  const context = task.options.bind ? new RunContext(task, request, run, deps) : undefined;
  const scene: RunScene = { task, request, run, context, deps: { ...deps, elapsed } };
  try {
    const { outcome, retval } = await perform(scene);
    return { outcome, retval, abandoned: run.abandoned };
  } catch (error) {
    return { outcome: internalError(error, scene), retval: error, abandoned: run.abandoned };
  }
}

async function perform(scene: RunScene): Promise<Settled> {
  const { request, run } = scene;
  const preparing = beforeRun(scene);
  if (preparing) await preparing;
  const limit = request.softLimitSeconds;
  const timer = limit === null ? undefined : setTimeout(() => run.expire(limit), limit * 1000);
  const attempt = await attemptRun(scene);
  clearTimeout(timer);
  const settled = settle(attempt, scene);
  const telling = afterRun(scene, settled.outcome, settled.retval);
  if (telling) await telling;
  return settled;
}

async function attemptRun(scene: RunScene): Promise<Attempt> {
  const { request, run, deps } = scene;
  // Ended before it began: a cold shutdown, or the claim went to another worker.
  if (run.isGivenUp) return { ok: false, error: new Error("given up before it began") };
  const current = { id: request.id, rootId: request.rootId, priority: request.deliveryInfo.priority };
  try {
    const called = deps.app.runInTask(current, () => callTask(scene));
    return { ok: true, value: isThenable(called) ? await run.outcomeOf(called) : called };
  } catch (thrown) {
    return { ok: false, error: meaningOf(thrown, run) };
  }
}

function callTask({ task, request, context }: RunScene): unknown {
  const call = (): unknown => {
    const args = bindArguments(task.name, task.signature, request);
    return context ? task.run(context, ...args) : task.run(...args);
  };
  const { beforeStart } = task.options.handlers;
  if (!beforeStart) return call();
  const preparing: unknown = beforeStart(request.id, request.args, request.kwargs);
  return isThenable(preparing) ? preparing.then(call) : call();
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === "object" && value !== null && typeof (value as { then?: unknown }).then === "function"
  );
}

/** `sleep(…, { signal: self.signal })` throws an AbortError that only points at why: the reason is what counts. */
function meaningOf(thrown: unknown, run: Run): unknown {
  const isAbort = thrown instanceof Error && thrown.name === "AbortError";
  return isAbort ? (run.softLimitPassed ?? thrown) : thrown;
}

/** A bug of ours, not of the task. */
function internalError(error: unknown, { task, request, deps }: RunScene): Outcome {
  deps.report(`Task ${task.name}[${request.id}] INTERNAL ERROR: ${describe(error)}`);
  const { args, kwargs, id: taskId } = request;
  void deps.app.signals.taskInternalError.send({
    sender: task.name,
    taskId,
    task,
    args,
    kwargs,
    request,
    exception: error,
  });
  return failure(error, false, deps.elapsed());
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
