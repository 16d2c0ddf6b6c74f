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

/** High to low; `null` stands for every state that is not listed. */
const PRECEDENCE: readonly (BuiltinState | null)[] = [
  "SUCCESS",
  "FAILURE",
  null,
  "REVOKED",
  "STARTED",
  "RECEIVED",
  "REJECTED",
  "RETRY",
  "PENDING",
];

/** Lower means "further along": events may arrive out of order, and the further state wins. */
export function precedence(state: TaskState): number {
  const index = PRECEDENCE.indexOf(state as BuiltinState);
  return index === -1 ? PRECEDENCE.indexOf(null) : index;
}

export function isReady(state: TaskState): boolean {
  return READY_STATES.has(state);
}
