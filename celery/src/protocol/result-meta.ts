import { DecodeError } from "./errors.ts";
import { decodeJson, decodeVerbatim, encodeJson } from "./json.ts";
import { plainOf } from "./raw-json.ts";
import { EXCEPTION_STATES, type TaskState } from "./states.ts";
import { decodeWireError, encodeWireError, isWireError } from "./wire-error.ts";

/** What is stored under `celery-task-meta-<id>` and published on the channel of the same name. */
export interface ResultMeta {
  readonly taskId: string;
  readonly status: TaskState;
  /** Return value, `WireError` for exception states, the `meta` of a custom state. `rawJson(text)` is written as it is. */
  readonly result: unknown;
  readonly traceback: string | null;
  readonly children: readonly unknown[] | null;
  /** ISO 8601 with offset once the state is final, else null. */
  readonly dateDone: string | null;
  readonly groupId?: string;
  readonly parentId?: string;
  /** With `result_extended`. */
  readonly extended?: ExtendedMeta;
}

export interface ExtendedMeta {
  readonly name: string | null;
  readonly args: unknown;
  readonly kwargs: unknown;
  readonly worker: string | null;
  readonly retries: number | null;
  readonly queue: string | null;
  /** Names of the stamps; each stamp is a further field of its own name. */
  readonly stamped_headers?: readonly string[];
  readonly [stamp: string]: unknown;
}

/**
 * Keys and order of Celery: `task_id` comes last. One text after another instead of an object and its JSON: this runs once per task.
 *
 * @see celery 5.7.0 backends/base.py, `_get_result_meta`
 */
export function encodeResultMeta(meta: ResultMeta): string {
  const { status, groupId, parentId, extended } = meta;
  const more = { group_id: groupId, parent_id: parentId, ...extended };
  return (
    `{"status": ${encodeJson(status)}, "result": ${encodeJson(writeResult(status, meta.result), "result.result")}, ` +
    `"traceback": ${encodeJson(meta.traceback)}, "children": ${encodeJson(meta.children, "result.children")}, ` +
    `"date_done": ${encodeJson(meta.dateDone)}, ${membersText(more, "result")}"task_id": ${encodeJson(meta.taskId)}}`
  );
}

/** The members that have a value, each with a comma after it. */
function membersText(members: object, name: string): string {
  const text = encodeJson(members, name);
  return text === "{}" ? "" : `${text.slice(1, -1)}, `;
}

/**
 * @param isSentOn a SUCCESS is to be written again, as it is: see `decodeVerbatim`.
 * @throws DecodeError when the text is no result.
 */
export function decodeResultMeta(text: string, isSentOn = false): ResultMeta {
  const raw = isSentOn ? decodeVerbatim(text) : decodeJson(text);
  if (typeof raw !== "object" || raw === null || !("status" in raw) || typeof raw.status !== "string") {
    throw new DecodeError(`Not a task result: ${text.slice(0, 100)}`);
  }
  const fields = raw as Readonly<Record<string, unknown>>;
  const { status } = raw;
  const extended = readExtended(fields);
  return {
    taskId: textOrNull(fields["task_id"]) ?? "",
    status,
    result: readResult(status, fields["result"]),
    traceback: textOrNull(fields["traceback"]),
    children: Array.isArray(fields["children"]) ? fields["children"] : null,
    dateDone: textOrNull(fields["date_done"]),
    ...(typeof fields["group_id"] === "string" ? { groupId: fields["group_id"] } : {}),
    ...(typeof fields["parent_id"] === "string" ? { parentId: fields["parent_id"] } : {}),
    ...(extended === undefined ? {} : { extended }),
  };
}

function writeResult(status: TaskState, value: unknown): unknown {
  return EXCEPTION_STATES.has(status) && isWireError(value) ? encodeWireError(value) : (value ?? null);
}

function readResult(status: TaskState, value: unknown): unknown {
  const error = EXCEPTION_STATES.has(status) ? decodeWireError(plainOf(value)) : undefined;
  return error ?? value ?? null;
}

function readExtended(fields: Readonly<Record<string, unknown>>): ExtendedMeta | undefined {
  if (!("worker" in fields) && !("name" in fields)) return undefined;
  return {
    name: textOrNull(fields["name"]),
    args: fields["args"] ?? null,
    kwargs: fields["kwargs"] ?? null,
    worker: textOrNull(fields["worker"]),
    retries: typeof fields["retries"] === "number" ? fields["retries"] : null,
    queue: textOrNull(fields["queue"]),
    ...readStamps(fields),
  };
}

function textOrNull(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}

function readStamps(fields: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const names = fields["stamped_headers"];
  if (!Array.isArray(names)) return {};
  const stamps = names.map((name) => [String(name), fields[String(name)]] as const);
  return { stamped_headers: names.map(String), ...Object.fromEntries(stamps) };
}
