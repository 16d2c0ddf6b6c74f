import type { AnyTask, CeleryApp } from "../app/types.ts";
import type { TaskMessage } from "../protocol/message.ts";
import type { Decoded } from "../protocol/message-decode.ts";
import { msFromIso } from "../protocol/time.ts";
import type { Revocation, Revokes } from "./revokes.ts";

/** What is to be done with a message, before anything is done. */
export type Verdict =
  | { readonly kind: "run"; readonly message: TaskMessage; readonly task: AnyTask }
  | {
      readonly kind: "park";
      readonly message: TaskMessage;
      readonly task: AnyTask;
      readonly etaEpochSeconds: number;
    }
  | { readonly kind: "expired"; readonly message: TaskMessage; readonly task: AnyTask }
  | {
      readonly kind: "revoked";
      readonly message: TaskMessage;
      readonly task: AnyTask;
      readonly revocation: Revocation;
    }
  | { readonly kind: "unregistered"; readonly message: TaskMessage }
  | { readonly kind: "refused"; readonly reason: string; readonly taskId: string | undefined };

/** Celery's order: known? expired or revoked? due? @see celery 5.7.0 worker/strategy.py */
export function judge(
  decoded: Decoded,
  app: CeleryApp,
  nowMs: number,
  revokes: Pick<Revokes, "isEmpty" | "find">,
): Verdict {
  if (!decoded.ok) return { kind: "refused", reason: decoded.reason, taskId: decoded.taskId };
  const { message } = decoded;
  const { id, eta } = message.headers;
  const task = app.tasks.get(message.headers.task);
  if (!task) return { kind: "unregistered", message };
  const discard = judgeAgain(message, task, nowMs, revokes);
  if (discard) return discard;
  if (eta === null) return { kind: "run", message, task };
  const etaMs = readTime(eta, app);
  if (etaMs === undefined)
    return { kind: "refused", reason: `eta "${eta}" is not an ISO 8601 time`, taskId: id };
  if (etaMs <= nowMs) return { kind: "run", message, task };
  return { kind: "park", message, task, etaEpochSeconds: etaMs / 1000 };
}

/** What may have changed while a message waited: right before it is run it is asked again. */
export function judgeAgain(
  message: TaskMessage,
  task: AnyTask,
  nowMs: number,
  revokes: Pick<Revokes, "isEmpty" | "find">,
): Extract<Verdict, { kind: "expired" | "revoked" }> | undefined {
  if (message.headers.expires !== null && isExpired(message, task.app, nowMs))
    return { kind: "expired", message, task };
  const revocation = revokes.isEmpty ? undefined : revokes.find(message.headers);
  return revocation && { kind: "revoked", message, task, revocation };
}

/** An `expires` that cannot be read is no reason to throw work away. */
function isExpired(message: TaskMessage, app: CeleryApp, nowMs: number): boolean {
  const { expires } = message.headers;
  const expiresMs = expires === null ? undefined : readTime(expires, app);
  return expiresMs !== undefined && nowMs > expiresMs;
}

/** A time without offset is read in the app's timezone, as Celery reads it. */
function readTime(text: string, app: CeleryApp): number | undefined {
  return msFromIso(text, app.conf.timezone ?? "UTC");
}
