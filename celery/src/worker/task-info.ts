import type { TaskInfo } from "../control/index.ts";
import type { TaskMessage } from "../protocol/message.ts";
import { type Delivery, isAcked } from "./delivery.ts";

/** A message as remote control shows it, before it runs. */
export function taskInfo(message: TaskMessage, hostname: string): TaskInfo {
  const { headers, properties, args, kwargs } = message;
  const { exchange, routingKey, redelivered } = properties.deliveryInfo;
  return {
    id: headers.id,
    name: headers.task,
    args,
    kwargs,
    argsRepr: headers.argsRepr,
    kwargsRepr: headers.kwargsRepr,
    hostname,
    timeStart: null,
    acknowledged: false,
    deliveryInfo: { exchange, routingKey, priority: properties.priority, redelivered },
    workerPid: null,
  };
}

/** As `taskInfo`, with what is known of the run. */
export function deliveryInfo(delivery: Delivery, hostname: string): TaskInfo {
  const info = taskInfo(delivery.message, hostname);
  const { phase } = delivery;
  if (phase.name !== "running") return info;
  return {
    ...info,
    timeStart: phase.startedAtMs / 1000,
    workerPid: phase.pid,
    acknowledged: isAcked(delivery),
  };
}
