import { encodeJson } from "./json.ts";

/** Headers of protocol 2, in our spelling. @see celery 5.7.0 app/amqp.py, `as_task_v2` */
export interface TaskHeaders {
  readonly lang: string;
  readonly task: string;
  readonly id: string;
  /** Another name, for logs only. */
  readonly shadow: string | null;
  /** Earliest start, ISO 8601. Without an offset it is read in the worker's timezone. */
  readonly eta: string | null;
  /** Not to be run after this, ISO 8601. */
  readonly expires: string | null;
  readonly group: string | null;
  readonly groupIndex: number | null;
  readonly retries: number;
  /** Seconds. On the wire the hard limit comes first. */
  readonly timeLimit: number | null;
  readonly softTimeLimit: number | null;
  readonly rootId: string;
  readonly parentId: string | null;
  /** As Python's `repr` would show them; for logs and events only. */
  readonly argsRepr: string;
  readonly kwargsRepr: string;
  /** `gen<pid>@<host>` of the sender. */
  readonly origin: string;
  readonly ignoreResult: boolean;
  readonly replacedTaskNesting: number;
  readonly stampedHeaders: readonly string[] | null;
  readonly stamps: Readonly<Record<string, unknown>>;
  /** Every header that the protocol does not define, as it came. */
  readonly custom: Readonly<Record<string, unknown>>;
}

export interface DeliveryInfo {
  readonly exchange: string;
  readonly routingKey: string;
  readonly redelivered: boolean;
}

export interface TaskProperties {
  readonly correlationId: string;
  readonly replyTo: string;
  readonly deliveryMode: number;
  readonly deliveryInfo: DeliveryInfo;
  /** 0 to 9, 0 first. */
  readonly priority: number;
  readonly deliveryTag: string;
  /** Milliseconds as text, when the message has `expires`. */
  readonly expiration: string | null;
  readonly custom: Readonly<Record<string, unknown>>;
}

/** The third element of the body: what is to happen afterwards. Signatures, as they came. */
export interface TaskEmbed {
  readonly callbacks: readonly unknown[] | null;
  readonly errbacks: readonly unknown[] | null;
  /** Remaining steps, reversed: the last element is the next step. */
  readonly chain: readonly unknown[] | null;
  readonly chord: unknown;
}

export interface TaskMessage {
  readonly headers: TaskHeaders;
  readonly properties: TaskProperties;
  readonly args: readonly unknown[];
  readonly kwargs: Readonly<Record<string, unknown>>;
  readonly embed: TaskEmbed;
  /**
   * The body's JSON text, verbatim. A retry sends it again untouched, so that types which JavaScript cannot
   * tell apart (1.0 and 1, a decimal and a string) survive.
   */
  readonly bodyText: string;
}

/** All that goes into a message: a decoded `TaskMessage` is one, too. */
export type TaskDraft = Pick<TaskMessage, "headers" | "properties" | "bodyText">;

/**
 * The envelope as Celery and kombu write it: the same keys in the same order, the same spacing. Encoding what
 * `decodeMessage` read gives the same bytes.
 *
 * @throws EncodeError when a custom header or a stamp cannot travel as JSON.
 * @see celery 5.7.0 app/amqp.py, `as_task_v2`; kombu 5.7.0 transport/virtual/base.py, `prepare_message`
 */
export function encodeTaskMessage(draft: TaskDraft): string {
  return encodeJson({
    body: Buffer.from(draft.bodyText).toString("base64"),
    "content-encoding": "utf-8",
    "content-type": "application/json",
    headers: wireHeaders(draft.headers),
    properties: wireProperties(draft.properties),
  });
}

/** The body's JSON: `[args, kwargs, embed]`. @throws EncodeError naming the argument that cannot travel. */
export function encodeTaskBody(
  args: readonly unknown[],
  kwargs: Readonly<Record<string, unknown>>,
  embed: Partial<TaskEmbed> = {},
): string {
  const { callbacks = null, errbacks = null, chain = null, chord = null } = embed;
  return encodeJson([args, kwargs, { callbacks, errbacks, chain, chord }], "arguments");
}

function wireHeaders(headers: TaskHeaders): Record<string, unknown> {
  return {
    lang: headers.lang,
    task: headers.task,
    id: headers.id,
    shadow: headers.shadow,
    eta: headers.eta,
    expires: headers.expires,
    group: headers.group,
    group_index: headers.groupIndex,
    retries: headers.retries,
    timelimit: [headers.timeLimit, headers.softTimeLimit],
    root_id: headers.rootId,
    parent_id: headers.parentId,
    argsrepr: headers.argsRepr,
    kwargsrepr: headers.kwargsRepr,
    origin: headers.origin,
    ignore_result: headers.ignoreResult,
    replaced_task_nesting: headers.replacedTaskNesting,
    stamped_headers: headers.stampedHeaders,
    stamps: headers.stamps,
    ...headers.custom,
  };
}

function wireProperties(properties: TaskProperties): Record<string, unknown> {
  const { exchange, routingKey, redelivered } = properties.deliveryInfo;
  return {
    correlation_id: properties.correlationId,
    reply_to: properties.replyTo,
    ...properties.custom,
    delivery_mode: properties.deliveryMode,
    ...(properties.expiration === null ? {} : { expiration: properties.expiration }),
    delivery_info: { exchange, routing_key: routingKey, ...(redelivered ? { redelivered } : {}) },
    priority: properties.priority,
    body_encoding: "base64",
    delivery_tag: properties.deliveryTag,
  };
}
