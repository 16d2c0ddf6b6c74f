import type { Log } from "../runtime/log.ts";

export type LogLevel = "DEBUG" | "INFO" | "WARNING" | "ERROR" | "CRITICAL" | "FATAL";

/** One line (or more, with a traceback) of the worker's log. */
export interface LogRecord {
  readonly level: LogLevel;
  /** `MainProcess`, or the pool process that it is about: `ForkPoolWorker-2`. */
  readonly processName: string;
  readonly text: string;
  /** A task has printed it: it may colour its own lines. */
  readonly isPrinted?: boolean;
}

/** The worker's log: what the library reports, and the records that Celery's users know by heart. */
export interface WorkerLog extends Log {
  record(record: LogRecord): void;
  /** False: records of this level go nowhere, and need not be made. */
  writes?(level: LogLevel): boolean;
}

/** Whether records of this level are worth making. */
export function isWritten(log: WorkerLog, level: LogLevel): boolean {
  return log.writes?.(level) ?? true;
}

export const MAIN_PROCESS = "MainProcess";
