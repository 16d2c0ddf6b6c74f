import { randomUUID } from "node:crypto";
import type { RetryChanges, RetryPlan } from "../execution/outcome.ts";
import {
  encodeTaskBody,
  encodeTaskMessage,
  type TaskDraft,
  type TaskHeaders,
  type TaskMessage,
} from "../protocol/message.ts";
import { formatPython, formatPythonArgs } from "../protocol/python-repr.ts";
import { isoFromMs } from "../protocol/time.ts";
import type { ExchangeTarget, OutgoingMessage } from "../transport/transport.ts";

/**
 * The message of the next try: the same task with the same id, one retry more, not before its time. The body
 * goes out as it came in unless the task gave other arguments.
 *
 * @param queue where the message came from; the plan may say otherwise.
 * @see celery 5.7.0 app/task.py, `signature_from_request`
 */
export function makeRetryMessage(
  message: TaskMessage,
  plan: RetryPlan,
  queue: string,
  deliveryTag: string = randomUUID(),
): OutgoingMessage {
  const { headers, properties } = message;
  const target = plan.queue ?? queue;
  const via = exchangeOf(plan);
  const priority = plan.priority ?? properties.priority;
  const draft: TaskDraft = {
    bodyText: message.bodyText,
    headers: {
      ...headers,
      ...changedHeaders(headers, plan.changes),
      lang: "js",
      eta: isoFromMs(Math.round(plan.etaEpochSeconds * 1000)),
      retries: headers.retries + 1,
      // In Celery a retry is a call made by the task itself.
      parentId: headers.id,
    },
    properties: {
      ...properties,
      priority,
      deliveryTag,
      deliveryInfo: {
        exchange: via?.exchange ?? "",
        routingKey: via?.routingKey ?? target,
        redelivered: false,
      },
      custom: { ...properties.custom, origin: headers.origin },
    },
  };
  const raw = encodeTaskMessage(withArguments(draft, message, plan));
  return via === undefined ? { queue: target, raw, priority } : { queue: via.exchange, raw, priority, via };
}

/** An exchange finds its queues by the bindings that Redis has, whether it is of type direct or topic. */
function exchangeOf({ exchange, routingKey }: RetryPlan): ExchangeTarget | undefined {
  if (exchange === null || exchange === "") return undefined;
  return { exchange, type: "topic", routingKey: routingKey ?? "" };
}

function changedHeaders(headers: TaskHeaders, changes: RetryChanges): Partial<TaskHeaders> {
  const { expiresEpochSeconds, headers: custom, ...others } = changes;
  return {
    ...others,
    ...(expiresEpochSeconds !== undefined && { expires: isoFromMs(expiresEpochSeconds * 1000) }),
    ...(custom !== undefined && { custom: { ...headers.custom, ...custom } }),
  };
}

function withArguments(draft: TaskDraft, message: TaskMessage, plan: RetryPlan): TaskDraft {
  if (plan.args === null && plan.kwargs === null) return draft;
  const args = plan.args ?? message.args;
  const kwargs = plan.kwargs ?? message.kwargs;
  return {
    ...draft,
    bodyText: encodeTaskBody(args, kwargs, message.embed),
    headers: {
      ...draft.headers,
      argsRepr: formatPythonArgs(args),
      kwargsRepr: formatPython(kwargs, { maxLength: 1024 }),
    },
  };
}
