import type { AnyTask } from "../app/types.ts";
import type { TaskRequest } from "../execution/request.ts";
import type { TaskMessage } from "../protocol/message.ts";
import type { Claim } from "../transport/transport.ts";

/** One claimed message that is to be run, from claim to the last word about it. */
export interface Delivery {
  readonly claim: Claim;
  readonly message: TaskMessage;
  readonly task: AnyTask;
  /** `tasks.add[<id>]`, as log lines name it. */
  readonly label: string;
  /** Aborts when the run is to be given up: cold shutdown, or the claim is somebody else's now. */
  readonly giveUp: AbortController;
  phase: DeliveryPhase;
  /** Stores on the way (STARTED, custom states), one after the other; the result comes after them. */
  stores: Promise<void>;
}

/**
 * `waiting` for a slot → `starting` (handed to the pool) → `running`, with the ack under way or done when it
 * is an early one → gone.
 */
export type DeliveryPhase =
  | { readonly name: "waiting" }
  | { readonly name: "starting" }
  | { readonly name: "running"; readonly acked: Promise<AckOutcome> | null };

/** `failed`: Redis refused, and the message is still ours to answer. */
export type AckOutcome = "done" | "fenced" | "failed";

export function makeDelivery(claim: Claim, message: TaskMessage, task: AnyTask): Delivery {
  const { shadow, id } = message.headers;
  return {
    claim,
    message,
    task,
    label: `${shadow || message.headers.task}[${id}]`,
    giveUp: new AbortController(),
    phase: { name: "waiting" },
    stores: Promise.resolve(),
  };
}

/** The task's function was called. */
export function hasStarted({ phase }: Delivery): boolean {
  return phase.name === "running";
}

/** The message has been answered: it does not count against the prefetch any more. */
export function isAcked(delivery: Delivery): boolean {
  return delivery.phase.name === "running" && delivery.phase.acked !== null;
}

/** What the task is told about itself. Limits: the message's win over the task's. */
export function makeRequest(delivery: Delivery, nodeName: string): TaskRequest {
  const { headers, properties, args, kwargs } = delivery.message;
  const { options } = delivery.task;
  return {
    id: headers.id,
    task: headers.task,
    args,
    kwargs,
    retries: headers.retries,
    rootId: headers.rootId,
    parentId: headers.parentId,
    eta: headers.eta,
    expires: headers.expires,
    origin: headers.origin,
    hostname: nodeName,
    deliveryInfo: { ...properties.deliveryInfo, priority: properties.priority },
    redelivered: properties.deliveryInfo.redelivered,
    timeLimit: [headers.timeLimit, headers.softTimeLimit],
    ignoreResult: headers.ignoreResult,
    headers: headers.custom,
    calledDirectly: false,
    hardLimitSeconds: headers.timeLimit ?? options.timeLimit,
    softLimitSeconds: headers.softTimeLimit ?? options.softTimeLimit,
  };
}
