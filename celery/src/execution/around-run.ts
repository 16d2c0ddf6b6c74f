import type { TaskSignal } from "../app/signals.ts";
import type { TaskHandlers } from "../app/task-handlers.ts";
import type { RunScene } from "./execute.ts";
import type { Outcome } from "./outcome.ts";
import { PlannedRetry } from "./retry.ts";

/** After these the task is not over for its caller: `afterReturn` is not called. @see celery 5.7.0 app/trace.py, `IGNORE_STATES` */
const IGNORE_STATES: ReadonlySet<string> = new Set(["IGNORED", "RETRY", "REJECTED"]);

/** Tells who listens that the function is about to be called. @returns what to wait for, if anything. */
export function beforeRun(scene: RunScene): Promise<void> | undefined {
  const { taskPrerun } = scene.deps.app.signals;
  return taskPrerun.isHeard ? taskPrerun.send(about(scene)) : undefined;
}

/**
 * Calls the task's own handlers and whoever listens, in Celery's order. What fails there is reported and changes nothing: the
 * outcome stands.
 *
 * @param retval what the function returned or threw.
 * @returns what to wait for, if anything.
 * @see celery 5.7.0 app/trace.py, `build_tracer`
 */
export function afterRun(scene: RunScene, outcome: Outcome, retval: unknown): Promise<void> | undefined {
  const { handlers } = scene.task.options;
  const { taskSuccess, taskFailure, taskRetry, taskPostrun } = scene.deps.app.signals;
  const isHeard = taskSuccess.isHeard || taskFailure.isHeard || taskRetry.isHeard || taskPostrun.isHeard;
  return isHeard || handlers.any ? tellAll(scene, outcome, retval) : undefined;
}

async function tellAll(scene: RunScene, outcome: Outcome, retval: unknown): Promise<void> {
  const { signals } = scene.deps.app;
  await tellHandler(scene, outcome, retval);
  const payload = about(scene);
  if (outcome.state === "SUCCESS") {
    await signals.taskSuccess.send({
      ...payload,
      result: retval,
      runtimeSeconds: outcome.runtimeSeconds,
    });
  }
  if (outcome.state === "FAILURE") {
    await signals.taskFailure.send({ ...payload, exception: retval, traceback: outcome.traceback });
  }
  if (outcome.state === "RETRY") {
    await signals.taskRetry.send({ ...payload, request: scene.request, reason: retval as Error });
  }
  await callHandler(scene, "afterReturn", ({ afterReturn }) => {
    if (IGNORE_STATES.has(outcome.state)) return undefined;
    const { id, args, kwargs } = scene.request;
    return afterReturn?.(outcome.state, retval, id, args, kwargs, tracebackOf(outcome));
  });
  await signals.taskPostrun.send({ ...payload, retval, state: outcome.state });
}

async function tellHandler(scene: RunScene, outcome: Outcome, retval: unknown): Promise<void> {
  const { id, args, kwargs } = scene.request;
  switch (outcome.state) {
    case "SUCCESS":
      return callHandler(scene, "onSuccess", ({ onSuccess }) => onSuccess?.(retval, id, args, kwargs));
    case "FAILURE":
      return callHandler(scene, "onFailure", ({ onFailure }) =>
        onFailure?.(retval, id, args, kwargs, outcome.traceback),
      );
    case "RETRY": {
      const cause = retval instanceof PlannedRetry ? retval.exc : retval;
      return callHandler(scene, "onRetry", ({ onRetry }) =>
        onRetry?.(cause, id, args, kwargs, outcome.traceback),
      );
    }
    case "IGNORED":
    case "REJECTED":
  }
}

async function callHandler(
  { task, request, deps }: RunScene,
  name: string,
  call: (handlers: TaskHandlers) => unknown,
): Promise<void> {
  try {
    await call(task.options.handlers);
  } catch (error) {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    deps.report(`Task ${task.name}[${request.id}] ${name} handler raised: ${text}`);
  }
}

function about({ task, request }: RunScene): TaskSignal {
  const { id: taskId, args, kwargs } = request;
  return { sender: task.name, taskId, task, args, kwargs };
}

function tracebackOf(outcome: Outcome): string | null {
  return outcome.state === "FAILURE" ? outcome.traceback : null;
}
