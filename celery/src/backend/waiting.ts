import { setMaxListeners } from "node:events";
import { TaskError, TaskRevokedError, TimeoutError } from "../protocol/errors.ts";
import type { ResultMeta } from "../protocol/result-meta.ts";
import { PROPAGATE_STATES } from "../protocol/states.ts";
import { isWireError } from "../protocol/wire-error.ts";

/** Node's timers hold no more; who waits longer than 24 days waits for ever. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** One signal for the caller's wish to stop and for the time limit, whichever comes first. */
export interface Deadline {
  readonly signal: AbortSignal;
  /** Nobody waits for it any more. One that is shared ends what still does. */
  end(): void;
}

interface DeadlineOptions {
  readonly signal?: AbortSignal;
  /** Seconds. */
  readonly timeout?: number;
  /** Several wait by this one. */
  readonly isShared?: boolean;
}

/** @param what is waited for, in the error's words: `Task <id>`. */
export function makeDeadline({ signal, timeout, isShared }: DeadlineOptions, what: string): Deadline {
  const controller = new AbortController();
  // Of those who share it each has a listener; Node would take many of them for a leak.
  if (isShared) setMaxListeners(0, controller.signal);
  const onAbort = (): void => controller.abort(signal?.reason);
  if (signal?.aborted) onAbort();
  signal?.addEventListener("abort", onAbort, { once: true });
  const late = (): void =>
    controller.abort(new TimeoutError(`${what} did not end within ${timeout} seconds.`));
  const isTimed = timeout !== undefined && timeout * 1000 <= LONGEST_TIMER_MS;
  const timer = isTimed ? setTimeout(late, timeout * 1000) : undefined;
  const end = (): void => {
    clearTimeout(timer);
    signal?.removeEventListener("abort", onAbort);
    // With a reason of its own: Node makes an error with a stack trace where there is none.
    if (isShared) controller.abort("it is not waited for any more");
  };
  return { signal: controller.signal, end };
}

/** What `get()` throws for a stored state; `undefined` when it is no failure. */
export function errorOf(taskId: string, meta: ResultMeta): TaskError | undefined {
  if (!PROPAGATE_STATES.has(meta.status)) return undefined;
  const wire = isWireError(meta.result)
    ? meta.result
    : { excType: "Exception", excMessage: [meta.result], excModule: "builtins" };
  const Class = meta.status === "REVOKED" ? TaskRevokedError : TaskError;
  return new Class(taskId, wire, meta.traceback);
}
