import { isUtf8 } from "node:buffer";
import { unzipSync } from "node:zlib";
import { DecodeError } from "./errors.ts";
import { decodeJson, decodeVerbatim, mayChange } from "./json.ts";
import {
  type DeliveryInfo,
  PROTOCOL_HEADERS,
  type TaskEmbed,
  type TaskHeaders,
  type TaskMessage,
  type TaskProperties,
} from "./message.ts";

/** Why a message cannot be run. `reason` is for people and names what was found. */
export interface DecodeFailure {
  readonly ok: false;
  readonly kind: "malformed" | "too-large" | "refused-content";
  readonly reason: string;
  /** When the envelope could be read that far. */
  readonly taskId?: string;
  readonly taskName?: string;
}

export type Decoded = { readonly ok: true; readonly message: TaskMessage } | DecodeFailure;

export interface DecodeLimits {
  /** Larger messages are not even parsed. Default 16 MiB. */
  readonly maxBytes?: number;
}

const DEFAULT_MAX_BYTES = 16 * 1024 * 1024;

const NOTHING: Json = Object.freeze({});

/** Never runs code, never throws: everything in it was written by somebody else. */
type Json = Readonly<Record<string, unknown>>;

/** A message that cannot be run, on its way out of the depths. */
class Unusable extends Error {
  readonly kind: DecodeFailure["kind"];

  constructor(kind: DecodeFailure["kind"], reason: string) {
    super(reason);
    this.kind = kind;
  }
}

/**
 * Reads one element of a queue. What cannot be run comes back as a reason, never as an exception: one bad message must
 * not end a worker. Content that is not JSON is refused before any decoder sees it.
 *
 * @see celery 5.7.0 worker/consumer/consumer.py, `on_task_received`
 */
export function decodeMessage(raw: string, limits: DecodeLimits = {}): Decoded {
  let headers: Json | undefined;
  try {
    const maxBytes = limits.maxBytes ?? DEFAULT_MAX_BYTES;
    if (raw.length > maxBytes) {
      throw new Unusable(
        "too-large",
        `The message has ${raw.length} bytes, more than the ${maxBytes} allowed.`,
      );
    }
    const envelope = asObject(parse(raw, "The message"), "The message");
    headers = asObject(envelope["headers"], "headers");
    return { ok: true, message: readMessage(envelope, headers, maxBytes) };
  } catch (error) {
    if (!(error instanceof Unusable)) throw error;
    return { ok: false, kind: error.kind, reason: error.message, ...identify(headers) };
  }
}

function identify(headers: Json = NOTHING): { taskId?: string; taskName?: string } {
  const { id, task } = headers;
  return {
    ...(typeof id === "string" ? { taskId: id } : {}),
    ...(typeof task === "string" ? { taskName: task } : {}),
  };
}

function readMessage(envelope: Json, headers: Json, maxBytes: number): TaskMessage {
  if (typeof headers["task"] !== "string" || headers["task"] === "") {
    throw malformed(
      "headers.task is missing: not a task, or one of protocol 1 (set task_protocol = 2 at the sender)",
    );
  }
  if (typeof headers["id"] !== "string" || headers["id"] === "") throw malformed("headers.id is missing");
  const properties = readProperties(asObject(envelope["properties"], "properties"));
  const bodyText = readBodyText(envelope, headers, maxBytes);
  const message = { headers: readHeaders(headers), properties, bodyText, ...readBody(bodyText) };
  return text(headers["compression"]) === null ? message : { ...message, compression: "application/x-gzip" };
}

function readHeaders(headers: Json): TaskHeaders {
  const limits = Array.isArray(headers["timelimit"]) ? (headers["timelimit"] as unknown[]) : [];
  const stamped = headers["stamped_headers"];
  const stamps = headers["stamps"];
  const id = String(headers["id"]);
  return {
    lang: text(headers["lang"]) ?? "",
    task: String(headers["task"]),
    id,
    shadow: text(headers["shadow"]),
    eta: text(headers["eta"]),
    expires: text(headers["expires"]),
    group: text(headers["group"]),
    groupIndex: number(headers["group_index"]),
    retries: number(headers["retries"]) ?? 0,
    timeLimit: number(limits[0]),
    softTimeLimit: number(limits[1]),
    rootId: text(headers["root_id"]) || id,
    parentId: text(headers["parent_id"]),
    argsRepr: text(headers["argsrepr"]) ?? "",
    kwargsRepr: text(headers["kwargsrepr"]) ?? "",
    origin: text(headers["origin"]) ?? "",
    ignoreResult: headers["ignore_result"] === true,
    replacedTaskNesting: number(headers["replaced_task_nesting"]) ?? 0,
    stampedHeaders: Array.isArray(stamped) ? stamped.map(String) : null,
    stamps: isObject(stamps) ? stamps : {},
    custom: others(headers, PROTOCOL_HEADERS),
  };
}

const PROPERTY_NAMES: ReadonlySet<string> = new Set(
  `correlation_id reply_to delivery_mode expiration delivery_info priority body_encoding delivery_tag`.split(
    " ",
  ),
);

function readProperties(properties: Json): TaskProperties {
  if (typeof properties["delivery_tag"] !== "string") throw malformed("properties.delivery_tag is missing");
  return {
    correlationId: text(properties["correlation_id"]) ?? "",
    replyTo: text(properties["reply_to"]) ?? "",
    deliveryMode: number(properties["delivery_mode"]) ?? 2,
    deliveryInfo: readDeliveryInfo(asObject(properties["delivery_info"], "properties.delivery_info")),
    priority: number(properties["priority"]) ?? 0,
    deliveryTag: properties["delivery_tag"],
    expiration: text(properties["expiration"]),
    custom: others(properties, PROPERTY_NAMES),
  };
}

function readDeliveryInfo(info: Json): DeliveryInfo {
  return {
    exchange: text(info["exchange"]) ?? "",
    routingKey: text(info["routing_key"]) ?? "",
    redelivered: info["redelivered"] === true,
  };
}

/** Names that Celery shows for content types, in its own sentence. */
const CONTENT_NAMES: Readonly<Record<string, string>> = {
  "application/x-python-serialize": "pickle",
  "application/x-yaml": "yaml",
  "application/x-msgpack": "msgpack",
};

function readBodyText(envelope: Json, headers: Json, maxBytes: number): string {
  const type = text(envelope["content-type"]) ?? "none";
  if (type !== "application/json") {
    const name = CONTENT_NAMES[type] ?? type;
    throw new Unusable(
      "refused-content",
      `Refusing to deserialize untrusted content of type ${name} (${type}). Only json is accepted.`,
    );
  }
  const encoding = (text(envelope["content-encoding"]) ?? "utf-8").toLowerCase();
  if (!["utf-8", "utf8", "us-ascii", "ascii"].includes(encoding)) {
    throw new Unusable("refused-content", `The content encoding "${encoding}" is not supported, only utf-8.`);
  }
  const body = envelope["body"];
  if (typeof body !== "string") throw malformed("body is missing");
  const bytes = decompress(bodyBytes(body, envelope), text(headers["compression"]), maxBytes);
  if (!isUtf8(bytes)) throw malformed("the body is not UTF-8");
  return bytes.toString("utf8");
}

function bodyBytes(body: string, envelope: Json): Buffer {
  const bodyEncoding = text((envelope["properties"] as Json)["body_encoding"]);
  if (bodyEncoding === null) return Buffer.from(body);
  if (bodyEncoding !== "base64") throw malformed(`the body encoding "${bodyEncoding}" is unknown`);
  if (body.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(body))
    throw malformed("the body is not base64");
  return Buffer.from(body, "base64");
}

/** What kombu calls gzip is a zlib stream; `unzip` reads both. The limit stops a bomb. */
function decompress(bytes: Buffer, compression: string | null, maxBytes: number): Buffer {
  if (compression === null) return bytes;
  if (!["application/x-gzip", "gzip", "zlib"].includes(compression)) {
    throw new Unusable("refused-content", `The compression "${compression}" is not supported, only gzip.`);
  }
  try {
    return unzipSync(bytes, { maxOutputLength: maxBytes });
  } catch (error) {
    throw malformed(`the body cannot be decompressed: ${(error as Error).message}`);
  }
}

function readBody(bodyText: string): Pick<TaskMessage, "args" | "kwargs" | "embed"> {
  const body = parse(bodyText, "The body");
  if (!Array.isArray(body) || body.length !== 3) {
    throw malformed(
      "the body is not [args, kwargs, embed] (protocol 1? Set task_protocol = 2 at the sender)",
    );
  }
  const [args, kwargs, embed] = body as readonly unknown[];
  if (!Array.isArray(args)) throw malformed("the body's args are not a list");
  const after = readEmbed(asObject(embed, "embed"));
  const isSentOn = (after.chain ?? after.callbacks ?? after.errbacks ?? after.chord) !== null;
  return {
    args,
    kwargs: asObject(kwargs, "kwargs"),
    embed: isSentOn && mayChange(bodyText) ? readEmbed(verbatimBody({ bodyText })[2]) : after,
  };
}

/** A body as it is to be written again: see `decodeVerbatim`. @param message whose body could be read. */
export function verbatimBody({
  bodyText,
}: Pick<TaskMessage, "bodyText">): readonly [readonly unknown[], Json, Json] {
  return decodeVerbatim(bodyText) as [readonly unknown[], Json, Json];
}

function readEmbed(embed: Json): TaskEmbed {
  const list = (value: unknown): readonly unknown[] | null => (Array.isArray(value) ? value : null);
  return {
    callbacks: list(embed["callbacks"]),
    errbacks: list(embed["errbacks"]),
    chain: list(embed["chain"]),
    chord: embed["chord"] ?? null,
  };
}

function parse(source: string, what: string): unknown {
  try {
    return decodeJson(source);
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    throw new Unusable("malformed", `${what} cannot be read. ${error.message}`);
  }
}

function malformed(what: string): Unusable {
  return new Unusable("malformed", `The message is malformed: ${what}.`);
}

function asObject(value: unknown, what: string): Json {
  if (isObject(value)) return value;
  throw malformed(`${what} ${value === undefined ? "is missing" : `is ${kindOf(value)}, not an object`}`);
}

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function kindOf(value: unknown): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "a list" : `a ${typeof value}`;
}

function text(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}

function number(value: unknown): number | null {
  return typeof value === "number" && Number.isFinite(value) ? value : null;
}

/** What is not among the known names. Never copied by assignment: a header may be called `__proto__`. */
function others(source: Json, known: ReadonlySet<string>): Json {
  const names = Object.keys(source);
  if (names.every((name) => known.has(name))) return NOTHING;
  return Object.fromEntries(names.flatMap((name) => (known.has(name) ? [] : [[name, source[name]]])));
}
