import * as z from "zod";
import type { Broadcast } from "./broadcast.ts";
import { lazySchema } from "./lazy-schema.ts";

/** Celery's `control_exchange` with its suffix; replies go to an exchange of their own. */
export const CONTROL_EXCHANGE = "celery.pidbox";
export const REPLY_EXCHANGE = "reply.celery.pidbox";

/** A command to every node, or to some. @see kombu 5.7.0 pidbox.py, `Mailbox._publish` */
export interface ControlRequest {
  readonly method: string;
  readonly arguments: Readonly<Record<string, unknown>>;
  /** Node names; null is everyone. */
  readonly destination: readonly string[] | null;
  readonly pattern: string | null;
  readonly matcher: string | null;
  /** Where to answer, and the ticket to show there; null: nobody waits for an answer. */
  readonly reply: { readonly exchange: string; readonly routingKey: string; readonly ticket: string } | null;
  /** Lamport clock of the sender. */
  readonly clock: number;
  /** Epoch seconds after which nobody waits any more; 0 is never. */
  readonly expires: number;
}

const requestShape = lazySchema(() =>
  z.object({
    method: z.string(),
    arguments: z.record(z.string(), z.unknown()).nullish(),
    destination: z.array(z.string()).nullish(),
    pattern: z.string().nullish(),
    matcher: z.string().nullish(),
    ticket: z.string().nullish(),
    reply_to: z.object({ exchange: z.string(), routing_key: z.string() }).nullish(),
  }),
);

/** `undefined` when the message is no control request. */
export function readControlRequest(broadcast: Broadcast): ControlRequest | undefined {
  const parsed = requestShape().safeParse(broadcast.body);
  if (!parsed.success) return undefined;
  const { method, destination, pattern, matcher, ticket, reply_to: replyTo } = parsed.data;
  const reply = replyTo
    ? { exchange: replyTo.exchange, routingKey: replyTo.routing_key, ticket: ticket ?? "" }
    : null;
  const { clock, expires } = broadcast.headers;
  return {
    method,
    arguments: parsed.data.arguments ?? {},
    destination: destination ?? null,
    pattern: pattern ?? null,
    matcher: matcher ?? null,
    reply,
    clock: typeof clock === "number" ? clock : 0,
    expires: typeof expires === "number" ? expires : 0,
  };
}

export function writeControlRequest(request: ControlRequest): Broadcast {
  const { method, destination, pattern, matcher, reply, clock, expires } = request;
  const body = { method, arguments: request.arguments, destination, pattern, matcher };
  const replyTo = reply && {
    ticket: reply.ticket,
    reply_to: { exchange: reply.exchange, routing_key: reply.routingKey },
  };
  return { headers: { clock, expires }, body: { ...body, ...replyTo } };
}

const replyShape = lazySchema(() => z.record(z.string(), z.unknown()));

/** What one node answered: `{ "celery@host": { "ok": "pong" } }`. */
export interface ControlReply {
  readonly node: string;
  readonly answer: unknown;
  readonly ticket: string | null;
  readonly clock: number;
}

export function readControlReply(broadcast: Broadcast): ControlReply | undefined {
  const body = replyShape().safeParse(broadcast.body);
  const entry = body.success ? Object.entries(body.data)[0] : undefined;
  if (!entry) return undefined;
  const { ticket, clock } = broadcast.headers;
  return {
    node: entry[0],
    answer: entry[1],
    ticket: typeof ticket === "string" ? ticket : null,
    clock: typeof clock === "number" ? clock : 0,
  };
}

export function writeControlReply(reply: ControlReply): Broadcast {
  return { headers: { ticket: reply.ticket, clock: reply.clock }, body: { [reply.node]: reply.answer } };
}

/** Whether a node is meant: by name, by pattern (`glob` or `pcre`), or because everyone is. @see kombu 5.7.0 matcher.py */
export function isAddressedTo(
  request: Pick<ControlRequest, "destination" | "pattern" | "matcher">,
  node: string,
): boolean {
  const { destination, pattern, matcher } = request;
  if (destination && destination.length > 0) return destination.includes(node);
  if (pattern === null || matcher === null) return true;
  const source =
    matcher === "glob" ? globToRegExp(pattern) : matcher === "pcre" ? `^(?:${pattern})` : undefined;
  return source !== undefined && matches(source, node);
}

function globToRegExp(glob: string): string {
  const escaped = glob.replaceAll(/[.+^${}()|\\]/g, String.raw`\$&`);
  return `^${escaped.replaceAll("*", ".*").replaceAll("?", ".").replaceAll("[!", "[^")}$`;
}

function matches(source: string, node: string): boolean {
  try {
    return new RegExp(source).test(node);
  } catch {
    return false; // a pattern that JavaScript cannot read names nobody
  }
}
