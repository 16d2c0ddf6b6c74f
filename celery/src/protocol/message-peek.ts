import * as z from "zod";
import { DecodeError } from "./errors.ts";
import { decodeJson } from "./json.ts";
import { lazySchema } from "./lazy-schema.ts";

/** What can be told of a message without believing in it. */
export interface MessagePeek {
  /** Undefined for what is no task. */
  readonly task: string | undefined;
  readonly id: string | undefined;
}

const named = lazySchema(() =>
  z.object({ task: z.string().optional(), id: z.string().optional() }).catch({}),
);
const envelope = lazySchema(() =>
  z.object({ headers: named(), body: z.string().catch("") }).catch({ headers: {}, body: "" }),
);

/** The name and the id of a task, of both of Celery's protocols: the first one has them in the body. */
export function peekMessage(raw: string): MessagePeek {
  const { headers, body } = envelope().parse(parse(raw));
  const found =
    headers.task === undefined ? named().parse(parse(Buffer.from(body, "base64").toString())) : headers;
  return { task: found.task, id: found.id };
}

function parse(text: string): unknown {
  try {
    return decodeJson(text);
  } catch (error) {
    if (error instanceof DecodeError) return undefined; // anybody may push anything into a list
    throw error;
  }
}
