import type { Signals } from "../app/signals.ts";
import type { AnyTask } from "../app/types.ts";
import type { PoolResult } from "../pool/pool.ts";
import { celeryError, formatWireError, type WireError } from "../protocol/wire-error.ts";

/** The failure of a run that could not speak for itself any more: its process was killed, or died. */
class LostRunError extends Error {
  override readonly name: string;

  constructor(error: WireError) {
    super(formatWireError(error));
    this.name = error.excType;
  }
}

export interface LostRun {
  readonly task: AnyTask;
  readonly id: string;
  readonly args: readonly unknown[];
  readonly kwargs: Readonly<Record<string, unknown>>;
}

/**
 * Tells, in the worker's own process, what the pool process cannot tell any more: the signal `taskFailure`, and at the hard limit the
 * task's handlers too. What fails there is reported and changes nothing.
 *
 * @see celery 5.7.0 worker/request.py, `Request.on_timeout` and `on_failure`
 */
export async function tellLoss(
  lost: LostRun,
  result: Extract<PoolResult, { ended: "lost" | "timeout" }>,
  { signals, report }: { readonly signals: Signals; readonly report: (text: string) => void },
): Promise<void> {
  const { task, id, args, kwargs } = lost;
  const error = new LostRunError(
    result.ended === "timeout"
      ? celeryError("TimeLimitExceeded", result.limitSeconds)
      : celeryError("WorkerLostError", `Worker exited prematurely: ${result.status}`),
  );
  if (result.ended === "timeout") {
    const { onFailure, afterReturn } = task.options.handlers;
    try {
      await onFailure?.(error, id, args, kwargs, "");
      await afterReturn?.("FAILURE", error, id, args, kwargs, null);
    } catch (thrown) {
      report(`Task ${task.name}[${id}] handler raised: ${String(thrown)}`);
    }
  }
  const about = { sender: task.name, taskId: id, task, args, kwargs };
  await signals.taskFailure.send({ ...about, exception: error, traceback: "" });
}
