import { randomUUID } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import type { RetryChanges, RetryPlan } from "../execution/outcome.ts";
import { decodeVerbatim, mayChange } from "../protocol/json.ts";
import {
  encodeTaskBody,
  encodeTaskMessage,
  type TaskDraft,
  type TaskHeaders,
  type TaskMessage,
} from "../protocol/message.ts";
import { verbatimBody } from "../protocol/message-decode.ts";
import { formatPython, formatPythonArgs } from "../protocol/python-repr.ts";
import { isoFromMs } from "../protocol/time.ts";
import type { Binding, ExchangeTarget, OutgoingMessage } from "../transport/transport.ts";

/**
 * The message of the next try: the same task with the same id, one retry more, not before its time. The body
 * goes out as it came in unless the task gave other arguments.
 *
 * @param queue where the message came from; the plan may say otherwise.
 * @param declared the app's own queues: which of their exchanges are fanouts, only they know.
 * @see celery 5.7.0 app/task.py, `signature_from_request`
 */
export function makeRetryMessage(
  message: TaskMessage,
  plan: RetryPlan,
  queue: string,
  declared: readonly Binding[] = [],
  deliveryTag: string = randomUUID(),
): OutgoingMessage {
  const { headers, properties } = message;
  const target = plan.queue ?? queue;
  const via = exchangeOf(plan, declared);
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

/** Direct and topic exchanges find their queues by the bindings that Redis has. A fanout's queue is nobody's list. */
function exchangeOf(plan: RetryPlan, declared: readonly Binding[]): ExchangeTarget | undefined {
  const { exchange, routingKey } = plan;
  if (exchange === null || exchange === "") return fanoutOf(plan, declared);
  const known = declared.find((binding) => binding.exchange === exchange);
  return { exchange, type: known?.type ?? "topic", routingKey: routingKey ?? known?.routingKey ?? "" };
}

function fanoutOf(
  { queue, routingKey }: RetryPlan,
  declared: readonly Binding[],
): ExchangeTarget | undefined {
  const binding = declared.find((known) => known.queue === queue && known.type === "fanout");
  return binding && { ...binding, routingKey: routingKey ?? binding.routingKey };
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
  const { args, kwargs } = nextArguments(message, plan);
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

/** A message whose own headers, too, are to be written as they came. @param raw that it was read from. */
export function withHeadersOf(raw: string, message: TaskMessage): TaskMessage {
  const { headers } = message;
  const { custom, stamps } = headers;
  if (Object.keys(custom).length + Object.keys(stamps).length === 0 || !mayChange(raw)) return message;
  const came = (decodeVerbatim(raw) as { readonly headers: TaskHeaders["custom"] }).headers;
  const again = Object.fromEntries(Object.keys(custom).map((name) => [name, came[name]]));
  const stamped = Object.keys(stamps).length === 0 ? stamps : (came["stamps"] as TaskHeaders["stamps"]);
  return { ...message, headers: { ...headers, custom: again, stamps: stamped } };
}

/** What the task was given and gives on is written as it came, not as JavaScript would. */
function nextArguments(message: TaskMessage, plan: RetryPlan): Pick<TaskMessage, "args" | "kwargs"> {
  const args = plan.args ?? message.args;
  const kwargs = plan.kwargs ?? message.kwargs;
  if (!mayChange(message.bodyText)) return { args, kwargs };
  const [oldArgs, oldKwargs] = verbatimBody(message);
  const kept = Object.entries(kwargs).map(([name, value]) => {
    return [name, isDeepStrictEqual(value, message.kwargs[name]) ? oldKwargs[name] : value] as const;
  });
  return {
    args: args.map((value, at) => (isDeepStrictEqual(value, message.args[at]) ? oldArgs[at] : value)),
    kwargs: Object.fromEntries(kept),
  };
}
