import type { AnyTask, CeleryApp } from "../app/types.ts";
import { TaskNotRegistered } from "../protocol/errors.ts";
import type { Clock } from "../runtime/clock.ts";
import { type ContextDeps, makeContext } from "./context.ts";
import type { Outcome } from "./outcome.ts";
import type { TaskRequest } from "./request.ts";
import { type Attempt, failure, settle } from "./settle.ts";
import { openRunSignal, type RunSignal } from "./soft-limit.ts";

export interface ExecuteDeps extends ContextDeps {
  readonly app: Pick<CeleryApp, "tasks" | "runInTask">;
  readonly clock: Clock;
  /** Gives the run up: the outcome is a FAILURE with the signal's reason. */
  readonly signal: AbortSignal;
  onSoftLimit(limitSeconds: number): void;
}

export interface Execution {
  readonly outcome: Outcome;
  /** The function was given up and may still be running. */
  readonly abandoned: boolean;
}

/** Runs one task. Never rejects: whatever the task does is an outcome. */
export async function execute(request: TaskRequest, deps: ExecuteDeps): Promise<Execution> {
  const startedMs = deps.clock.monotonicMs();
  const elapsed = (): number => (deps.clock.monotonicMs() - startedMs) / 1000;
  const task = deps.app.tasks.get(request.task);
  if (!task) {
    const error = new TaskNotRegistered(request.task, [...deps.app.tasks.keys()]);
    return { outcome: failure(error, false, elapsed()), abandoned: false };
  }
  using run = openRunSignal({
    limitSeconds: request.softLimitSeconds,
    outside: deps.signal,
    onSoftLimit: (limitSeconds) => deps.onSoftLimit(limitSeconds),
  });
  const attempt = await attemptRun(task, request, run, deps);
  return { outcome: settle(attempt, task, request, { ...deps, elapsed }), abandoned: attempt.abandoned };
}

async function attemptRun(
  task: AnyTask,
  request: TaskRequest,
  run: RunSignal,
  deps: ExecuteDeps,
): Promise<Attempt> {
  let isOver = false;
  const call = callTask(task, request, run, deps).finally(() => {
    isOver = true;
  });
  try {
    const value = await Promise.race([call, run.ignored]);
    return { ok: true, value, abandoned: false };
  } catch (thrown) {
    // Given up, not ended: what it throws later has no reader left.
    if (!isOver) call.catch(() => undefined);
    return { ok: false, error: meaningOf(thrown, run), abandoned: !isOver };
  }
}

async function callTask(
  task: AnyTask,
  request: TaskRequest,
  run: RunSignal,
  deps: ExecuteDeps,
): Promise<unknown> {
  const current = { id: request.id, rootId: request.rootId, priority: request.deliveryInfo.priority };
  const self = task.options.bind ? [makeContext(task, request, run, deps)] : [];
  const named = Object.keys(request.kwargs).length > 0 ? [request.kwargs] : [];
  return await deps.app.runInTask(current, () => task.run(...self, ...request.args, ...named));
}

/** `sleep(…, { signal: self.signal })` throws an AbortError that only points at why: the reason is what counts. */
function meaningOf(thrown: unknown, run: RunSignal): unknown {
  const isAbort = thrown instanceof Error && thrown.name === "AbortError";
  return isAbort && run.softLimitPassed ? (run.signal.reason as unknown) : thrown;
}
