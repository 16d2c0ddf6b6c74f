import type { Outcome } from "../execution/outcome.ts";
import { PASSING_ON, type TaskRequest } from "../execution/request.ts";
import { decodeJson, decodeVerbatim, encodeJson } from "../protocol/json.ts";
import { plainOf } from "../protocol/raw-json.ts";

/*
 * Worker and child talk in lines of JSON over two pipes of their own: Node's channel for forked processes costs twice as much per
 * message, and cannot write before a function that blocks the loop. What may be more than JSON (arguments, headers, errors) travels
 * inside as text in Celery's encoding, so that dates, big integers and bytes arrive as what they were.
 */

/** File descriptors in the child: where it reads, and where it writes. */
export const READ_FD = 3;
export const WRITE_FD = 4;

/** What the worker tells a pool child. */
export type ToChild =
  /** To be run after those that it was given before; handed back if it cannot begin before `by`, as a `MachineClock` counts. */
  | { readonly type: "run"; readonly job: number; readonly by: number; readonly request: PackedRequest }
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
  readonly outcome: PackedOutcome;
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

/** A request whose fields are plain JSON, but for two texts in Celery's. */
export interface PackedRequest {
  readonly plain: Omit<TaskRequest, "args" | "kwargs" | "bodyText" | keyof Rich>;
  /** `[args, kwargs, …]`, as in the message. */
  readonly call: string;
  /** Null: there is none of it. */
  readonly rich: string | null;
}

/** An outcome of plain JSON, or as text in Celery's JSON. */
export type PackedOutcome = Extract<Outcome, { state: "SUCCESS" }> | string;

const NO_RICH: Rich = { headers: {}, chord: null, chain: null, callbacks: null, errbacks: null, stamps: {} };

export function packRequest(request: TaskRequest): PackedRequest {
  const { args, kwargs, bodyText, headers, chord, chain, callbacks, errbacks, stamps, ...plain } = request;
  const hasRich = Boolean(chord ?? chain ?? callbacks ?? errbacks) || hasKeys(headers) || hasKeys(stamps);
  return {
    plain,
    call: bodyText ?? encodeJson([args, kwargs]),
    rich: hasRich ? encodeJson({ headers, chord, chain, callbacks, errbacks, stamps }) : null,
  };
}

/** @throws DecodeError for a body that is not what it was said to be. */
export function unpackRequest({ plain, call, rich }: PackedRequest): TaskRequest {
  const decode = PASSING_ON.has(plain.task) ? decodeVerbatim : decodeJson;
  const [args, kwargs] = decode(call) as [TaskRequest["args"], TaskRequest["kwargs"]];
  return { ...plain, args, kwargs, ...(rich === null ? NO_RICH : unpackRich(rich)) };
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

export function packOutcome(outcome: Outcome): PackedOutcome {
  const isPlain = outcome.state === "SUCCESS" && outcome.retriedToo === undefined;
  return isPlain ? outcome : encodeJson(outcome);
}

export function unpackOutcome(packed: PackedOutcome): Outcome {
  return typeof packed === "string" ? (decodeJson(packed) as Outcome) : packed;
}
