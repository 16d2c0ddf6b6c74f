import { InvalidArgument } from "../protocol/errors.ts";
import {
  encodeTaskBody,
  NO_STAMPS,
  type TaskDraft,
  type TaskEmbed,
  type TaskHeaders,
  type TaskProperties,
} from "../protocol/message.ts";
import { formatPython, formatPythonArgs, type ReprLimits } from "../protocol/python-repr.ts";
import { isoFromMs, isTime, msFromIso } from "../protocol/time.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Address } from "./address.ts";
import type { ApplyOptions, SignatureLike } from "./call-options.ts";
import { checkApplyOptions } from "./check-options.ts";
import type { Conf } from "./conf.ts";
import type { Delivery, Router } from "./router.ts";
import type { CurrentTask, ResolvedTaskOptions } from "./types.ts";

/** One call, before it is a message. */
export interface Call {
  readonly name: string;
  readonly args: readonly unknown[];
  readonly options: ApplyOptions;
  /** Of the task, when this app knows it. */
  readonly task: ResolvedTaskOptions | undefined;
  /** The task that makes the call, if one does. */
  readonly parent: CurrentTask | undefined;
}

/** What of the configuration a message depends on, besides its destination. */
export type DraftSettings = Pick<
  Conf,
  "task_inherit_parent_priority" | "task_default_priority" | "task_ignore_result" | "task_repr_maxlevels"
>;

export interface DraftDeps {
  readonly conf: DraftSettings;
  readonly router: Router;
  readonly clock: Clock;
  readonly origin: string;
  /** The client's own id: Celery puts it into `reply_to`. */
  readonly replyTo: string;
  readonly nextId: () => string;
  /** A delivery tag that nobody else uses. */
  readonly nextTag: () => string;
}

/** A message ready to be encoded, and where it goes. */
export interface RoutedDraft {
  readonly draft: TaskDraft;
  readonly address: Address;
  readonly priority: number;
}

/**
 * Decides everything about a message: id, destination, times, priority. Options of the call win over those of the task,
 * these over `task_routes`, these over the defaults.
 *
 * @throws InvalidArgument for a time or priority that cannot be; EncodeError for arguments that are not JSON.
 * @see celery 5.7.0 app/base.py, `Celery.send_task`; app/amqp.py, `as_task_v2`
 */
export function makeDraft(call: Call, deps: DraftDeps): RoutedDraft {
  const { name, args, options, task } = call;
  checkApplyOptions(name, options);
  const delivery = deps.router.deliver(name, args, options, task);
  const priority = priorityOf(call, delivery, deps.conf);
  const headers = makeHeaders(call, deps);
  const properties = makeProperties(headers, call, { delivery, priority, deps });
  const bodyText = encodeTaskBody(args, options.kwargs ?? {}, embedOf(options));
  const compression = delivery.compression === null ? null : "application/x-gzip";
  return { draft: { headers, properties, bodyText, compression }, address: delivery.address, priority };
}

function priorityOf(call: Call, { priority: said }: Delivery, conf: DraftSettings): number {
  const inherited = conf.task_inherit_parent_priority ? call.parent?.priority : undefined;
  const priority = said ?? inherited ?? conf.task_default_priority ?? 0;
  if (Number.isInteger(priority) && priority >= 0 && priority <= 9) return priority;
  throw new InvalidArgument(`priority = ${priority}: a whole number from 0 (first) to 9 is expected.`);
}

const NO_CUSTOM: Readonly<Record<string, unknown>> = {};

function makeHeaders({ name, args, options, task, parent }: Call, deps: DraftDeps): TaskHeaders {
  const id = options.taskId ?? deps.nextId();
  const repr: ReprLimits = { maxLength: 1024, maxLevels: deps.conf.task_repr_maxlevels };
  const { kwargs } = options;
  return {
    lang: "js",
    task: name,
    id,
    shadow: options.shadow ?? null,
    eta: etaOf(options, deps.clock),
    expires: expiresOf(options.expires === undefined ? task?.expires : options.expires, deps.clock),
    group: options.groupId ?? null,
    groupIndex: options.groupIndex ?? null,
    retries: options.retries ?? 0,
    timeLimit: checkLimit("timeLimit", options.timeLimit),
    softTimeLimit: checkLimit("softTimeLimit", options.softTimeLimit),
    rootId: options.rootId || (parent?.rootId ?? id),
    parentId: options.parentId || (parent?.id ?? null),
    argsRepr: options.argsRepr ?? formatPythonArgs(args, repr),
    kwargsRepr: options.kwargsRepr ?? (kwargs === undefined ? "{}" : formatPython(kwargs, repr)),
    origin: deps.origin,
    ignoreResult: options.ignoreResult ?? task?.ignoreResult ?? deps.conf.task_ignore_result,
    replacedTaskNesting: options.replacedTaskNesting ?? 0,
    stampedHeaders: options.stampedHeaders ?? null,
    stamps: options.stamps ?? NO_STAMPS,
    custom: options.headers ?? NO_CUSTOM,
  };
}

interface PropertyParts {
  readonly delivery: Delivery;
  readonly priority: number;
  readonly deps: DraftDeps;
}

function makeProperties(
  headers: TaskHeaders,
  { options }: Call,
  { delivery, priority, deps }: PropertyParts,
): TaskProperties {
  const { exchange, routingKey } = delivery.address;
  const expiresMs = headers.expires === null ? undefined : msFromIso(headers.expires);
  return {
    correlationId: headers.id,
    replyTo: options.replyTo ?? deps.replyTo,
    deliveryMode: delivery.deliveryMode,
    deliveryInfo: { exchange, routingKey, redelivered: false },
    priority,
    deliveryTag: deps.nextTag(),
    expiration:
      expiresMs === undefined ? null : String(Math.max(0, Math.round(expiresMs - deps.clock.nowMs()))),
    custom: customProperties(options),
  };
}

/** Celery leaves the two texts among the properties, too. */
function customProperties({ properties, argsRepr, kwargsRepr }: ApplyOptions): TaskProperties["custom"] {
  if (argsRepr === undefined && kwargsRepr === undefined) return properties ?? NO_CUSTOM;
  return { ...properties, argsrepr: argsRepr, kwargsrepr: kwargsRepr };
}

function embedOf({ link, linkError, chain, chord }: ApplyOptions): TaskEmbed | undefined {
  if (link === undefined && linkError === undefined && !chain && !chord) return undefined;
  return {
    callbacks: listOf(link),
    errbacks: listOf(linkError),
    chain: chain ?? null,
    chord: chord ?? null,
  };
}

function listOf(
  signatures: SignatureLike | readonly SignatureLike[] | undefined,
): readonly SignatureLike[] | null {
  if (signatures === undefined) return null;
  return Array.isArray(signatures) ? (signatures as readonly SignatureLike[]) : [signatures];
}

/** `countdown: 0` counts as none, as in Celery. */
function etaOf({ countdown, eta }: ApplyOptions, clock: Clock): string | null {
  if (countdown !== undefined && countdown !== 0) return fromNow("countdown", countdown, clock);
  return eta === undefined ? null : moment("eta", eta);
}

function expiresOf(expires: ApplyOptions["expires"], clock: Clock): string | null {
  if (expires === undefined || expires === null) return null;
  if (typeof expires === "number") return fromNow("expires", expires, clock);
  return moment("expires", expires);
}

function fromNow(name: string, value: unknown, clock: Clock): string {
  const ms = clock.nowMs() + seconds(name, value) * 1000;
  if (isTime(ms)) return isoFromMs(ms);
  throw new InvalidArgument(
    `${name} = ${String(value)}: no time is so many seconds from now, the years go from 1 to 9999. Give fewer seconds.`,
  );
}

/** Text goes out as it was given: a time without offset is read in the worker's timezone. */
function moment(name: string, value: Date | string): string {
  if (typeof value === "string") {
    if (msFromIso(value) !== undefined) return value;
  } else if (isTime(value.getTime())) {
    return isoFromMs(value.getTime());
  }
  throw new InvalidArgument(
    `${name} = ${JSON.stringify(value)}: a Date or ISO 8601 text is expected, e.g. "2026-11-21T10:00:00+00:00".`,
  );
}

function seconds(name: string, value: unknown): number {
  if (typeof value === "number" && Number.isFinite(value)) return value;
  throw new InvalidArgument(
    `${name} = ${JSON.stringify(value) ?? String(value)}: a number of seconds is expected.`,
  );
}

function checkLimit(name: string, value: number | null | undefined): number | null {
  if (value === null || value === undefined) return null;
  if (seconds(name, value) > 0) return value;
  throw new InvalidArgument(`${name} = ${value}: a number of seconds above 0 is expected.`);
}
