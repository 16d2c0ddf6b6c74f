import type { ResultBackend } from "../backend/backend.ts";
import { formatPython } from "../protocol/python-repr.ts";
import type { Consumer } from "../transport/transport.ts";
import { type Delivery, labelOf } from "./delivery.ts";
import type { EventSink } from "./task-event.ts";
import { MAIN_PROCESS, type WorkerLog } from "./worker-log.ts";

export interface DeduplicateDeps {
  readonly backend: ResultBackend;
  readonly consumer: Consumer;
  readonly events: EventSink;
  readonly log: WorkerLog;
}

/**
 * `worker_deduplicate_successful_tasks`: answers a redelivered message whose task has succeeded already, without running it again.
 * A result store that cannot be asked is no reason not to run.
 *
 * @returns a function that says whether the delivery has been answered so.
 * @see celery 5.7.0 app/trace.py, `deduplicate_successful_tasks`
 */
export function makeDeduplicator(deps: DeduplicateDeps): (delivery: Delivery) => Promise<boolean> {
  return async (delivery) => {
    const { headers, properties } = delivery.message;
    if (!properties.deliveryInfo.redelivered) return false;
    const meta = await deps.backend.get(headers.id).catch((error: unknown) => {
      deps.log.warn({ error }, "whether a redelivered task has succeeded already could not be found out");
      return undefined;
    });
    if (meta?.status !== "SUCCESS") return false;
    const text = `Task ${labelOf(delivery.message)} Task already completed successfully.`;
    deps.log.record({ level: "INFO", processName: MAIN_PROCESS, text });
    await deps.consumer.ack(delivery.claim.id);
    const result = formatPython(meta.result, { maxLength: 1024 });
    deps.events.send("task-succeeded", { uuid: headers.id, result, runtime: 0 });
    return true;
  };
}
