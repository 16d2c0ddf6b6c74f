import { TaskNotRegistered } from "../protocol/errors.ts";
import { SoftTimeLimitExceeded } from "../protocol/task-signals.ts";
import { celeryError, toWireError, type WireError } from "../protocol/wire-error.ts";

/** What a task threw, for the wire: as `toWireError`, and what Celery has too as Celery stores it. */
export function thrownError(thrown: unknown): WireError {
  // billiard raises it without arguments; ours has a message for people who catch it.
  if (thrown instanceof SoftTimeLimitExceeded) return celeryError("SoftTimeLimitExceeded");
  if (thrown instanceof TaskNotRegistered) return celeryError("NotRegistered", thrown.task);
  return toWireError(thrown);
}
