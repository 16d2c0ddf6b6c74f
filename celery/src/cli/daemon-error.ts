import { CeleryError } from "../protocol/errors.ts";

/** The background cannot be had: a file cannot be written, or it runs already. */
export class DaemonError extends CeleryError {
  readonly code = "DAEMON";
}
