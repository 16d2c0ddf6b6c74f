import type { Signals } from "../app/signals.ts";
import { TaskNotRegistered } from "../protocol/errors.ts";
import type { TaskMessage } from "../protocol/message.ts";
import { formatPython } from "../protocol/python-repr.ts";
import { celeryError } from "../protocol/wire-error.ts";
import { inOneLine } from "../runtime/shown.ts";
import type { Claim, Consumer } from "../transport/transport.ts";
import type { NewState } from "./conclude.ts";
import { DELIVERY_LIMIT, labelOf } from "./delivery.ts";
import type { FollowUps } from "./follow-ups.ts";
import type { Verdict } from "./judge.ts";
import type { ResultWriter } from "./result-writer.ts";
import type { EventSink } from "./task-event.ts";
import { tellRejected, tellRevoked, tellUnknown } from "./tell-signals.ts";
import { type LogLevel, MAIN_PROCESS, type WorkerLog } from "./worker-log.ts";

export interface RefusalDeps {
  readonly consumer: Consumer;
  readonly results: ResultWriter;
  readonly followUps: FollowUps;
  readonly events: EventSink;
  readonly log: WorkerLog;
  readonly signals: Signals;
  /** Names of the registered tasks, for the message. */
  readonly known: () => readonly string[];
}

type Refused = Extract<Verdict, { kind: "expired" | "revoked" | "unregistered" | "refused" }>;

/** Answers messages that are not to be run: with a reason for people, and never by throwing bytes away. */
export interface Refusals {
  refuse(claim: Claim, verdict: Refused): Promise<void>;
  /**
   * A message that could not be answered for goes back; one with which that happens again and again, to the dead letters. One that was
   * answered for already stays so: Redis knows.
   */
  giveBack(claim: Claim, message: TaskMessage, error: unknown): Promise<void>;
}

export function makeRefusals(deps: RefusalDeps): Refusals {
  return {
    giveBack: (claim, message, error) => giveBack(claim, message, error, deps),
    refuse(claim, verdict) {
      switch (verdict.kind) {
        case "expired":
        case "revoked":
          return discard(claim, verdict, deps);
        case "unregistered":
          return refuseUnregistered(claim, verdict, deps);
        case "refused":
          return refuseUnreadable(claim, verdict.reason, deps);
      }
    },
  };
}

/** @see celery 5.7.0 worker/request.py, `Request.revoked` */
async function discard(
  claim: Claim,
  verdict: Extract<Refused, { kind: "expired" | "revoked" }>,
  deps: RefusalDeps,
): Promise<void> {
  const { message, task, kind } = verdict;
  const { id, ignoreResult } = message.headers;
  const stamp = kind === "revoked" ? verdict.revocation.stamp : null;
  const by = stamp ? ` (revoked by header: ${inOneLine(formatPython({ [stamp.header]: stamp.value }))})` : "";
  say("INFO", `Discarding revoked task: ${labelOf(message)}${by}`, deps);
  const keeps = task.options.storeErrorsEvenIfIgnored || !(ignoreResult || task.options.ignoreResult);
  const state = keeps ? failedState("REVOKED", "TaskRevokedError", kind) : null;
  const result = deps.results.encode(message, state);
  const error = celeryError("TaskRevokedError", kind);
  const followUp = deps.followUps.failure(message, claim.queue, {
    status: "REVOKED",
    error,
    traceback: null,
  });
  const outcome = await deps.consumer.finish(claim.id, {
    ...(result && { result }),
    ...followUp?.completion,
  });
  if (followUp) await deps.followUps.conclude(followUp, outcome, claim.queue);
  deps.events.send("task-revoked", {
    uuid: id,
    terminated: false,
    signum: null,
    expired: kind === "expired",
  });
  tellRevoked(deps.signals, message, { expired: kind === "expired", signal: null });
}

async function refuseUnregistered(
  claim: Claim,
  { message }: Extract<Refused, { kind: "unregistered" }>,
  deps: RefusalDeps,
): Promise<void> {
  const { id, task } = message.headers;
  say("ERROR", unregisteredText(task, claim, message.bodyText, deps.known()), deps);
  const result = deps.results.encode(message, failedState("FAILURE", "NotRegistered", task));
  const failure = { status: "FAILURE", error: celeryError("NotRegistered", task), traceback: null } as const;
  // Celery tells the chord nothing, which then waits for ever.
  const followUp = deps.followUps.failure(message, claim.queue, failure, { tellErrbacks: false });
  const outcome = await deps.consumer.finish(claim.id, {
    ...(result && { result }),
    ...followUp?.completion,
    dead: { reason: `no task is registered as ${task}`, taskId: id },
  });
  if (outcome === "fenced") return;
  if (followUp) await deps.followUps.conclude(followUp, outcome, claim.queue);
  deps.events.send("task-failed", { uuid: id, exception: `NotRegistered('${task}')`, traceback: null });
  tellUnknown(deps.signals, message, claim.raw, new TaskNotRegistered(task, deps.known()));
}

async function refuseUnreadable(claim: Claim, reason: string, deps: RefusalDeps): Promise<void> {
  const text = [
    `Received invalid task message: ${inOneLine(reason)}`,
    `The message has been put to the dead letters (ts1:dead:${claim.queue}).`,
    "",
    "Please ensure your message conforms to the task",
    "message protocol as described here:",
    "https://docs.celeryq.dev/en/latest/internals/protocol.html",
    "",
    "The full contents of the message was:",
    `${inOneLine(claim.raw)} (${Buffer.byteLength(claim.raw)}b)`,
  ].join("\n");
  say("ERROR", text, deps);
  await deps.consumer.deadLetter(claim.id, reason);
  tellRejected(deps.signals, claim.raw, reason);
}

/** What Redis refuses once, it refuses again: without a limit the task would run for ever. */
async function giveBack(
  claim: Claim,
  message: TaskMessage,
  error: unknown,
  deps: RefusalDeps,
): Promise<void> {
  const { consumer, followUps, results } = deps;
  const { id: taskId, ignoreResult } = message.headers;
  if ((await consumer.releaseCounted(claim.id, taskId, DELIVERY_LIMIT)) !== "over") return;
  const reason = `It could not be settled ${DELIVERY_LIMIT + 1} times: ${String(error)}`;
  say(
    "ERROR",
    `Task ${labelOf(message)} was put to the dead letters (ts1:dead:${claim.queue}). ${reason}`,
    deps,
  );
  const failure = {
    status: "FAILURE",
    error: celeryError("BackendStoreError", reason),
    traceback: null,
  } as const;
  const result = results.encode(message, ignoreResult ? null : { ...failure, result: failure.error });
  const dead = { reason, taskId };
  const stored = { ...(result && { result }), dead };
  const followUp = followUps.failure(message, claim.queue, failure);
  // What is refused may be what follows, or the result itself.
  for (const completion of [{ ...stored, ...followUp?.completion }, stored]) {
    const outcome = await consumer.finish(claim.id, completion).catch(() => undefined);
    if (outcome === undefined) continue;
    if (followUp && outcome === "chord") await followUps.conclude(followUp, outcome, claim.queue);
    return;
  }
  await consumer.deadLetter(claim.id, reason);
}

function unregisteredText(task: string, claim: Claim, body: string, known: readonly string[]): string {
  return [
    `Received unregistered task of type '${inOneLine(task)}'.`,
    `The message has been put to the dead letters (ts1:dead:${claim.queue}).`,
    "",
    "Did you remember to import the module containing this task?",
    "Was the worker started before the task was added? Then restart it: it runs the code that it started with.",
    "",
    `Registered here: ${known.join(", ") || "none"}`,
    "",
    "The full contents of the message body was:",
    `${inOneLine(body)} (${Buffer.byteLength(body)}b)`,
  ].join("\n");
}

function failedState(status: "FAILURE" | "REVOKED", excType: string, message: string): NewState {
  return { status, result: celeryError(excType, message), traceback: null };
}

function say(level: LogLevel, text: string, deps: RefusalDeps): void {
  deps.log.record({ level, processName: MAIN_PROCESS, text });
}
