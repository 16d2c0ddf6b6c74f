import type { WireError } from "./wire-error.ts";

/**
 * Base of every error this package throws on purpose. `code` is API, `message` is for people.
 * One class per thing a caller can do about it; anything else is a bug and a plain `Error`.
 */
export abstract class CeleryError extends Error {
  abstract readonly code: string;

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** The caller's: a name that no task of this app has. */
export class TaskNotRegistered extends CeleryError {
  readonly code = "TASK_NOT_REGISTERED";
  readonly task: string;

  constructor(task: string, known: readonly string[]) {
    super(`No task named "${task}". Registered: ${known.join(", ") || "none"}.`);
    this.task = task;
  }
}

/** The caller's: two tasks under one name would make it a matter of luck which one runs. */
export class TaskAlreadyRegistered extends CeleryError {
  readonly code = "TASK_ALREADY_REGISTERED";

  constructor(task: string) {
    super(`A task named "${task}" is already registered on this app. Give one of the two another name.`);
  }
}

/** The world's: Redis is away or refuses. Safe to try again. */
export class OperationalError extends CeleryError {
  readonly code = "OPERATIONAL_ERROR";
}

/** The caller's: a setting that does not exist or has a value it cannot have. */
export class ImproperlyConfigured extends CeleryError {
  readonly code = "IMPROPERLY_CONFIGURED";
}

/** The caller's: an argument or option that cannot mean anything. */
export class InvalidArgument extends CeleryError {
  readonly code = "INVALID_ARGUMENT";
}

/** The `-A` module cannot be loaded, or holds no app. The message says where and what to do. */
export class AppLoadError extends CeleryError {
  readonly code = "APP_LOAD_ERROR";
}

/** A value that cannot travel as JSON. The message names the place inside the value. */
export class EncodeError extends CeleryError {
  readonly code = "ENCODE_ERROR";
}

/** Text that is not what it claims to be. */
export class DecodeError extends CeleryError {
  readonly code = "DECODE_ERROR";
}

/** The operation did not end in the time the caller gave it. The task itself goes on. */
export class TimeoutError extends CeleryError {
  readonly code = "TIMEOUT";
}

/** Results were asked for, but the app has nowhere to read them from. */
export class NoResultBackend extends CeleryError {
  readonly code = "NO_RESULT_BACKEND";

  constructor() {
    super(
      "No result backend is configured, so results are not kept. " +
        'Give the app one: new Celery("name", { broker, backend: "redis://localhost:6379/0" }).',
    );
  }
}

/** Waiting for a task inside a task can starve the pool. Celery's words. */
export class GetInsideTask extends CeleryError {
  readonly code = "GET_INSIDE_TASK";

  constructor() {
    super(
      "Never call result.get() within a task!\n" +
        "See https://docs.celeryq.dev/en/latest/userguide/tasks.html#avoid-launching-synchronous-subtasks",
    );
  }
}

/** A task ended in FAILURE: what it threw, as it came over the wire. */
export class TaskError extends CeleryError {
  readonly code: string = "TASK_FAILED";
  readonly taskId: string;
  readonly excType: string;
  readonly excMessage: readonly unknown[];
  readonly excModule: string;
  /** As stored: the traceback of the process that ran the task. */
  readonly traceback: string | null;

  constructor(taskId: string, error: WireError, traceback: string | null) {
    super(`${error.excType}: ${error.excMessage.map(String).join(", ")}`);
    this.taskId = taskId;
    this.excType = error.excType;
    this.excMessage = error.excMessage;
    this.excModule = error.excModule;
    this.traceback = traceback;
  }
}

/** A task was revoked, terminated or expired before it ended. */
export class TaskRevokedError extends TaskError {
  override readonly code = "TASK_REVOKED";
}
