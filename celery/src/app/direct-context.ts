import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { InvalidArgument } from "../protocol/errors.ts";
import type { TaskCanvas } from "./canvas/task-canvas.ts";
import type { AnyTask, RequestInfo, RetryOptions, TaskContext } from "./types.ts";
import { NO_WORKFLOW } from "./workflow-info.ts";

/** `self` of a bound task that is called like a function: no message, no worker, nothing to retry. */
export function directContext(task: AnyTask, args: readonly unknown[]): TaskContext {
  const canvas = task as AnyTask & TaskCanvas<unknown>;
  return {
    app: task.app,
    name: task.name,
    request: directRequest(task, args),
    signal: new AbortController().signal,
    sendEvent: () => undefined,
    s: canvas.s,
    si: canvas.si,
    signature: canvas.signature,
    map: canvas.map,
    starmap: canvas.starmap,
    chunks: canvas.chunks,
    retry: ({ exc }: RetryOptions = {}): never => {
      throw (
        exc ??
        new Error(`${task.name} was called directly, so nobody can retry it. Send it with delay() instead.`)
      );
    },
    replace: (): never => {
      throw new Error(
        `${task.name} was called directly, so nothing can take its place. Send it with delay() instead.`,
      );
    },
    addToChord: () =>
      Promise.reject(new InvalidArgument(`${task.name} was called directly: it is a part of no chord.`)),
    // Celery stores the state under a made-up id; nobody could ask for it.
    updateState: () => Promise.resolve(),
  };
}

function directRequest(task: AnyTask, args: readonly unknown[]): RequestInfo {
  const id = randomUUID();
  return {
    id,
    task: task.name,
    args,
    kwargs: {},
    retries: 0,
    rootId: id,
    parentId: null,
    eta: null,
    expires: null,
    origin: task.app.origin,
    hostname: hostname(),
    deliveryInfo: { exchange: "", routingKey: "", redelivered: false, priority: 0 },
    redelivered: false,
    timeLimit: [null, null],
    ignoreResult: true,
    headers: {},
    calledDirectly: true,
    ...NO_WORKFLOW,
  };
}
