import type { Outcome } from "../execution/outcome.ts";
import { PASSING_ON, type TaskRequest } from "../execution/request.ts";
import { decodeJson, decodeVerbatim, encodeJson } from "../protocol/json.ts";
import { plainOf } from "../protocol/raw-json.ts";

/*
 * Worker and child talk in lines of JSON over two pipes of their own: Node's channel for forked processes costs twice as much per
 * message, and cannot write before a function that blocks the loop. What may be more than JSON (arguments, headers, errors) travels
 * inside as text in Celery's encoding, so that dates, big integers and bytes arrive as what they were.
 *
 * What is said of every task is an array without names, and leaves out what most tasks do not use: names and nulls were most of a line,
 * and reading them most of what a short task cost its child.
 */

/** File descriptors in the child: where it reads, and where it writes. */
export const READ_FD = 3;
export const WRITE_FD = 4;

/** What the worker tells a pool child. */
export type ToChild =
  /** To be run after those that it was given before; handed back if it cannot begin before `by`, as a `MachineClock` counts. */
  | { readonly type: "run"; readonly job: number; readonly by: number; readonly request: TaskRequest }
  /** Hand back what has not begun. */
  | { readonly type: "giveBack" }
  /** More resident memory than this after a task: take no other. Null is no limit. */
  | { readonly type: "memory"; readonly maxResidentKib: number | null }
  /** Answer to `state`: stored, or why not. */
  | { readonly type: "stored"; readonly seq: number; readonly error: string | null }
  /** What runs has had its time: Celery's SIGUSR1. */
  | { readonly type: "softLimit" }
  /** End by this signal, whatever runs. */
  | { readonly type: "end"; readonly signal: NodeJS.Signals }
  /** End when nothing runs. */
  | { readonly type: "exit" };

/**
 * What a pool child tells the worker. `job` is the number that the task was given with: the two may give and hand back tasks at
 * the same moment.
 */
export type FromChild =
  | { readonly type: "ready" }
  /** The app could not be loaded; the child ends. */
  | { readonly type: "failed"; readonly reason: string }
  /** Written before the function is called. */
  | { readonly type: "started"; readonly job: number }
  /** `metaJson` is in Celery's encoding. */
  | {
      readonly type: "state";
      readonly job: number;
      readonly seq: number;
      readonly state: string;
      readonly metaJson: string;
    }
  | { readonly type: "softLimit"; readonly job: number; readonly limitSeconds: number }
  /** `self.sendEvent`; the fields in Celery's JSON. */
  | { readonly type: "event"; readonly job: number; readonly name: string; readonly fieldsJson: string }
  /** These have not begun and never will here. */
  | { readonly type: "givenBack"; readonly jobs: readonly number[] }
  | DoneMessage;

export interface DoneMessage {
  readonly type: "done";
  readonly job: number;
  readonly outcome: Outcome;
  readonly written: Written;
  /** It should not take another task: an abandoned one may still run in it, or it has grown too large. */
  readonly worn: boolean;
}

/** Bytes that the child has written so far: the worker reads that far before it logs how the task ended. */
export interface Written {
  readonly stdout: number;
  readonly stderr: number;
}

/** What may hold more than JSON. */
type Rich = Pick<TaskRequest, "headers" | "chord" | "chain" | "callbacks" | "errbacks" | "stamps">;

/** Plain JSON, and of most tasks what `USUAL` says; `rootId` is the task's own id then. */
type Rare = Pick<
  TaskRequest,
  | "rootId"
  | "parentId"
  | "eta"
  | "expires"
  | "timeLimit"
  | "ignoreResult"
  | "calledDirectly"
  | "isEager"
  | "group"
  | "groupIndex"
  | "replacedTaskNesting"
  | "stampedHeaders"
  | "hardLimitSeconds"
  | "softLimitSeconds"
>;

const USUAL: Omit<Rare, "rootId"> = {
  parentId: null,
  eta: null,
  expires: null,
  timeLimit: [null, null],
  ignoreResult: false,
  calledDirectly: false,
  group: null,
  groupIndex: null,
  replacedTaskNesting: 0,
  stampedHeaders: null,
  hardLimitSeconds: null,
  softLimitSeconds: null,
};

const NO_RICH: Rich = { headers: {}, chord: null, chain: null, callbacks: null, errbacks: null, stamps: {} };

/** A `run`. */
type RunLine = readonly [
  job: number,
  by: number,
  id: string,
  task: string,
  /** `[args, kwargs, …]`, as in the message. */
  call: string,
  retries: number,
  origin: string,
  hostname: string,
  exchange: string,
  routingKey: string,
  priority: number,
  redelivered: readonly [task: boolean, delivery: boolean] | null,
  rare: Rare | null,
  /** `Rich`, in Celery's JSON. */
  rich: string | null,
];

/** `started`, or a `done` of a task that succeeded and left nothing but its result. */
type ResultLine =
  | readonly [job: number]
  | readonly [
      job: number,
      json: string,
      repr: string,
      runtimeSeconds: number,
      stdout: number,
      stderr: number,
    ];

/** Any other `done`: the outcome in Celery's JSON. */
type PackedDone = Omit<DoneMessage, "outcome"> & { readonly outcome: string };

export function writeToChild(message: ToChild): string {
  return JSON.stringify(message.type === "run" ? packRun(message) : message);
}

/** @throws DecodeError for a body that is not what it was said to be. */
export function readToChild(line: string): ToChild {
  const said = JSON.parse(line) as RunLine | Exclude<ToChild, { type: "run" }>;
  return "type" in said ? said : unpackRun(said);
}

export function writeFromChild(message: FromChild): string {
  if (message.type === "started") return `[${message.job}]`;
  return JSON.stringify(message.type === "done" ? packDone(message) : message);
}

export function readFromChild(line: string): FromChild {
  const said = JSON.parse(line) as ResultLine | PackedDone | Exclude<FromChild, { type: "done" | "started" }>;
  if (!("type" in said)) return unpackResult(said);
  return said.type === "done" ? { ...said, outcome: decodeJson(said.outcome) as Outcome } : said;
}

function packRun({ job, by, request }: Extract<ToChild, { type: "run" }>): RunLine {
  const { id, task, retries, origin, hostname, deliveryInfo, redelivered } = request;
  const { exchange, routingKey, priority } = deliveryInfo;
  return [
    job,
    by,
    id,
    task,
    request.bodyText ?? encodeJson([request.args, request.kwargs]),
    retries,
    origin,
    hostname,
    exchange,
    routingKey,
    priority,
    redelivered || deliveryInfo.redelivered ? [redelivered, deliveryInfo.redelivered] : null,
    packRare(request),
    packRich(request),
  ];
}

function packRare(request: TaskRequest): Rare | null {
  const { rootId, parentId, eta, expires, timeLimit, ignoreResult, calledDirectly, isEager } = request;
  const { group, groupIndex, replacedTaskNesting, stampedHeaders, hardLimitSeconds, softLimitSeconds } =
    request;
  const isTimed =
    (eta ?? expires ?? timeLimit[0] ?? timeLimit[1] ?? hardLimitSeconds ?? softLimitSeconds) !== null;
  const isInFlow = rootId !== request.id || (parentId ?? group ?? groupIndex ?? stampedHeaders) !== null;
  if (!isTimed && !isInFlow && !ignoreResult && !calledDirectly && !isEager && replacedTaskNesting === 0)
    return null;
  return {
    rootId,
    parentId,
    eta,
    expires,
    timeLimit,
    ignoreResult,
    calledDirectly,
    ...(isEager !== undefined && { isEager }),
    group,
    groupIndex,
    replacedTaskNesting,
    stampedHeaders,
    hardLimitSeconds,
    softLimitSeconds,
  };
}

function packRich({ headers, chord, chain, callbacks, errbacks, stamps }: TaskRequest): string | null {
  const hasRich = Boolean(chord ?? chain ?? callbacks ?? errbacks) || hasKeys(headers) || hasKeys(stamps);
  return hasRich ? encodeJson({ headers, chord, chain, callbacks, errbacks, stamps }) : null;
}

function unpackRun(line: RunLine): Extract<ToChild, { type: "run" }> {
  const [
    job,
    by,
    id,
    task,
    call,
    retries,
    origin,
    hostname,
    exchange,
    routingKey,
    priority,
    again,
    said,
    text,
  ] = line;
  const decode = PASSING_ON.has(task) ? decodeVerbatim : decodeJson;
  const [args, kwargs] = decode(call) as [TaskRequest["args"], TaskRequest["kwargs"]];
  const [redelivered, isAgain] = again ?? [false, false];
  const rare = said ?? USUAL;
  const rich = text === null ? NO_RICH : unpackRich(text);
  // Every field by its name: an object put together from others takes several times as long.
  const request: TaskRequest = {
    id,
    task,
    args,
    kwargs,
    retries,
    rootId: said === null ? id : said.rootId,
    parentId: rare.parentId,
    eta: rare.eta,
    expires: rare.expires,
    origin,
    hostname,
    deliveryInfo: { exchange, routingKey, redelivered: isAgain, priority },
    redelivered,
    timeLimit: rare.timeLimit,
    ignoreResult: rare.ignoreResult,
    headers: rich.headers,
    calledDirectly: rare.calledDirectly,
    group: rare.group,
    groupIndex: rare.groupIndex,
    chord: rich.chord,
    chain: rich.chain,
    callbacks: rich.callbacks,
    errbacks: rich.errbacks,
    replacedTaskNesting: rare.replacedTaskNesting,
    stampedHeaders: rare.stampedHeaders,
    stamps: rich.stamps,
    hardLimitSeconds: rare.hardLimitSeconds,
    softLimitSeconds: rare.softLimitSeconds,
  };
  return {
    type: "run",
    job,
    by,
    request: rare.isEager === undefined ? request : { ...request, isEager: rare.isEager },
  };
}

/** What goes on from here travels as it came; what the task reads, it reads in its own language. */
function unpackRich(text: string): Rich {
  const rich = decodeVerbatim(text) as Rich;
  return { ...rich, headers: plainOf(rich.headers), stamps: plainOf(rich.stamps) };
}

function hasKeys(value: object): boolean {
  for (const _key in value) return true;
  return false;
}

function packDone(message: DoneMessage): ResultLine | PackedDone {
  const { job, outcome, written, worn } = message;
  if (outcome.state !== "SUCCESS" || outcome.retriedToo || outcome.children || worn) {
    return { ...message, outcome: encodeJson(outcome) };
  }
  const { resultJson, resultRepr, runtimeSeconds } = outcome;
  return [job, resultJson, resultRepr, runtimeSeconds, written.stdout, written.stderr];
}

function unpackResult(line: ResultLine): FromChild {
  if (line.length === 1) return { type: "started", job: line[0] };
  const [job, resultJson, resultRepr, runtimeSeconds, stdout, stderr] = line;
  const outcome: Outcome = { state: "SUCCESS", resultJson, resultRepr, runtimeSeconds };
  return { type: "done", job, outcome, written: { stdout, stderr }, worn: false };
}
