/**
 * Task states as Celery stores them. A task may be in a state of its own making (`PROGRESS`), so a state is any
 * string; these are the ones with a meaning.
 * @see celery 5.7.0 states.py
 */
export type TaskState = BuiltinState | (string & {});

export type BuiltinState =
  | "PENDING"
  | "RECEIVED"
  | "STARTED"
  | "SUCCESS"
  | "FAILURE"
  | "REVOKED"
  | "REJECTED"
  | "RETRY"
  | "IGNORED";

/** The result will not change any more. */
const READY_STATES: ReadonlySet<TaskState> = new Set(["SUCCESS", "FAILURE", "REVOKED"]);
/** `get()` throws for these. */
export const PROPAGATE_STATES: ReadonlySet<TaskState> = new Set(["FAILURE", "REVOKED"]);
/** The stored result is an exception. */
export const EXCEPTION_STATES: ReadonlySet<TaskState> = new Set(["RETRY", "FAILURE", "REVOKED"]);

export function isReady(state: TaskState): boolean {
  return READY_STATES.has(state);
}
