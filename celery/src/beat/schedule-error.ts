import { CeleryError } from "../protocol/errors.ts";

/** A schedule that cannot be: a field out of range, a pattern that cannot be read, an unknown time zone. */
export class ScheduleError extends CeleryError {
  readonly code = "INVALID_SCHEDULE";
}
