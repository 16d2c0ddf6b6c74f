import * as z from "zod";
import { lazySchema } from "./lazy-schema.ts";

interface TaskEvent {
  /** The task's id. */
  readonly uuid: string;
}

interface TaskDescription extends TaskEvent {
  readonly name: string;
  /** Python reprs, cut at 1024 characters: `(2, 3)`, `{'x': 1}`. */
  readonly args: string;
  readonly kwargs: string;
  readonly root_id: string | null;
  readonly parent_id: string | null;
  readonly retries: number;
  /** ISO 8601. */
  readonly eta: string | null;
  readonly expires: string | null;
}

interface TaskSent extends TaskDescription {
  readonly queue: string | null;
  readonly exchange: string | null;
  readonly routing_key: string | null;
}

interface TaskSucceeded extends TaskEvent {
  /** Python repr, cut. */
  readonly result: string | null;
  /** Seconds. */
  readonly runtime: number | null;
}

interface TaskTrouble extends TaskEvent {
  /** Python repr: `ValueError('boom')`. */
  readonly exception: string | null;
  readonly traceback: string | null;
}

interface TaskRevoked extends TaskEvent {
  readonly terminated: boolean;
  readonly signum: string | number | null;
  readonly expired: boolean;
}

interface WorkerEvent {
  /** Seconds between heartbeats. */
  readonly freq: number;
  /** Tasks running now, and tasks taken since the start. */
  readonly active: number;
  readonly processed: number;
  readonly loadavg: readonly number[];
  readonly sw_ident: string;
  readonly sw_ver: string;
  readonly sw_sys: string;
}

/**
 * The fields that each type of event has beside those of {@link EventStamp}. Keys as on the wire: these objects are Celery's.
 *
 * @see celery 5.7.0 docs, userguide/monitoring, "Event Reference"
 */
export interface EventMap {
  readonly "task-sent": TaskSent;
  readonly "task-received": TaskDescription;
  readonly "task-started": TaskEvent;
  readonly "task-succeeded": TaskSucceeded;
  readonly "task-failed": TaskTrouble;
  readonly "task-retried": TaskTrouble;
  readonly "task-revoked": TaskRevoked;
  readonly "task-rejected": TaskEvent & { readonly requeue: boolean };
  /** Its run was ended to run again elsewhere: a cold shutdown, a lost connection. */
  readonly "task-cancelled": TaskEvent;
  readonly "worker-online": WorkerEvent;
  readonly "worker-heartbeat": WorkerEvent;
  readonly "worker-offline": WorkerEvent;
}

export type EventType = keyof EventMap;
/** What the sender of an event of type `T` says. */
export type EventFields<T extends EventType> = EventMap[T];
export type EventOf<T extends EventType> = EventMap[T] & EventStamp & { readonly type: T };
/** One event of a worker or a client, checked. */
export type CeleryEvent = { [T in EventType]: EventOf<T> }[EventType];

/** Who sends an event, and when. */
export interface EventStamp {
  /** Node name, `celery@host`; of a client `gen<pid>@host`. */
  readonly hostname: string;
  /** Hours west of UTC of the sender's clock. */
  readonly utcoffset: number;
  readonly pid: number;
  /** Lamport clock. */
  readonly clock: number;
  /** Epoch seconds. */
  readonly timestamp: number;
}

/** An event in Celery's order of keys. */
export function makeEvent(
  type: string,
  fields: Readonly<Record<string, unknown>> | EventFields<EventType>,
  stamp: EventStamp,
): Record<string, unknown> {
  const { hostname, utcoffset, pid, clock, timestamp } = stamp;
  return { hostname, utcoffset, pid, clock, ...fields, timestamp, type };
}

const orNull = <T extends z.ZodType>(shape: T): z.ZodDefault<z.ZodNullable<T>> =>
  shape.nullable().default(null as never);
const orElse = <T extends string | number>(shape: z.ZodType<T>, value: T): z.ZodType<T> =>
  shape.nullish().transform((given) => given ?? value);

const taskEvent = () => ({ uuid: z.string() });
const description = () => ({
  ...taskEvent(),
  name: z.string(),
  args: orElse(z.string(), "()"),
  kwargs: orElse(z.string(), "{}"),
  root_id: orNull(z.string()),
  parent_id: orNull(z.string()),
  retries: orElse(z.number(), 0),
  eta: orNull(z.string()),
  expires: orNull(z.string()),
});
const trouble = () =>
  z.looseObject({
    ...stamp(),
    ...taskEvent(),
    exception: orNull(z.string()),
    traceback: orNull(z.string()),
  });
const workerEvent = () =>
  z.looseObject({
    ...stamp(),
    freq: z.number().default(2),
    active: z.number().default(0),
    processed: z.number().default(0),
    loadavg: z.array(z.number()).default([]),
    sw_ident: z.string().default(""),
    sw_ver: z.string().default(""),
    sw_sys: z.string().default(""),
  });
const stamp = () => ({
  hostname: z.string().default(""),
  utcoffset: z.number().default(0),
  pid: z.number().default(0),
  clock: z.number().default(0),
  timestamp: moment(),
});
/** Seconds that a `Date` can be made of. */
const moment = () => z.number().min(-LATEST_SECONDS).max(LATEST_SECONDS);
const LATEST_SECONDS = 8.64e12;

/** Lenient where senders differ: a field that an older Celery does not send gets a value that means "not known". */
const shapes: { readonly [T in EventType]: () => z.ZodType<EventMap[T] & EventStamp> } = {
  "task-sent": lazySchema(() =>
    z.looseObject({
      ...stamp(),
      ...description(),
      queue: orNull(z.string()),
      exchange: orNull(z.string()),
      routing_key: orNull(z.string()),
    }),
  ),
  "task-received": lazySchema(() => z.looseObject({ ...stamp(), ...description() })),
  "task-started": lazySchema(() => z.looseObject({ ...stamp(), ...taskEvent() })),
  "task-succeeded": lazySchema(() =>
    z.looseObject({
      ...stamp(),
      ...taskEvent(),
      result: orNull(z.string()),
      runtime: orNull(z.number()),
    }),
  ),
  "task-failed": lazySchema(trouble),
  "task-retried": lazySchema(trouble),
  "task-revoked": lazySchema(() =>
    z.looseObject({
      ...stamp(),
      ...taskEvent(),
      terminated: z.boolean().default(false),
      signum: orNull(z.union([z.string(), z.number()])),
      expired: z.boolean().default(false),
    }),
  ),
  "task-rejected": lazySchema(() =>
    z.looseObject({ ...stamp(), ...taskEvent(), requeue: z.boolean().default(false) }),
  ),
  "task-cancelled": lazySchema(() => z.looseObject({ ...stamp(), ...taskEvent() })),
  "worker-online": lazySchema(workerEvent),
  "worker-heartbeat": lazySchema(workerEvent),
  "worker-offline": lazySchema(workerEvent),
};

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

/**
 * Any event, one that somebody made up included: what every one of them has, and what else came with it, unchecked. A `timestamp` that is no
 * moment is NaN; anything else that cannot be is "" or 0, as if it were missing.
 */
export interface RawEvent extends EventStamp {
  /** `task-succeeded`, `worker-online`, `payment-refused`, … */
  readonly type: string;
  readonly [field: string]: unknown;
}

const rawShape = lazySchema(() =>
  z.looseObject({
    hostname: z.string().catch(""),
    utcoffset: z.number().catch(0),
    pid: z.number().catch(0),
    clock: z.number().catch(0),
    timestamp: moment().catch(Number.NaN),
    type: z.string(),
  }),
);

/** As `readEvents`, but with every type of event, every field as it came, and nothing left out for a field that cannot be. */
export function readRawEvents(body: unknown): readonly RawEvent[] {
  return (Array.isArray(body) ? body : [body]).flatMap((item) => {
    const parsed = rawShape().safeParse(item);
    return parsed.success ? [parsed.data] : [];
  });
}

const typed = lazySchema(() => z.object({ type: z.string() }));

function readEvent(item: unknown): CeleryEvent | undefined {
  const type = typed().safeParse(item);
  if (!type.success || !isEventType(type.data.type)) return undefined;
  const parsed = shapes[type.data.type]().safeParse(item);
  return parsed.success ? ({ ...parsed.data, type: type.data.type } as CeleryEvent) : undefined;
}

function isEventType(type: string): type is EventType {
  return Object.hasOwn(shapes, type);
}

/** `task-sent` → `task.sent`: the routing key, and the end of the channel's name. */
export function eventRoutingKey(type: string): string {
  return type.replaceAll("-", ".");
}
