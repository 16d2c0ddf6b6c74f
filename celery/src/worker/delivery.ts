import type { AnyTask } from "../app/types.ts";
import { workflowOf } from "../app/workflow-info.ts";
import { PASSING_ON, type TaskRequest } from "../execution/request.ts";
import type { RunHooks } from "../pool/pool.ts";
import type { TaskMessage } from "../protocol/message.ts";
import { verbatimBody } from "../protocol/message-decode.ts";
import type { BagMember } from "../runtime/bag.ts";
import { inOneLine } from "../runtime/shown.ts";
import type { Claim } from "../transport/transport.ts";
import type { EarlyAck } from "./early-ack.ts";
import type { Limits } from "./time-limits.ts";

/** One claimed message that is to be run, from claim to the last word about it. */
export interface Delivery extends BagMember {
  readonly claim: Claim;
  readonly message: TaskMessage;
  readonly task: AnyTask;
  /** Running number of its reception: what is given back goes back in this order. */
  readonly order: number;
  phase: DeliveryPhase;
  /** Its run has ended; its message is not answered for yet. */
  isOver: boolean;
  /** The run, once the pool has it: what the pool is told to end. */
  run: RunHooks | undefined;
  /** Why it was given up: the claim is somebody else's (`cancel`), or it was revoked before it had begun (`withdraw`). */
  ending: "cancel" | "withdraw" | undefined;
  /** Stores on the way (STARTED, custom states), one after the other; the result comes after them. */
  stores: Promise<void> | undefined;
}

/**
 * `waiting` for a slot → `starting` (handed to the pool) → `running`, with the ack under way or done when it
 * is an early one → gone.
 */
export type DeliveryPhase =
  | { readonly name: "waiting" }
  | { readonly name: "starting" }
  | {
      readonly name: "running";
      readonly acked: EarlyAck | null;
      readonly pid: number;
      readonly startedAtMs: number;
    };

const WAITING: DeliveryPhase = { name: "waiting" };

export function makeDelivery(claim: Claim, message: TaskMessage, task: AnyTask, order: number): Delivery {
  return {
    claim,
    message,
    task,
    order,
    place: -1,
    phase: WAITING,
    isOver: false,
    run: undefined,
    ending: undefined,
    stores: undefined,
  };
}

/** How often a message may take its process down, or not be answered for, before it is put to the dead letters. */
export const DELIVERY_LIMIT = 3;

/** `tasks.add[<id>]`, as log lines name it. */
export function labelOf({ headers }: TaskMessage): string {
  return inOneLine(`${headers.shadow || headers.task}[${headers.id}]`);
}

/** The task's function was called. */
export function hasStarted({ phase }: Delivery): boolean {
  return phase.name === "running";
}

/** The message has been answered: it does not count against the prefetch any more. */
export function isAcked({ phase }: Delivery): boolean {
  return phase.name === "running" && phase.acked !== null;
}

/** What the task is told about itself. @param limits of the task; the message's win over them. */
export function makeRequest({ message }: Delivery, nodeName: string, limits: Limits): TaskRequest {
  const { headers, properties } = message;
  const [args, kwargs] = PASSING_ON.has(headers.task)
    ? verbatimBody(message)
    : [message.args, message.kwargs];
  const { exchange, routingKey, redelivered } = properties.deliveryInfo;
  const workflow = workflowOf(message);
  // Every field by its name: an object put together from others takes four times as long.
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
    deliveryInfo: { exchange, routingKey, redelivered, priority: properties.priority },
    redelivered,
    timeLimit: [headers.timeLimit, headers.softTimeLimit],
    ignoreResult: headers.ignoreResult,
    headers: headers.custom,
    calledDirectly: false,
    bodyText: message.bodyText,
    group: workflow.group,
    groupIndex: workflow.groupIndex,
    chord: workflow.chord,
    chain: workflow.chain,
    callbacks: workflow.callbacks,
    errbacks: workflow.errbacks,
    replacedTaskNesting: workflow.replacedTaskNesting,
    stampedHeaders: workflow.stampedHeaders,
    stamps: workflow.stamps,
    hardLimitSeconds: headers.timeLimit ?? limits.hard,
    softLimitSeconds: headers.softTimeLimit ?? limits.soft,
  };
}
