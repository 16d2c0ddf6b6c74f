import type { AnyTask, CeleryApp, CurrentTask } from "../app/types.ts";
import { TaskNotRegistered } from "../protocol/errors.ts";
import type { ResultTuple } from "../protocol/result-tuple.ts";
import type { Clock } from "../runtime/clock.ts";
import { afterRun, beforeRun } from "./around-run.ts";
import { bindArguments } from "./bind-arguments.ts";
import { RunContext } from "./context.ts";
import type { Outcome } from "./outcome.ts";
import type { TaskRequest } from "./request.ts";
import type { Run } from "./run.ts";
import { type Attempt, failure, settle } from "./settle.ts";

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

/** Runs one task. Never rejects: whatever the task does is an outcome. */
export function execute(request: TaskRequest, run: Run, deps: ExecuteDeps): Promise<Execution> {
  return new Promise((resolve) => startExecution(request, run, deps, resolve));
}

/**
 * As `execute`, for whoever runs thousands a second: without promises of its own, and done at once when the function is.
 *
 * @param done called once.
 */
export function startExecution(
  request: TaskRequest,
  run: Run,
  deps: ExecuteDeps,
  done: (execution: Execution) => void,
): void {
  const task = deps.app.tasks.get(request.task);
  if (!task) {
    const error = new TaskNotRegistered(request.task, [...deps.app.tasks.keys()]);
    return done({ outcome: failure(error, false, 0), retval: error, abandoned: false });
  }
  const scene = new RunScene(task, request, run, deps);
  const preparing = beforeRun(scene);
  if (preparing) void preparing.then(() => scene.begin(done));
  else scene.begin(done);
}

/** Everything about one run, for the steps of it. */
export class RunScene {
  readonly task: AnyTask;
  readonly request: TaskRequest;
  readonly run: Run;
  readonly deps: ExecuteDeps;
  /** `self`, for a bound task. */
  readonly context: RunContext | undefined;
  readonly #startedMs: number;
  #limit: NodeJS.Timeout | undefined;
  /** What the function runs as: collects what it sends. */
  #current: CurrentTask | undefined;

  constructor(task: AnyTask, request: TaskRequest, run: Run, deps: ExecuteDeps) {
    this.task = task;
    this.request = request;
    this.run = run;
    this.deps = deps;
    this.context = task.options.bind ? new RunContext(task, request, run, deps) : undefined;
    this.#startedMs = deps.clock.monotonicMs();
  }

  /** Seconds since the run began. */
  elapsed(): number {
    return (this.deps.clock.monotonicMs() - this.#startedMs) / 1000;
  }

  begin(done: (execution: Execution) => void): void {
    const { request, run, deps } = this;
    // Ended before it began: a cold shutdown, or the claim went to another worker.
    if (run.isGivenUp) return this.#end({ ok: false, error: new Error("given up before it began") }, done);
    const limit = request.softLimitSeconds;
    if (limit !== null) this.#limit = setTimeout(() => run.expire(limit), limit * 1000);
    const current = { id: request.id, rootId: request.rootId, priority: request.deliveryInfo.priority };
    this.#current = current;
    let called: unknown;
    try {
      called = deps.app.runInTask(current, () => this.#call());
    } catch (error) {
      return this.#end({ ok: false, error }, done);
    }
    if (isThenable(called)) run.follow(called, (attempt) => this.#end(attempt, done));
    else this.#end({ ok: true, value: called }, done);
  }

  #call(): unknown {
    const { task, request } = this;
    const { beforeStart } = task.options.handlers;
    if (!beforeStart) return this.#callTask();
    const preparing: unknown = beforeStart(request.id, request.args, request.kwargs);
    return isThenable(preparing) ? preparing.then(() => this.#callTask()) : this.#callTask();
  }

  #callTask(): unknown {
    const { task, request, context } = this;
    const args = bindArguments(task.name, task.takes, request);
    return context ? task.run(context, ...args) : task.run(...args);
  }

  #end(attempt: Attempt, done: (execution: Execution) => void): void {
    clearTimeout(this.#limit);
    const { abandoned } = this.run;
    try {
      const { outcome: settled, retval } = settle(this.#meaning(attempt), this);
      const trail = this.#current?.trail;
      const outcome = trail === undefined ? settled : withChildren(settled, trail);
      // Of a run that was given up whoever did so tells how it ended; and it may run again elsewhere.
      const telling = this.run.isGivenUp ? undefined : afterAll(this, outcome, retval);
      if (telling === undefined) return done({ outcome, retval, abandoned });
      void telling.then(() => done({ outcome, retval, abandoned }));
    } catch (error) {
      done({ outcome: this.#internalError(error), retval: error, abandoned });
    }
  }

  /** `sleep(…, { signal: self.signal })` throws an AbortError that only points at why: the reason is what counts. */
  #meaning(attempt: Attempt): Attempt {
    if (attempt.ok || !(attempt.error instanceof Error) || attempt.error.name !== "AbortError")
      return attempt;
    return { ok: false, error: this.run.softLimitPassed ?? attempt.error };
  }

  /** A bug of ours, not of the task. */
  #internalError(error: unknown): Outcome {
    const { task, request, deps } = this;
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    deps.report(`Task ${task.name}[${request.id}] INTERNAL ERROR: ${text}`);
    const { args, kwargs, id: taskId } = request;
    const about = { sender: task.name, taskId, task, args, kwargs };
    void deps.app.signals.taskInternalError.send({ ...about, request, exception: error });
    return failure(error, false, this.elapsed());
  }
}

/** Errbacks that take the failure itself come right after it, as in Celery. */
function afterAll(scene: RunScene, outcome: Outcome, retval: unknown): Promise<void> | undefined {
  const { task, request, deps } = scene;
  if (outcome.state !== "FAILURE" || request.errbacks === null) return afterRun(scene, outcome, retval);
  const failed = { request, error: retval, traceback: outcome.traceback };
  const called = task.app.actions.callErrbacks(request.errbacks, failed, deps.report);
  return called.then(() => afterRun(scene, outcome, retval));
}

function withChildren(outcome: Outcome, children: readonly ResultTuple[]): Outcome {
  return outcome.state === "SUCCESS" || outcome.state === "FAILURE" ? { ...outcome, children } : outcome;
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === "object" && value !== null && typeof (value as { then?: unknown }).then === "function"
  );
}
