import { constants } from "node:os";
import type { StoredFailure } from "../app/canvas/aftermath.ts";
import type { ResolvedTaskOptions } from "../app/types.ts";
import type { Outcome, RetryPlan } from "../execution/outcome.ts";
import type { TaskRequest } from "../execution/request.ts";
import type { PoolResult } from "../pool/pool.ts";
import { rawJson } from "../protocol/json.ts";
import { formatPythonFloat } from "../protocol/python-repr.ts";
import type { ResultTuple } from "../protocol/result-tuple.ts";
import type { TaskState } from "../protocol/states.ts";
import { celeryError, formatWireError, toWireError, type WireError } from "../protocol/wire-error.ts";
import type { TaskEvent } from "./task-event.ts";
import { type LogLevel, type LogRecord, MAIN_PROCESS } from "./worker-log.ts";

/** What is known about a run when it has ended. */
export interface RunFacts {
  readonly request: TaskRequest;
  readonly options: ResolvedTaskOptions;
  /** `tasks.add[<id>]`, as log lines name it. */
  readonly label: string;
  /** The task's function was called. */
  readonly started: boolean;
  /** The message is gone from Redis already (early ack). */
  readonly acked: boolean;
  /** Running number of the run in this worker, for the message of a lost one. */
  readonly job: number;
  /** Records of level INFO are not written. */
  readonly isQuiet?: boolean;
}

/** What is to be stored. */
export interface NewState {
  readonly status: TaskState;
  readonly result: unknown;
  readonly traceback: string | null;
  /** What the task has set off. Default: nothing. */
  readonly children?: readonly ResultTuple[];
}

/** Everything that follows from the end of a run. */
export interface Ending {
  /** Null: nothing is stored. */
  readonly stored: NewState | null;
  readonly retry: RetryPlan | null;
  /** What a task that went on asked for: to be run again however it ended. */
  readonly retriedToo?: readonly RetryPlan[];
  /**
   * What becomes of a message that is still claimed: `finish` it, `release` it to the head of its queue, or
   * `count` it (released, but only so many times), or put it to the `dead` letters.
   */
  readonly message: "finish" | "release" | "count" | "dead";
  readonly log: readonly LogRecord[];
  readonly event: TaskEvent | null;
  /** What decides how the task's workflow goes on; not given: it does not, or not yet. */
  readonly after?: FlowCause;
}

/** The end of a task, for those that wait for it in a workflow. */
export type FlowCause =
  | Extract<Outcome, { state: "SUCCESS" | "IGNORED" }>
  | {
      readonly state: "FAILED";
      readonly failure: StoredFailure;
      /** Errbacks that take the failure itself have been called in the pool process. */
      readonly ranHere: boolean;
      readonly children?: readonly ResultTuple[];
    };

/** Decides by Celery's rules; see the acknowledgement matrix. @see celery 5.7.0 worker/request.py */
export function conclude(result: PoolResult, facts: RunFacts): Ending {
  switch (result.ended) {
    case "done": {
      const ending = concludeOutcome(result.outcome, result.processName, facts);
      const retriedToo = "retriedToo" in result.outcome ? result.outcome.retriedToo : undefined;
      return retriedToo === undefined ? ending : { ...ending, retriedToo };
    }
    case "lost":
      return concludeLost(result.status, facts);
    case "timeout":
      return concludeTimeout(result.limitSeconds, facts);
    case "cancelled":
      return concludeCancelled(facts);
    case "terminated":
      return concludeRevoked(result.signal, facts);
  }
}

function concludeOutcome(outcome: Outcome, processName: string, facts: RunFacts): Ending {
  const uuid = facts.request.id;
  const line = (level: LogLevel, text: string): LogRecord => ({
    level,
    processName,
    text: `Task ${facts.label} ${text}`,
  });
  switch (outcome.state) {
    case "SUCCESS": {
      const { resultJson, resultRepr, runtimeSeconds } = outcome;
      return {
        ...finished(keepsResult(facts) ? state("SUCCESS", rawJson(resultJson)) : null),
        log: facts.isQuiet
          ? []
          : [line("INFO", `succeeded in ${formatPythonFloat(runtimeSeconds)}s: ${resultRepr}`)],
        event: ["task-succeeded", { uuid, result: resultRepr, runtime: runtimeSeconds }],
        after: outcome,
      };
    }
    case "FAILURE": {
      const { error, errorRepr, expected, traceback } = outcome;
      const text = expected
        ? `raised expected: ${errorRepr}`
        : `raised unexpected: ${errorRepr}\n${traceback.trimEnd()}`;
      return {
        ...failed(error, traceback, facts, outcome),
        message: messageOfFailure(facts),
        log: [line(expected ? "INFO" : "ERROR", text)],
      };
    }
    case "RETRY": {
      const { retry, error, errorRepr, traceback } = outcome;
      return {
        ...finished(keepsErrors(facts) ? state("RETRY", error, traceback) : null),
        retry,
        log: [line("INFO", `retry: ${retry.message}`)],
        // Celery sends the repr of whatever there is; monitors read a text here.
        event: ["task-retried", { uuid, exception: errorRepr ?? "None", traceback }],
      };
    }
    case "IGNORED":
      return {
        ...finished(null),
        log: [line("INFO", "ignored")],
        ...(outcome.replacedBy !== undefined && { after: outcome }),
      };
    case "REJECTED":
      return concludeRejected(outcome, facts, line);
  }
}

function concludeRejected(
  outcome: Extract<Outcome, { state: "REJECTED" }>,
  facts: RunFacts,
  line: (level: LogLevel, text: string) => LogRecord,
): Ending {
  const { requeue, reason, traceback } = outcome;
  const description = `reject requeue=${requeue ? "True" : "False"}: ${reason}`;
  const log = [line("WARNING", `${description}\n${traceback.trimEnd()}`)];
  if (requeue && facts.acked) {
    log.push(
      line("WARNING", "cannot go back to its queue: it was acknowledged before it ran. Set acksLate."),
    );
  }
  const event: TaskEvent = ["task-rejected", { uuid: facts.request.id, requeue }];
  if (requeue) return { ...finished(null), message: "release", log, event };
  const error = celeryError("Reject", reason, false);
  const stored = keepsErrors(facts) ? state("FAILURE", error, traceback) : null;
  return { ...finished(stored), log, event, after: failedFlow({ status: "FAILURE", error, traceback }) };
}

/** The pool process died under the task. */
function concludeLost(status: string, facts: RunFacts): Ending {
  // Not begun, not lost: whatever killed the process, the message goes back.
  if (!facts.started) return { ...finished(null), message: "count" };
  const error = celeryError("WorkerLostError", `Worker exited prematurely: ${status} Job: ${facts.job}.`);
  const log = [handlerError(error)];
  if (!facts.acked && facts.options.rejectOnWorkerLost) return { ...finished(null), message: "count", log };
  return { ...failed(error, null, facts), message: messageOfFailure(facts), log };
}

/** `acks_on_failure`. Celery over Redis deletes the message then; on other brokers it becomes a dead letter, as here. */
function messageOfFailure({ acked, options }: RunFacts): Ending["message"] {
  return acked || options.acksOnFailure ? "finish" : "dead";
}

function concludeTimeout(limitSeconds: number, facts: RunFacts): Ending {
  const error = celeryError("TimeLimitExceeded", limitSeconds);
  const exceeded = main("ERROR", `Hard time limit (${limitSeconds}s) exceeded for ${facts.label}`);
  const log = [handlerError(error), exceeded];
  if (facts.acked || facts.options.acksOnTimeout) return { ...failed(error, null, facts), log };
  return { ...finished(null), message: "count", log };
}

/**
 * Revoked: nobody runs it again. @param signal that ended it; null when it had not begun.
 * @see celery 5.7.0 worker/request.py, `_announce_revoked`
 */
export function concludeRevoked(signal: NodeJS.Signals | null, facts: RunFacts): Ending {
  const error = celeryError("TaskRevokedError", signal === null ? "revoked" : "terminated");
  const stored = keepsErrors(facts) ? state("REVOKED", error) : null;
  const log = [main("INFO", `Discarding revoked task: ${facts.label}`)];
  const signum = signal && constants.signals[signal];
  const uuid = facts.request.id;
  return {
    ...finished(stored),
    log,
    event: ["task-revoked", { uuid, terminated: signal !== null, signum, expired: false }],
    after: failedFlow({ status: "REVOKED", error, traceback: null }),
  };
}

/** Cold shutdown, or the claim went to somebody else. What was acked early ends here, and says so. */
function concludeCancelled(facts: RunFacts): Ending {
  if (!facts.acked) return { ...finished(null), message: "release" };
  const error = celeryError("WorkerLostError", "The worker was shut down (cold) while the task ran.");
  return failed(error, null, facts);
}

/** The message that outlived its process too often: it must not kill another. */
export function concludeDeadLetter(limit: number, facts: RunFacts): Ending {
  const text = `The task ended its process ${limit + 1} times and was put to the dead letters.`;
  const error = celeryError("WorkerLostError", text);
  return { ...failed(error, null, facts), log: [main("ERROR", `Task ${facts.label}: ${text}`)] };
}

/** @param raised the task itself did, in its process. */
function failed(
  error: WireError,
  traceback: string | null,
  facts: RunFacts,
  raised?: Extract<Outcome, { state: "FAILURE" }>,
): Ending {
  const stored = keepsErrors(facts) ? state("FAILURE", error, traceback) : null;
  const event: TaskEvent = [
    "task-failed",
    { uuid: facts.request.id, exception: formatWireError(error), traceback },
  ];
  return { ...finished(stored), event, after: failedFlow({ status: "FAILURE", error, traceback }, raised) };
}

function failedFlow(failure: StoredFailure, raised?: Extract<Outcome, { state: "FAILURE" }>): FlowCause {
  const children = raised?.children;
  return { state: "FAILED", failure, ranHere: raised !== undefined, ...(children && { children }) };
}

/** The task succeeded, but what comes after it cannot be sent: so it has failed, as in Celery. */
export function concludeBrokenFlow(thrown: unknown, facts: RunFacts): Ending {
  const error = toWireError(thrown);
  const text = `Task ${facts.label} raised unexpected: ${formatWireError(error)} (what comes after it could not be sent)`;
  return { ...failed(error, null, facts), log: [main("ERROR", text)] };
}

function finished(stored: NewState | null): Ending {
  return { stored, retry: null, message: "finish", log: [], event: null };
}

function state(status: TaskState, result: unknown, traceback: string | null = null): NewState {
  return { status, result, traceback };
}

function keepsResult(facts: RunFacts): boolean {
  return !facts.request.ignoreResult && !facts.options.ignoreResult;
}

function keepsErrors(facts: RunFacts): boolean {
  return keepsResult(facts) || facts.options.storeErrorsEvenIfIgnored;
}

function handlerError(error: WireError): LogRecord {
  return main("ERROR", `Task handler raised error: ${formatWireError(error)}`);
}

function main(level: LogLevel, text: string): LogRecord {
  return { level, processName: MAIN_PROCESS, text };
}
