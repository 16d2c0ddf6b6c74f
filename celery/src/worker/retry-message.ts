import { randomUUID } from "node:crypto";
import type { RetryPlan } from "../execution/outcome.ts";
import { encodeTaskBody, encodeTaskMessage, type TaskDraft, type TaskMessage } from "../protocol/message.ts";
import { formatPython, formatPythonArgs } from "../protocol/python-repr.ts";
import { isoFromMs } from "../protocol/time.ts";
import type { OutgoingMessage } from "../transport/transport.ts";

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
  const draft: TaskDraft = {
    bodyText: message.bodyText,
    headers: {
      ...headers,
      lang: "js",
      eta: isoFromMs(Math.round(plan.etaEpochSeconds * 1000)),
      retries: headers.retries + 1,
      // In Celery a retry is a call made by the task itself.
      parentId: headers.id,
    },
    properties: {
      ...properties,
      deliveryTag,
      deliveryInfo: { exchange: "", routingKey: target, redelivered: false },
      custom: { ...properties.custom, origin: headers.origin },
    },
  };
  return {
    queue: target,
    raw: encodeTaskMessage(withArguments(draft, message, plan)),
    priority: properties.priority,
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
