import type { CeleryEvent } from "celery/events";
import type { Json, TaskFacts } from "../checks/facts.ts";
import { parsePythonLiteral } from "./python-literal.ts";

export type TaskEvent = Extract<CeleryEvent, { uuid: string }>;

/** A result as it was stored and published. */
export interface ResultNews {
  readonly taskId: string;
  readonly state: string;
  readonly result: Json;
  readonly error: { readonly type: string; readonly message: string } | null;
  /** Epoch milliseconds. */
  readonly at: number;
  /** Heard when it was stored; false when it was read later, perhaps again and again. */
  readonly isNotice: boolean;
}

/** One task as far as it was seen. Events and results tell the same story twice; either alone is enough. */
export interface TaskRecord extends TaskFacts {
  /** When the state was reached, in epoch milliseconds. */
  readonly stateAt: number;
  readonly startEvents: number;
  readonly startResults: number;
  readonly retryEvents: number;
  readonly retryResults: number;
  /** The last state that was stored; null while only events are known. */
  readonly storedState: string | null;
}

export function newRecord(id: string): TaskRecord {
  return {
    id,
    name: null,
    state: "PENDING",
    args: null,
    result: null,
    error: null,
    retries: 0,
    worker: null,
    pid: null,
    runtime: null,
    starts: 0,
    queue: null,
    sentAt: null,
    startedAt: null,
    finishedAt: null,
    eta: null,
    stateAt: 0,
    startEvents: 0,
    startResults: 0,
    retryEvents: 0,
    retryResults: 0,
    storedState: null,
  };
}

const FINAL: readonly string[] = ["SUCCESS", "FAILURE", "REVOKED", "REJECTED"];

export function isFinal(state: string): boolean {
  return FINAL.includes(state);
}

/** The record after an event. Events may come late, twice, in another order, or not at all. */
export function withEvent(record: TaskRecord, event: TaskEvent): TaskRecord {
  return derive(afterEvent(record, event, event.timestamp * 1000));
}

/** The record after a result; the same record when it says nothing new. */
export function withResult(record: TaskRecord, news: ResultNews): TaskRecord {
  if (!news.isNotice && news.state === record.storedState) return record;
  const moved = reach(record, news.state, news.at);
  const seen: TaskRecord = { ...moved, storedState: news.state };
  if (news.state === "STARTED") {
    return derive({ ...seen, ...whereabouts(news.result), startResults: record.startResults + 1 });
  }
  if (news.state === "RETRY") {
    return derive({ ...seen, error: news.error, retryResults: record.retryResults + 1 });
  }
  // A late notice of an earlier state must not take away what a later one said.
  if (seen.state !== news.state) return derive(seen);
  const isFailure = news.state === "FAILURE" || news.state === "REVOKED";
  return derive({
    ...seen,
    result: isFailure ? null : news.result,
    error: isFailure ? news.error : null,
  });
}

function afterEvent(record: TaskRecord, event: TaskEvent, at: number): TaskRecord {
  switch (event.type) {
    case "task-sent":
      return {
        ...described(record, event),
        queue: event.queue ?? event.routing_key ?? record.queue,
        sentAt: record.sentAt ?? at,
      };
    case "task-received":
      return { ...described(reach(record, "RECEIVED", at), event), worker: event.hostname };
    case "task-started":
      return {
        ...reach(record, "STARTED", at),
        worker: event.hostname,
        pid: childPid(event) ?? record.pid ?? event.pid,
        startedAt: Math.max(record.startedAt ?? 0, at),
        startEvents: record.startEvents + 1,
      };
    case "task-succeeded":
      return {
        ...reach(record, "SUCCESS", at),
        ...(record.storedState === "SUCCESS" ? {} : { result: reprOf(event.result), error: null }),
        worker: event.hostname,
        runtime: event.runtime,
      };
    case "task-failed":
      return {
        ...reach(record, "FAILURE", at),
        error: record.error ?? errorOf(event.exception),
        worker: event.hostname,
      };
    case "task-retried":
      return {
        ...reach(record, "RETRY", at),
        error: record.error ?? errorOf(event.exception),
        retryEvents: record.retryEvents + 1,
      };
    case "task-revoked":
      return reach(record, "REVOKED", at);
    case "task-rejected":
      return reach(record, "REJECTED", at);
    case "task-cancelled":
      // This run counts for nothing: the message is with another worker, whose events tell the rest.
      return record;
  }
}

function described(
  record: TaskRecord,
  event: Extract<TaskEvent, { type: "task-sent" | "task-received" }>,
): TaskRecord {
  const args = parsePythonLiteral(event.args);
  const eta = event.eta === null ? Number.NaN : Date.parse(event.eta);
  return {
    ...record,
    name: event.name,
    args: Array.isArray(args) ? args : record.args,
    retries: Math.max(record.retries, event.retries),
    eta: Number.isNaN(eta) ? record.eta : eta,
  };
}

/**
 * The record in a new state, or as it was when the news is older than what is known. The end of a task wins over
 * everything; only a failed task can run again (its message came back).
 */
function reach(record: TaskRecord, state: string, at: number): TaskRecord {
  if (!mayReach(record, state, at)) return record;
  const isEnd = isFinal(state);
  return {
    ...record,
    state,
    stateAt: Math.max(record.stateAt, at),
    finishedAt: isEnd
      ? record.state === state && record.finishedAt !== null
        ? record.finishedAt
        : at
      : null,
  };
}

function mayReach(record: TaskRecord, state: string, at: number): boolean {
  if (state === "PENDING") return false;
  if (state === "RECEIVED") return record.state === "PENDING";
  if (record.state === "SUCCESS") return state === "SUCCESS";
  if (isFinal(state)) return true;
  return at >= record.stateAt && !(isFinal(record.state) && at === record.stateAt);
}

/** What follows from the counts: each start was seen by an event, by a stored state, or must have been. */
function derive(record: TaskRecord): TaskRecord {
  const retries = Math.max(record.retries, record.retryEvents, record.retryResults);
  const least = record.state === "SUCCESS" ? retries + 1 : 0;
  return { ...record, retries, starts: Math.max(record.startEvents, record.startResults, least) };
}

/** `task_track_started` stores who runs the task: `{ pid, hostname }`. */
function whereabouts(result: Json): { pid?: number; worker?: string } {
  if (result === null || typeof result !== "object" || Array.isArray(result)) return {};
  const { pid, hostname } = result as { pid?: Json; hostname?: Json };
  return {
    ...(typeof pid === "number" ? { pid } : {}),
    ...(typeof hostname === "string" ? { worker: hostname } : {}),
  };
}

function childPid(event: object): number | undefined {
  const { worker_pid: pid } = event as { worker_pid?: unknown };
  return typeof pid === "number" ? pid : undefined;
}

function reprOf(repr: string | null): Json {
  return repr === null ? null : (parsePythonLiteral(repr) ?? repr);
}

/** `ValueError('bad')` as type and message. */
function errorOf(repr: string | null): TaskFacts["error"] {
  const match = /^([\w.]+)\(([\s\S]*)\)$/.exec(repr ?? "");
  if (match === null) return repr === null ? null : { type: "Error", message: repr };
  const message = parsePythonLiteral((match[2] ?? "").replace(/,\s*$/, ""));
  return { type: match[1] ?? "Error", message: typeof message === "string" ? message : (match[2] ?? "") };
}
