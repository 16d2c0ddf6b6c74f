import { CeleryError } from "./errors.ts";

/** Thrown by `self.retry()`: the task is to be sent again. Not a failure. */
export class Retry extends CeleryError {
  readonly code = "RETRY";
  /** Why, when the task said so. */
  readonly exc: Error | undefined;
  /** Seconds from now, or the moment itself. */
  readonly when: number | Date;

  constructor(message: string, options: { exc?: Error | undefined; when: number | Date }) {
    super(message);
    this.exc = options.exc;
    this.when = options.when;
  }
}

/** Thrown by a task that wants no result stored and no more done about it. */
export class Ignore extends CeleryError {
  readonly code = "IGNORE";

  constructor(message = "ignored by the task") {
    super(message);
  }
}

/** Thrown by `self.replace()`: another signature takes the task's place. */
export class Replaced extends Ignore {
  /** Celery's dict. */
  readonly signature: object;

  constructor(signature: object) {
    super("Replaced by new task");
    this.signature = signature;
  }
}

/** Thrown by a task with late ack that does not want its message: back to the queue, or gone. */
export class Reject extends CeleryError {
  readonly code = "REJECT";
  readonly reason: string;
  readonly requeue: boolean;

  constructor(reason = "", requeue = false) {
    super(`reject requeue=${requeue ? "True" : "False"}: ${reason}`);
    this.reason = reason;
    this.requeue = requeue;
  }
}

/** A task used up its `maxRetries`. */
export class MaxRetriesExceededError extends CeleryError {
  readonly code = "MAX_RETRIES_EXCEEDED";
}

/** Thrown inside a task when its soft time limit has passed: time to tidy up. */
export class SoftTimeLimitExceeded extends CeleryError {
  readonly code = "SOFT_TIME_LIMIT_EXCEEDED";

  constructor(message = "SoftTimeLimitExceeded()") {
    super(message);
  }
}
