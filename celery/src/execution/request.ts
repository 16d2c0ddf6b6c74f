import type { RequestInfo } from "../app/types.ts";

/** Celery's own tasks that only give on what they get: their arguments come to them as they are to be written again (`decodeVerbatim`). */
export const PASSING_ON: ReadonlySet<string> = new Set([
  "celery.accumulate",
  "celery.chord",
  "celery.chord_unlock",
  "celery.chunks",
  "celery.group",
]);

/**
 * One task to run: what the message says plus what the worker adds. Plain data, it crosses from the worker to
 * a pool child as Celery's JSON.
 */
export interface TaskRequest extends RequestInfo {
  /** The limits in force, in seconds: the message's, else the task's, else the worker's. Null = none. */
  readonly hardLimitSeconds: number | null;
  readonly softLimitSeconds: number | null;
  /** The message's body as it came (`[args, kwargs, …]`), for a pool that sends it on without writing it anew. */
  readonly bodyText?: string;
}
