import type { AnyTask, CeleryApp } from "../app/types.ts";
import type { TaskMessage } from "../protocol/message.ts";
import type { Decoded } from "../protocol/message-decode.ts";
import { msFromIso } from "../protocol/time.ts";

/** What is to be done with a message, before anything is done. */
export type Verdict =
  | { readonly kind: "run"; readonly message: TaskMessage; readonly task: AnyTask }
  | {
      readonly kind: "park";
      readonly message: TaskMessage;
      readonly task: AnyTask;
      readonly etaEpochSeconds: number;
    }
  | { readonly kind: "expired"; readonly message: TaskMessage }
  | { readonly kind: "unregistered"; readonly message: TaskMessage }
  | { readonly kind: "refused"; readonly reason: string; readonly taskId: string | undefined };

/** Celery's order: known? expired? due? @see celery 5.7.0 worker/strategy.py */
export function judge(decoded: Decoded, app: CeleryApp, nowMs: number): Verdict {
  if (!decoded.ok) return { kind: "refused", reason: decoded.reason, taskId: decoded.taskId };
  const { message } = decoded;
  const { id, eta } = message.headers;
  const task = app.tasks.get(message.headers.task);
  if (!task) return { kind: "unregistered", message };
  if (isExpired(message, app, nowMs)) return { kind: "expired", message };
  if (eta === null) return { kind: "run", message, task };
  const etaMs = readTime(eta, app);
  if (etaMs === undefined)
    return { kind: "refused", reason: `eta "${eta}" is not an ISO 8601 time`, taskId: id };
  if (etaMs <= nowMs) return { kind: "run", message, task };
  return { kind: "park", message, task, etaEpochSeconds: etaMs / 1000 };
}

/** An `expires` that cannot be read is no reason to throw work away. */
export function isExpired(message: TaskMessage, app: CeleryApp, nowMs: number): boolean {
  const { expires } = message.headers;
  const expiresMs = expires === null ? undefined : readTime(expires, app);
  return expiresMs !== undefined && nowMs > expiresMs;
}

/** A time without offset is read in the app's timezone, as Celery reads it. */
function readTime(text: string, app: CeleryApp): number | undefined {
  return msFromIso(text, app.conf.timezone ?? "UTC");
}
