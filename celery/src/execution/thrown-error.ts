import { SoftTimeLimitExceeded } from "../protocol/task-signals.ts";
import { celeryError, toWireError, type WireError } from "../protocol/wire-error.ts";

/** What a task threw, for the wire: as `toWireError`, and Celery's own signals as Celery stores them. */
export function thrownError(thrown: unknown): WireError {
  // billiard raises it without arguments; ours has a message for people who catch it.
  return thrown instanceof SoftTimeLimitExceeded ? celeryError("SoftTimeLimitExceeded") : toWireError(thrown);
}
