import type { Json, TaskFacts } from "../checks/facts.ts";
import type { ResultNews } from "./task-record.ts";

/** A stored result as the observer hands it over; `ResultMeta` of `celery` is one. */
export interface StoredResult {
  readonly taskId: string;
  readonly status: string;
  readonly result: unknown;
  /** ISO 8601, null until the state is final. */
  readonly dateDone: string | null;
}

/** States whose result is an exception. */
const ERROR_STATES: readonly string[] = ["FAILURE", "RETRY", "REVOKED"];
const MAX_DEPTH = 32;

/**
 * What a result says, in the words of the facts.
 *
 * @param now epoch milliseconds: when it was heard, for states without a time of their own.
 */
export function resultNews(
  { taskId, status, result, dateDone }: StoredResult,
  now: number,
  { isNotice = true }: { readonly isNotice?: boolean } = {},
): ResultNews {
  const done = dateDone === null ? Number.NaN : Date.parse(dateDone);
  return {
    taskId,
    state: status,
    result: toJson(result, MAX_DEPTH),
    error: ERROR_STATES.includes(status) ? errorOf(result) : null,
    at: Number.isNaN(done) ? now : done,
    isNotice,
  };
}

/** The text that is stored under a task's result key; undefined for what is no result. */
export function parseStored(text: string): StoredResult | undefined {
  const raw = parseRecord(text);
  if (typeof raw?.["task_id"] !== "string" || typeof raw["status"] !== "string") return undefined;
  const { task_id: taskId, status, result, date_done: dateDone } = raw;
  const error = ERROR_STATES.includes(status) ? parseError(result) : undefined;
  return {
    taskId,
    status,
    result: error ?? result,
    dateDone: typeof dateDone === "string" ? dateDone : null,
  };
}

function parseRecord(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null
      ? (value as Readonly<Record<string, unknown>>)
      : undefined;
  } catch {
    return undefined; // NaN or a text of somebody else's; the published copy is decoded by the library.
  }
}

function parseError(result: unknown): { excType: unknown; excMessage: unknown } | undefined {
  if (typeof result !== "object" || result === null) return undefined;
  const { exc_type: excType, exc_message: excMessage } = result as {
    exc_type?: unknown;
    exc_message?: unknown;
  };
  return { excType, excMessage };
}

function errorOf(result: unknown): TaskFacts["error"] {
  if (typeof result !== "object" || result === null) return null;
  const { excType, excMessage } = result as { excType?: unknown; excMessage?: unknown };
  if (typeof excType !== "string") return null;
  const parts = Array.isArray(excMessage) ? excMessage : [excMessage ?? ""];
  return {
    type: excType,
    message: parts.map((part) => (typeof part === "string" ? part : JSON.stringify(part))).join(", "),
  };
}

/** Decoded values that JSON has no word for become text; what is nested too deeply becomes nothing. */
function toJson(value: unknown, depth: number): Json {
  if (value === null || typeof value === "boolean" || typeof value === "string") return value;
  if (typeof value === "number") return Number.isFinite(value) ? value : String(value);
  if (typeof value === "bigint") return String(value);
  if (value instanceof Date) return value.toISOString();
  if (typeof value !== "object" || depth === 0) return null;
  if (Array.isArray(value)) return value.map((item) => toJson(item, depth - 1));
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, toJson(item, depth - 1)]));
}
