import { z } from "zod";

const nullableText = z
  .string()
  .nullish()
  .transform((value) => value ?? null);
const taskEvent = { uuid: z.string() };
const workerEvent = {
  /** Seconds between heartbeats. */
  freq: z.number().default(2),
  /** Tasks running now, and tasks taken since the start. */
  active: z.number().default(0),
  processed: z.number().default(0),
  loadavg: z.array(z.number()).default([]),
  sw_ident: z.string().default(""),
  sw_ver: z.string().default(""),
  sw_sys: z.string().default(""),
};
const description = {
  name: z.string(),
  /** Python reprs, cut at 1024 characters: `(2, 3)`, `{'x': 1}`. */
  args: z
    .string()
    .nullish()
    .transform((value) => value ?? "()"),
  kwargs: z
    .string()
    .nullish()
    .transform((value) => value ?? "{}"),
  root_id: nullableText,
  parent_id: nullableText,
  retries: z
    .number()
    .nullish()
    .transform((value) => value ?? 0),
  /** ISO 8601. */
  eta: nullableText,
  expires: nullableText,
};

/** The fields that each type of event has beside the common ones. @see celery-protocol.md, "Events" */
const shapes = {
  "task-sent": {
    ...taskEvent,
    ...description,
    queue: nullableText,
    exchange: nullableText,
    routing_key: nullableText,
  },
  "task-received": { ...taskEvent, ...description },
  "task-started": taskEvent,
  "task-succeeded": {
    ...taskEvent,
    result: nullableText,
    runtime: z
      .number()
      .nullish()
      .transform((value) => value ?? null),
  },
  "task-failed": { ...taskEvent, exception: nullableText, traceback: nullableText },
  "task-retried": { ...taskEvent, exception: nullableText, traceback: nullableText },
  "task-revoked": {
    ...taskEvent,
    terminated: z.boolean().default(false),
    signum: z
      .union([z.string(), z.number()])
      .nullish()
      .transform((value) => value ?? null),
    expired: z.boolean().default(false),
  },
  "task-rejected": { ...taskEvent, requeue: z.boolean().default(false) },
  "worker-online": workerEvent,
  "worker-heartbeat": workerEvent,
  "worker-offline": workerEvent,
} as const;

const common = {
  /** Node name, `celery@host`; of a client `gen<pid>@host`. */
  hostname: z.string().default(""),
  /** Hours west of UTC of the sender's clock. */
  utcoffset: z.number().default(0),
  pid: z.number().default(0),
  clock: z.number().default(0),
  /** Epoch seconds. */
  timestamp: z.number(),
};

export type EventType = keyof typeof shapes;
type Shape<T extends EventType> = z.ZodObject<(typeof shapes)[T]>;

/** What the sender of an event of type `T` says. Keys as on the wire: these objects are Celery's, not ours. */
export type EventFields<T extends EventType> = Readonly<z.output<Shape<T>>>;

export type EventOf<T extends EventType> = EventFields<T> &
  Readonly<z.output<z.ZodObject<typeof common>>> & { readonly type: T };

/** One event of a worker or a client, checked. */
export type CeleryEvent = { [T in EventType]: EventOf<T> }[EventType];

/** Who sends an event, and when. */
export interface EventStamp {
  readonly hostname: string;
  readonly utcoffset: number;
  readonly pid: number;
  readonly clock: number;
  /** Epoch seconds. */
  readonly timestamp: number;
}

/** An event in Celery's order of keys. */
export function makeEvent<T extends EventType>(
  type: T,
  fields: EventFields<T>,
  stamp: EventStamp,
): Record<string, unknown> {
  const { hostname, utcoffset, pid, clock, timestamp } = stamp;
  return { hostname, utcoffset, pid, clock, ...fields, timestamp, type };
}

/**
 * Reads the body of an event message: one event, or a list of them (`task.multi`). What is not an event, or is of a type we do not
 * know, is left out: anybody may publish custom events there.
 */
export function readEvents(body: unknown): readonly CeleryEvent[] {
  return (Array.isArray(body) ? body : [body]).flatMap((item) => {
    const event = readEvent(item);
    return event === undefined ? [] : [event];
  });
}

function readEvent(item: unknown): CeleryEvent | undefined {
  const type = z.object({ type: z.string() }).safeParse(item);
  if (!type.success || !isEventType(type.data.type)) return undefined;
  const shape = z.looseObject({ ...common, ...shapes[type.data.type] });
  const parsed = shape.safeParse(item);
  return parsed.success ? (parsed.data as unknown as CeleryEvent) : undefined;
}

function isEventType(type: string): type is EventType {
  return Object.hasOwn(shapes, type);
}

/** `task-sent` → `task.sent`: the routing key, and the end of the channel's name. */
export function eventRoutingKey(type: EventType): string {
  return type.replace("-", ".");
}
