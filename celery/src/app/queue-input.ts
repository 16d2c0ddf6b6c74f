import * as z from "zod";
import type { ExchangeType } from "../transport/destination.ts";
import { Exchange, Queue } from "./queues.ts";

export const EXCHANGE_TYPES: readonly [ExchangeType, ...ExchangeType[]] = ["direct", "topic", "fanout"];

/** A queue in our spelling or in Celery's. */
export interface QueueObject {
  readonly exchange?: string | Exchange;
  readonly exchangeType?: ExchangeType;
  readonly exchange_type?: ExchangeType;
  readonly routingKey?: string;
  readonly routing_key?: string;
  /** Celery's older word for the routing key of a queue. */
  readonly binding_key?: string;
}

/** What `task_queues` takes: queues or their names in a list, or their descriptions by name. */
export type TaskQueuesInput =
  | readonly (string | Queue | (QueueObject & { readonly name: string }))[]
  | Readonly<Record<string, QueueObject | Queue>>;

const WHAT = "a queue's name, new Queue(…), or { name, exchange, exchangeType, routingKey }";

/** Makes queues of all the ways to write them; each fault is told with its place. */
export function queuesSchema(): z.ZodType<readonly Queue[]> {
  const list = z
    .array(listed())
    .transform((entries) =>
      entries.map((entry) => toQueue(typeof entry === "string" ? entry : entry.name, entry)),
    );
  const table = z
    .record(z.string(), described(), "a list of queues, or an object of name → queue")
    .transform((entries) => Object.entries(entries).map(([queue, entry]) => toQueue(queue, entry, queue)));
  return z.unknown().transform((input, context) => {
    const parsed = Array.isArray(input) ? list.safeParse(input) : table.safeParse(input);
    if (parsed.success) return parsed.data;
    for (const { message, path } of parsed.error.issues) {
      context.addIssue({ code: "custom", message, path: [...path] });
    }
    return z.NEVER;
  });
}

const listed = (): z.ZodType<string | Queue | (Described & { name: string })> => {
  const name = z.string().min(1);
  return z.union([name, z.instanceof(Queue), z.strictObject({ name, ...shape() })], `not a queue: ${WHAT}`);
};
const described = (): z.ZodType<Queue | Described> =>
  z.union([z.instanceof(Queue), z.strictObject(shape())], `not a queue: ${WHAT}`);

const shape = (): { readonly [K in keyof QueueObject]-?: z.ZodType<QueueObject[K] | undefined> } => ({
  exchange: z.union([z.string(), z.instanceof(Exchange)]).optional(),
  exchangeType: z.enum(EXCHANGE_TYPES).optional(),
  exchange_type: z.enum(EXCHANGE_TYPES).optional(),
  routingKey: z.string().optional(),
  routing_key: z.string().optional(),
  binding_key: z.string().optional(),
});

type Described = Partial<Record<keyof QueueObject, unknown>>;

/** @param defaultKey of a queue that is described by its name. @see celery 5.7.0 app/amqp.py, `Queues.add_compat` */
function toQueue(queue: string, entry: string | Queue | Described, defaultKey?: string): Queue {
  if (entry instanceof Queue) return entry;
  if (typeof entry === "string") return new Queue(queue, { exchange: queue, routingKey: queue });
  const given = entry as QueueObject;
  const type = given.exchangeType ?? given.exchange_type;
  const key = given.routingKey ?? given.routing_key ?? given.binding_key ?? defaultKey;
  return new Queue(queue, {
    ...(given.exchange !== undefined && { exchange: given.exchange }),
    ...(type !== undefined && { exchangeType: type }),
    ...(key !== undefined && { routingKey: key }),
  });
}
