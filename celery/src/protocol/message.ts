import { deflateSync } from "node:zlib";
import { encodeJson, escapeText } from "./json.ts";

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

/** The third element of the body: what is to happen afterwards. Signatures, as they came: with a `Verbatim` where JavaScript has no value. */
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
  /** How the body travels. `bodyText` is never compressed. */
  readonly compression?: "application/x-gzip" | null;
}

/** All that goes into a message: a decoded `TaskMessage` is one, too. */
export type TaskDraft = Pick<TaskMessage, "headers" | "properties" | "bodyText" | "compression">;

/**
 * The envelope as Celery and kombu write it: the same keys in the same order, the same spacing. Encoding what
 * `decodeMessage` read gives the same bytes.
 *
 * @throws EncodeError when a custom header or a stamp cannot travel as JSON.
 * @see celery 5.7.0 app/amqp.py, `as_task_v2`; kombu 5.7.0 transport/virtual/base.py, `prepare_message`
 */
export function encodeTaskMessage(draft: TaskDraft): string {
  const { headers, properties, compression = null } = draft;
  return (
    `{"body": "${encodeBody(draft.bodyText, compression)}", "content-encoding": "utf-8", ` +
    `"content-type": "application/json", "headers": ${headersText(headers, compression)}, ` +
    `"properties": ${propertiesText(properties)}}`
  );
}

/** What kombu calls gzip is a zlib stream. @see kombu 5.7.0 compression.py */
function encodeBody(bodyText: string, compression: TaskDraft["compression"]): string {
  if (compression) return deflateSync(bodyText).toString("base64");
  return Buffer.from(bodyText).toString("base64");
}

/** Of a message that nobody stamped. */
export const NO_STAMPS: Readonly<Record<string, unknown>> = {};

const NOTHING_AFTERWARDS = '{"callbacks": null, "errbacks": null, "chain": null, "chord": null}';

/** The body's JSON: `[args, kwargs, embed]`. @throws EncodeError naming the argument that cannot travel. */
export function encodeTaskBody(
  args: readonly unknown[],
  kwargs: Readonly<Record<string, unknown>>,
  embed?: Partial<TaskEmbed>,
): string {
  const positional = encodeJson(args, "arguments[0]");
  const named = encodeJson(kwargs, "arguments[1]");
  return `[${positional}, ${named}, ${embed === undefined ? NOTHING_AFTERWARDS : encodeEmbed(embed)}]`;
}

function encodeEmbed({
  callbacks = null,
  errbacks = null,
  chain = null,
  chord = null,
}: Partial<TaskEmbed>): string {
  return encodeJson({ callbacks, errbacks, chain, chord }, "arguments[2]");
}

/** One text after another instead of an object and its JSON: this runs once per message. */
function headersText(headers: TaskHeaders, compression: TaskDraft["compression"]): string {
  const { custom } = headers;
  const names = Object.keys(custom);
  // A custom header may replace one of the protocol's, as in Celery: then the long way, for each name only once.
  if (names.some((name) => PROTOCOL_HEADERS.has(name))) {
    return encodeJson({ ...wireHeaders(headers), ...custom, ...(compression ? { compression } : {}) });
  }
  const more = names.length === 0 ? "" : membersText(custom);
  return (
    `{"lang": "${escapeText(headers.lang)}", "task": "${escapeText(headers.task)}", "id": "${escapeText(headers.id)}"${variableText(headers)}` +
    `, "root_id": "${escapeText(headers.rootId)}", "parent_id": ${textOrNull(headers.parentId)}, ` +
    `"argsrepr": "${escapeText(headers.argsRepr)}", "kwargsrepr": "${escapeText(headers.kwargsRepr)}", ` +
    `"origin": "${escapeText(headers.origin)}", "ignore_result": ${headers.ignoreResult}${stampText(headers)}` +
    `${more}${compression ? `, "compression": "${compression}"` : ""}}`
  );
}

/** Of most messages: a call without times, limits and group. One text instead of twenty small ones, which is what costs here. */
const NOTHING_SPECIAL =
  ', "shadow": null, "eta": null, "expires": null, "group": null, "group_index": null, "retries": 0, "timelimit": [null, null]';

function variableText(headers: TaskHeaders): string {
  const { shadow, eta, expires, group, groupIndex, retries, timeLimit, softTimeLimit } = headers;
  const special = shadow ?? eta ?? expires ?? group ?? groupIndex ?? timeLimit ?? softTimeLimit;
  if (special === null && retries === 0) return NOTHING_SPECIAL;
  return (
    `, "shadow": ${textOrNull(shadow)}, "eta": ${textOrNull(eta)}, "expires": ${textOrNull(expires)}, ` +
    `"group": ${textOrNull(group)}, "group_index": ${numberOrNull(groupIndex)}, "retries": ${retries}, ` +
    `"timelimit": [${numberOrNull(timeLimit)}, ${numberOrNull(softTimeLimit)}]`
  );
}

const NOT_STAMPED = ', "replaced_task_nesting": 0, "stamped_headers": null, "stamps": {}';

function stampText({ replacedTaskNesting, stampedHeaders, stamps }: TaskHeaders): string {
  if (replacedTaskNesting === 0 && stampedHeaders === null && stamps === NO_STAMPS) return NOT_STAMPED;
  return (
    `, "replaced_task_nesting": ${replacedTaskNesting}, "stamped_headers": ${encodeJson(stampedHeaders)}, ` +
    `"stamps": ${encodeJson(stamps)}`
  );
}

/** Members to go on with; none at all when every value is undefined. */
function membersText(members: Readonly<Record<string, unknown>>): string {
  const inner = encodeJson(members).slice(1, -1);
  return inner === "" ? "" : `, ${inner}`;
}

function textOrNull(text: string | null): string {
  return text === null ? "null" : `"${escapeText(text)}"`;
}

function numberOrNull(value: number | null): string {
  return value === null ? "null" : encodeJson(value);
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
  };
}

/** Every header that the protocol defines; the others are the caller's own. */
export const PROTOCOL_HEADERS: ReadonlySet<string> = new Set(
  `lang task id shadow eta expires group group_index retries timelimit root_id parent_id argsrepr kwargsrepr origin
  ignore_result replaced_task_nesting stamped_headers stamps compression`.split(/\s+/),
);

function propertiesText(properties: TaskProperties): string {
  const { exchange, routingKey, redelivered } = properties.deliveryInfo;
  const { expiration, custom } = properties;
  const more = Object.keys(custom).length === 0 ? "" : membersText(custom);
  return (
    `{"correlation_id": "${escapeText(properties.correlationId)}", "reply_to": "${escapeText(properties.replyTo)}"${more}, ` +
    `"delivery_mode": ${properties.deliveryMode}, ${expiration === null ? "" : `"expiration": "${escapeText(expiration)}", `}` +
    `"delivery_info": {"exchange": "${escapeText(exchange)}", "routing_key": "${escapeText(routingKey)}"` +
    `${redelivered ? ', "redelivered": true' : ""}}, "priority": ${properties.priority}, ` +
    `"body_encoding": "base64", "delivery_tag": "${escapeText(properties.deliveryTag)}"}`
  );
}
