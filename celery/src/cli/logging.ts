import type { Clock } from "../runtime/clock.ts";
import { visible } from "../runtime/shown.ts";
import { type LogLevel, MAIN_PROCESS, type WorkerLog } from "../worker/worker-log.ts";

export const LOG_LEVELS: readonly LogLevel[] = ["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL", "FATAL"];

const RANK: Readonly<Record<LogLevel, number>> = {
  DEBUG: 10,
  INFO: 20,
  WARNING: 30,
  ERROR: 40,
  CRITICAL: 50,
  FATAL: 50,
};

const COLORS: Readonly<Partial<Record<LogLevel, number>>> = {
  DEBUG: 34,
  WARNING: 33,
  ERROR: 31,
  CRITICAL: 35,
};

export interface CeleryLogOptions {
  readonly level: LogLevel;
  /** Asked at each record: the app, whose settings have a say in it, is loaded later. */
  readonly color: () => boolean;
  readonly clock: Clock;
  /** Gets whole records with their line end. */
  readonly write: (text: string) => void;
}

/**
 * Writes Celery's log lines, `[2026-11-21 10:49:08,490: INFO/MainProcess] text`. Fields follow the text as
 * `key=value`.
 *
 * @see celery 5.7.0 `worker_log_format` and utils/log.py, `ColorFormatter`
 */
export function makeCeleryLog(options: CeleryLogOptions): WorkerLog {
  const writes = (level: LogLevel): boolean => RANK[level] >= RANK[options.level];
  const record: WorkerLog["record"] = ({ level, processName, text, isPrinted }) => {
    if (!writes(level)) return;
    const line = `[${timestamp(options.clock.nowMs())}: ${level}/${processName}] ${isPrinted ? text : visible(text)}`;
    options.write(`${paint(line, options.color() ? COLORS[level] : undefined)}\n`);
  };
  const at =
    (level: LogLevel) =>
    (fields: object, message: string): void => {
      record({ level, processName: MAIN_PROCESS, text: message + formatFields(fields) });
    };
  return { record, writes, debug: at("DEBUG"), info: at("INFO"), warn: at("WARNING"), error: at("ERROR") };
}

/** Colours text for a terminal, as Celery does: bold. */
export function paint(text: string, color: number | undefined): string {
  return color === undefined ? text : `\u001b[1;${color}m${text}\u001b[0m`;
}

/** `-l info` in any case. */
export function parseLogLevel(text: string): LogLevel | undefined {
  return LOG_LEVELS.find((level) => level === text.toUpperCase());
}

/** Local time with milliseconds, as Python's logging writes it. */
function timestamp(epochMs: number): string {
  return `${localTime(epochMs)},${String((epochMs % 1000) | 0).padStart(3, "0")}`;
}

/** `2026-11-21 10:49:08`, local. */
export function localTime(epochMs: number): string {
  const d = new Date(epochMs);
  const two = (n: number): string => String(n).padStart(2, "0");
  const day = `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())}`;
  return `${day} ${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())}`;
}

function formatFields(fields: object): string {
  return Object.entries(fields)
    .map(([key, value]) => ` ${key}=${formatValue(value)}`)
    .join("");
}

function formatValue(value: unknown): string {
  if (value instanceof Error) return JSON.stringify(value.message);
  return typeof value === "string" && /^[\w:./|@-]+$/.test(value)
    ? value
    : (JSON.stringify(value) ?? "undefined");
}
