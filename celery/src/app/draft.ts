import { randomUUID } from "node:crypto";
import { InvalidArgument } from "../protocol/errors.ts";
import {
  encodeTaskBody,
  type TaskDraft,
  type TaskHeaders,
  type TaskProperties,
} from "../protocol/message.ts";
import { ARGUMENTS_REPR, formatPython, formatPythonArgs } from "../protocol/python-repr.ts";
import { isoFromMs, msFromIso } from "../protocol/time.ts";
import type { Clock } from "../runtime/clock.ts";
import { checkApplyOptions } from "./check-options.ts";
import type { Conf } from "./conf.ts";
import { findRoute } from "./routes.ts";
import type { ApplyOptions, CurrentTask, ResolvedTaskOptions } from "./types.ts";

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

export interface DraftDeps {
  readonly conf: Conf;
  readonly clock: Clock;
  readonly origin: string;
  /** The client's own id: Celery puts it into `reply_to`. */
  readonly replyTo: string;
}

/** A message ready to be encoded, and where it goes. */
export interface RoutedDraft {
  readonly draft: TaskDraft;
  readonly queue: string;
  readonly priority: number;
}

/**
 * Decides everything about a message: id, queue, times, priority. Options of the call win over those of the task,
 * these over `task_routes`, these over the defaults.
 *
 * @throws InvalidArgument for a time or priority that cannot be; EncodeError for arguments that are not JSON.
 * @see celery 5.7.0 app/base.py, `Celery.send_task`; app/amqp.py, `as_task_v2`
 */
export function makeDraft(call: Call, deps: DraftDeps): RoutedDraft {
  checkApplyOptions(call.name, call.options);
  const { queue, priority } = route(call, deps.conf);
  const headers = makeHeaders(call, deps);
  const properties = makeProperties(headers, { queue, priority, deps });
  const bodyText = encodeTaskBody(call.args, call.options.kwargs ?? {});
  return { draft: { headers, properties, bodyText }, queue, priority };
}

function route(call: Call, conf: Conf): { queue: string; priority: number } {
  const found = findRoute(conf.task_routes, call.name, call.args, call.options.kwargs ?? {});
  const queue = call.options.queue ?? call.task?.queue ?? found.queue ?? conf.task_default_queue;
  const inherited = conf.task_inherit_parent_priority ? call.parent?.priority : undefined;
  const priority =
    call.options.priority ??
    call.task?.priority ??
    found.priority ??
    inherited ??
    conf.task_default_priority ??
    0;
  if (!Number.isInteger(priority) || priority < 0 || priority > 9) {
    throw new InvalidArgument(`priority = ${priority}: a whole number from 0 (first) to 9 is expected.`);
  }
  if (queue === "") throw new InvalidArgument(`The queue for ${call.name} has no name.`);
  return { queue, priority };
}

function makeHeaders({ name, args, options, task, parent }: Call, deps: DraftDeps): TaskHeaders {
  const id = options.taskId ?? randomUUID();
  const nowMs = deps.clock.nowMs();
  const repr = { ...ARGUMENTS_REPR, maxLevels: deps.conf.task_repr_maxlevels };
  return {
    lang: "js",
    task: name,
    id,
    shadow: options.shadow ?? null,
    eta: etaOf(options, nowMs),
    expires: expiresOf(options.expires === undefined ? task?.expires : options.expires, nowMs),
    group: null,
    groupIndex: null,
    retries: 0,
    timeLimit: checkLimit("timeLimit", options.timeLimit),
    softTimeLimit: checkLimit("softTimeLimit", options.softTimeLimit),
    rootId: parent?.rootId ?? id,
    parentId: parent?.id ?? null,
    argsRepr: formatPythonArgs(args, repr),
    kwargsRepr: formatPython(options.kwargs ?? {}, repr),
    origin: deps.origin,
    ignoreResult: options.ignoreResult ?? task?.ignoreResult ?? deps.conf.task_ignore_result,
    replacedTaskNesting: 0,
    stampedHeaders: null,
    stamps: {},
    custom: options.headers ?? {},
  };
}

function makeProperties(
  headers: TaskHeaders,
  { queue, priority, deps }: { queue: string; priority: number; deps: DraftDeps },
): TaskProperties {
  const expiresMs = headers.expires === null ? undefined : msFromIso(headers.expires);
  return {
    correlationId: headers.id,
    replyTo: deps.replyTo,
    deliveryMode: deps.conf.task_default_delivery_mode,
    deliveryInfo: { exchange: "", routingKey: queue, redelivered: false },
    priority,
    deliveryTag: randomUUID(),
    expiration:
      expiresMs === undefined ? null : String(Math.max(0, Math.round(expiresMs - deps.clock.nowMs()))),
    custom: {},
  };
}

/** `countdown: 0` counts as none, as in Celery. */
function etaOf({ countdown, eta }: ApplyOptions, nowMs: number): string | null {
  if (countdown !== undefined && countdown !== 0)
    return isoFromMs(nowMs + seconds("countdown", countdown) * 1000);
  return eta === undefined ? null : moment("eta", eta);
}

function expiresOf(expires: ApplyOptions["expires"], nowMs: number): string | null {
  if (expires === undefined || expires === null) return null;
  if (typeof expires === "number") return isoFromMs(nowMs + seconds("expires", expires) * 1000);
  return moment("expires", expires);
}

/** Text goes out as it was given: a time without offset is read in the worker's timezone. */
function moment(name: string, value: Date | string): string {
  if (typeof value === "string") {
    if (msFromIso(value) !== undefined) return value;
  } else if (Number.isFinite(value.getTime())) {
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
