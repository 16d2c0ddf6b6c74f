import { formatPython, formatPythonString } from "./python-repr.ts";

/** An exception as Celery stores it: `{"exc_type", "exc_message", "exc_module"}`. */
export interface WireError {
  /** Class name, e.g. `ValueError`. */
  readonly excType: string;
  /** The constructor's arguments, not a text. */
  readonly excMessage: readonly unknown[];
  /** Module of the class. Python looks the class up there, if it has already imported the module. */
  readonly excModule: string;
}

/** Exceptions of JavaScript that Python has under the same name: there they become the real class. */
const PYTHON_TOO: ReadonlySet<string> = new Set(["TypeError", "SyntaxError", "ReferenceError"]);

/** Ours that Celery has too, by name, and the module it keeps them in. */
const CELERY_MODULES: Readonly<Record<string, string>> = {
  Ignore: "celery.exceptions",
  MaxRetriesExceededError: "celery.exceptions",
  NotRegistered: "celery.exceptions",
  Reject: "celery.exceptions",
  Retry: "celery.exceptions",
  SoftTimeLimitExceeded: "billiard.exceptions",
  TaskRevokedError: "celery.exceptions",
  TimeLimitExceeded: "billiard.exceptions",
  WorkerLostError: "billiard.exceptions",
};

/** An exception of Celery's own, as a worker in Python would store it. */
export function celeryError(excType: string, ...excMessage: readonly unknown[]): WireError {
  return { excType, excMessage, excModule: CELERY_MODULES[excType] ?? "celery.exceptions" };
}

/**
 * What a task threw, for the wire. Anything can be thrown; what is not an `Error` becomes an `Error` of its text.
 * A `TaskError` (the failure of another task) keeps the type it came with.
 */
export function toWireError(thrown: unknown): WireError {
  if (!(thrown instanceof Error)) {
    return { excType: "Error", excMessage: [formatPython(thrown)], excModule: "javascript" };
  }
  if (isWireError(thrown)) return { ...pickWire(thrown) };
  const excType = thrown.name === "Error" ? thrown.constructor.name : thrown.name;
  const module = CELERY_MODULES[excType] ?? (PYTHON_TOO.has(excType) ? "builtins" : "javascript");
  return { excType, excMessage: thrown.message === "" ? [] : [thrown.message], excModule: module };
}

/** Whether a value has the three fields, as a stored failure has. */
export function isWireError(value: unknown): value is WireError {
  if (typeof value !== "object" || value === null) return false;
  const { excType, excMessage, excModule } = value as Partial<Record<keyof WireError, unknown>>;
  return typeof excType === "string" && Array.isArray(excMessage) && typeof excModule === "string";
}

/** As stored in a result. */
export function encodeWireError(error: WireError): Record<string, unknown> {
  return { exc_type: error.excType, exc_message: error.excMessage, exc_module: error.excModule };
}

/** `undefined` for what is not an exception. A text instead of the list of arguments counts as the only argument. */
export function decodeWireError(value: unknown): WireError | undefined {
  if (typeof value !== "object" || value === null || !("exc_type" in value)) return undefined;
  const { exc_type, exc_message, exc_module } = value as Record<string, unknown>;
  const excMessage = Array.isArray(exc_message) ? exc_message : exc_message == null ? [] : [exc_message];
  return {
    excType: String(exc_type),
    excMessage,
    excModule: typeof exc_module === "string" ? exc_module : "builtins",
  };
}

/** As Python's `repr`: `ValueError('boom', 42)`. For log lines and events. */
export function formatWireError(error: WireError): string {
  const args = error.excMessage.map((arg) =>
    typeof arg === "string" ? formatPythonString(arg) : formatPython(arg),
  );
  return `${error.excType}(${args.join(", ")})`;
}

function pickWire({ excType, excMessage, excModule }: WireError): WireError {
  return { excType, excMessage, excModule };
}
