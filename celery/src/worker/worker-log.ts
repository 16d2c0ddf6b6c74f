import type { Log } from "../runtime/log.ts";

export type LogLevel = "DEBUG" | "INFO" | "WARNING" | "ERROR" | "CRITICAL" | "FATAL";

/** One line (or more, with a traceback) of the worker's log. */
export interface LogRecord {
  readonly level: LogLevel;
  /** `MainProcess`, or the pool process that it is about: `ForkPoolWorker-2`. */
  readonly processName: string;
  readonly text: string;
}

/** The worker's log: what the library reports, and the records that Celery's users know by heart. */
export interface WorkerLog extends Log {
  record(record: LogRecord): void;
}

export const MAIN_PROCESS = "MainProcess";
