import { setMaxListeners } from "node:events";
import { TaskError, TaskRevokedError, TimeoutError } from "../protocol/errors.ts";
import type { ResultMeta } from "../protocol/result-meta.ts";
import { PROPAGATE_STATES } from "../protocol/states.ts";
import { isWireError } from "../protocol/wire-error.ts";
import type { ResultBackend } from "./backend.ts";

/** Node's timers hold no more; who waits longer than 24 days waits for ever. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** One signal for the caller's wish to stop and for the time limit, whichever comes first. */
export interface Deadline {
  readonly signal: AbortSignal;
  /** Ends everything that still waits for it. */
  end(): void;
}

/** @param what is waited for, in the error's words: `Task <id>`. */
export function makeDeadline(
  { signal, timeout }: { readonly signal?: AbortSignal; readonly timeout?: number },
  what: string,
): Deadline {
  const controller = new AbortController();
  // A group waits for each of its members by this one signal.
  setMaxListeners(0, controller.signal);
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
    controller.abort();
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

/**
 * Rejects when the task fails, and never settles otherwise: a chain whose step has failed will not go on.
 * @see celery 5.7.0 result.py, `_maybe_reraise_parent_error`
 */
export async function failureOf(taskId: string, backend: ResultBackend, signal: AbortSignal): Promise<never> {
  const meta = await backend.wait(taskId, signal);
  const error = errorOf(taskId, meta);
  if (error !== undefined) throw error;
  return new Promise<never>(() => undefined);
}
