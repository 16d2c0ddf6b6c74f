import type { ChordState } from "../../backend/chords.ts";
import { DecodeError } from "../../protocol/errors.ts";
import { decodeVerbatim } from "../../protocol/json.ts";
import { plainOf } from "../../protocol/raw-json.ts";
import { type ResultTuple, readTuple } from "../../protocol/result-tuple.ts";
import { PROPAGATE_STATES } from "../../protocol/states.ts";
import {
  celeryError,
  decodeWireError,
  formatWireError,
  toWireError,
  type WireError,
} from "../../protocol/wire-error.ts";
import { inOneLine } from "../../runtime/shown.ts";
import type { CeleryApp, CurrentTask } from "../types.ts";
import { type Aftermath, failedMeta, failSteps, noAftermath, send, tellErrbacks } from "./aftermath.ts";
import { freeze } from "./freeze.ts";
import { freezeDeps } from "./send.ts";
import { cloneSig, type GroupSig, isChord, isGroup, listOf, type Sig } from "./sig.ts";

/** How a chord ends: its body is sent, or fails. */
export interface ChordEnd {
  readonly after: Aftermath;
  /** What the body failed with, if it did. */
  readonly error: WireError | null;
}

export interface ChordEndRequest {
  readonly groupId: string;
  readonly body: Sig;
  /** The part that completed it: the body's parent. */
  readonly parent: CurrentTask;
  readonly nowMs: number;
}

interface Part {
  readonly taskId: string;
  readonly state: string;
  readonly result: unknown;
}

/**
 * Sends the body with the results of all parts, or has it fail when one of them has.
 *
 * @see celery 5.7.0 backends/redis.py, `on_chord_part_return`
 */
export function endChord(app: CeleryApp, state: ChordState, request: ChordEndRequest): ChordEnd {
  const fail = (text: string, cause?: WireError): ChordEnd =>
    failChord(app, request, celeryError("ChordError", text), cause);
  const parts = readParts(state);
  if (typeof parts === "string") return fail(`Join error: ${parts}`);
  const failed = parts.find((part) => PROPAGATE_STATES.has(part.state));
  if (failed) {
    const thrown = plainOf(failed.result);
    const cause = decodeWireError(thrown) ?? toWireError(thrown);
    return fail(`Dependency ${failed.taskId} raised ${formatWireError(cause)}`, cause);
  }
  // Counted, it would be complete: its parts were not where they are counted.
  if (parts.length < (state.expected ?? 0))
    return fail(`Join error: ${parts.length} of ${state.expected} parts were counted`);
  const results = state.shape === null ? parts.map(({ result }) => result) : shaped(state.shape, parts);
  if (results === undefined) return fail("Join error: results of its header are missing");
  try {
    const after = noAftermath();
    const body = cloneSig(request.body);
    app.runInTask(request.parent, () => send(app, after, body, [results], {}));
    return { after, error: null };
  } catch (error) {
    return fail(`Callback error: ${formatWireError(toWireError(error))}`);
  }
}

/** Whether the body fails, however many parts are still to come. */
export function hasFailedPart(state: ChordState): boolean {
  const parts = readParts(state);
  return typeof parts === "string" || parts.some((part) => PROPAGATE_STATES.has(part.state));
}

/** Or why they cannot be read. */
function readParts({ members, trouble }: ChordState): readonly Part[] | string {
  if (trouble !== null) return trouble;
  const parts: Part[] = [];
  for (const member of members) {
    const part = readPart(member);
    if (part === undefined) return `${member.slice(0, 100)} is no result of a part`;
    parts.push(part);
  }
  return parts;
}

function readPart(member: string): Part | undefined {
  try {
    const read = decodeVerbatim(member);
    if (!Array.isArray(read)) return undefined;
    const [, taskId, state, result] = read as readonly unknown[];
    return typeof taskId === "string" && typeof state === "string" ? { taskId, state, result } : undefined;
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
}

/** Results in the shape of the header, groups inside it as lists; undefined when one is not there. */
function shaped(shape: ResultTuple, parts: readonly Part[]): readonly unknown[] | undefined {
  const known = new Map(parts.map((part) => [part.taskId, part.result]));
  let isComplete = true;
  const valueOf = ({ id, nodes }: ReturnType<typeof readTuple>): unknown => {
    if (nodes !== null) return nodes.map(valueOf);
    if (!known.has(id)) isComplete = false;
    return known.get(id);
  };
  const results = (readTuple(shape).nodes ?? []).map(valueOf);
  return isComplete ? results : undefined;
}

/**
 * The body will never run: whoever waits for it, or for what comes after it, is told. Its failure is stored whatever its errbacks and
 * later steps are like: what of them cannot be read or sent is left out, and said in `untold`.
 *
 * @param cause what the part threw: the members of a group as body fail with that.
 * @see celery 5.7.0 backends/base.py, `chord_error_from_stack` and `_handle_group_chord_error`
 */
export function failChord(
  app: CeleryApp,
  request: ChordEndRequest,
  error: WireError,
  cause: WireError = error,
): ChordEnd {
  const after = noAftermath();
  const body = cloneSig(request.body);
  if (isGroup(body)) failGroup(app, after, body, { ...request, error: cause });
  else failBody(app, after, body, { ...request, error });
  const failure = { status: "FAILURE", error, traceback: null } as const;
  const context = { current: request.parent, nowMs: request.nowMs };
  attempt(after, request, () => failSteps(after, listOf(body.options.chain), failure, context));
  return { after, error };
}

function attempt(after: Aftermath, { groupId }: ChordEndRequest, tell: () => void): void {
  try {
    tell();
  } catch (error) {
    after.untold.push(
      `Chord '${inOneLine(groupId)}' has failed, and not all that waits for its body can be told: ${inOneLine(String(error))} ` +
        "Correct the link_error or chain that the body was sent with.",
    );
  }
}

interface Failing extends ChordEndRequest {
  readonly error: WireError;
}

/** A body that is a chain or a chord has later steps of its own; all of them fail. */
function failBody(app: CeleryApp, after: Aftermath, body: Sig, failing: Failing): void {
  const { parent, nowMs, error } = failing;
  const id = freeze(body, {}, freezeDeps(app)).id;
  const failure = { status: "FAILURE", error, traceback: null } as const;
  const errbacks = listOf(body.options.link_error);
  const rootId = body.options.root_id ?? id;
  const current = { ...parent, id, rootId };
  attempt(after, failing, () => tellErrbacks(app, after, errbacks, { current, error, ranHere: false }));
  attempt(after, failing, () => failSteps(after, [withId(body, id)], failure, { current: parent, nowMs }));
}

function failGroup(app: CeleryApp, after: Aftermath, body: GroupSig, failing: Failing): void {
  const { parent, nowMs, error } = failing;
  const node = freeze(body, {}, freezeDeps(app));
  const failure = { status: "FAILURE", error, traceback: null } as const;
  const ofGroup = listOf(body.options.link_error);
  for (const [at, member] of body.kwargs.tasks.entries()) {
    const id = node.nodes?.[at]?.id;
    if (id === undefined) continue;
    const current = { ...parent, id, rootId: id };
    const errbacks = [...errbacksOf(member), ...ofGroup];
    attempt(after, failing, () => tellErrbacks(app, after, errbacks, { current, error, ranHere: false }));
    attempt(after, failing, () =>
      failSteps(after, [withId(member, id)], failure, { current: parent, nowMs }),
    );
  }
  after.results.push(failedMeta(node.id, failure, nowMs));
}

/** A chord's own id is its header's: what counts is the result. */
function withId(sig: Sig, id: string): Sig {
  return { ...sig, options: { ...sig.options, task_id: id } };
}

/** A chord's result is its body's, and so are its errbacks. */
function errbacksOf(sig: Sig): readonly Sig[] {
  const own = listOf(sig.options.link_error);
  return isChord(sig) && sig.kwargs.body ? [...own, ...errbacksOf(sig.kwargs.body)] : own;
}
