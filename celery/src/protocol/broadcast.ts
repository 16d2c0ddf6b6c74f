import * as z from "zod";
import { DecodeError } from "./errors.ts";
import { decodeJson, encodeJson } from "./json.ts";
import { lazySchema } from "./lazy-schema.ts";

/** What goes through a fanout exchange or a reply queue: events, remote control. Not a task: the body is any JSON. */
export interface Broadcast {
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: unknown;
}

export interface BroadcastAddress {
  readonly exchange: string;
  readonly routingKey: string;
  /** 1 is transient, 2 persistent; Redis ignores it. */
  readonly deliveryMode: 1 | 2;
  /** A UUID. */
  readonly deliveryTag: string;
}

/**
 * The envelope of events and remote control, as kombu writes it.
 *
 * @see kombu 5.7.0 transport/virtual/base.py, `Channel.prepare_message`
 */
export function encodeBroadcast(broadcast: Broadcast, address: BroadcastAddress): string {
  return encodeJson({
    body: Buffer.from(encodeJson(broadcast.body)).toString("base64"),
    "content-encoding": "utf-8",
    "content-type": "application/json",
    headers: broadcast.headers,
    properties: {
      delivery_mode: address.deliveryMode,
      delivery_info: { exchange: address.exchange, routing_key: address.routingKey },
      priority: 0,
      body_encoding: "base64",
      delivery_tag: address.deliveryTag,
    },
  });
}

const envelopeShape = lazySchema(() =>
  z.object({
    body: z.string(),
    "content-type": z.literal("application/json"),
    headers: z.record(z.string(), z.unknown()).nullish(),
    properties: z.object({ body_encoding: z.string().nullish() }),
  }),
);

/** `undefined` for anything that is not such an envelope with JSON in it: whoever shares the channel may send what it likes. */
export function decodeBroadcast(raw: string): Broadcast | undefined {
  const envelope = envelopeShape().safeParse(parseJson(raw));
  if (!envelope.success) return undefined;
  const { body, headers, properties } = envelope.data;
  const text = properties.body_encoding === "base64" ? Buffer.from(body, "base64").toString("utf8") : body;
  const content = parseJson(text);
  return content === undefined ? undefined : { headers: headers ?? {}, body: content };
}

function parseJson(text: string): unknown {
  try {
    return decodeJson(text);
  } catch (error) {
    if (error instanceof DecodeError) return undefined; // no JSON text means undefined, so the caller cannot mistake it
    throw error;
  }
}
