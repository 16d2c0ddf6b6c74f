import type { ChordFact, ChordPart } from "../../backend/chords.ts";
import { encodeJson } from "../../protocol/json.ts";
import type { TaskMessage } from "../../protocol/message.ts";
import type { ResultMeta } from "../../protocol/result-meta.ts";
import { type ResultTuple, toTuple } from "../../protocol/result-tuple.ts";
import { isoFromMs } from "../../protocol/time.ts";
import { encodeWireError, type WireError } from "../../protocol/wire-error.ts";
import type { PreparedCall } from "../call-options.ts";
import type { CeleryApp, CurrentTask } from "../types.ts";
import { errbackGroup, sortErrbacks } from "./errbacks.ts";
import { prepareCanvas } from "./send.ts";
import { isChain, isChord, isGroup, listOf, makeGroup, type Sig, type SigOptions } from "./sig.ts";
import { toSig } from "./to-sig.ts";

/** A part of a chord that has ended, with the chord's body. */
export interface EndedPart extends ChordPart {
  readonly body: Sig;
  /** Whose child the body will be. */
  readonly parent: CurrentTask;
}

/** What the end of a task sets off. All of it is data: whoever ends the task stores and sends it. */
export interface Aftermath {
  readonly calls: PreparedCall[];
  readonly chords: ChordFact[];
  /** What becomes the task's children. */
  readonly trail: ResultTuple[];
  /** Results of later steps that will never run. */
  readonly results: ResultMeta[];
  readonly parts: EndedPart[];
  /** Errbacks to be called here: see `callErrbacks`. */
  readonly inline: {
    readonly errbacks: readonly Sig[];
    readonly taskId: string;
    readonly error: WireError;
  }[];
  /** For the log: what cannot be told, and why. */
  readonly untold: string[];
}

/** A failure, as it is stored. */
export interface StoredFailure {
  readonly status: "FAILURE" | "REVOKED";
  readonly error: WireError;
  readonly traceback: string | null;
}

export function noAftermath(): Aftermath {
  return { calls: [], chords: [], trail: [], results: [], parts: [], inline: [], untold: [] };
}

/** Whether anything follows at all: asked once per task. */
export function hasAftermath({ embed }: TaskMessage): boolean {
  const { chain, callbacks, chord, errbacks } = embed;
  return !!chain?.length || !!callbacks?.length || !!chord || !!errbacks?.length;
}

/**
 * Callbacks, the next step of the chain, and the part of the chord.
 *
 * @throws InvalidArgument, EncodeError when something of it cannot be sent: then the task has failed.
 * @see celery 5.7.0 app/trace.py, `_dispatch_callbacks_and_chain`; backends/base.py, `mark_as_done`
 */
export function afterSuccess(
  app: CeleryApp,
  message: TaskMessage,
  { result, resultJson }: { readonly result: unknown; readonly resultJson: string },
): Aftermath {
  const after = noAftermath();
  const current = currentOf(message);
  const { callbacks, chain, chord } = message.embed;
  const options = followingOptions(app, current);
  app.runInTask(current, () => {
    for (const sig of together(listOf(callbacks).map(readStep))) send(app, after, sig, [result], options);
    const next = chain?.at(-1);
    if (next) {
      const rest = (chain ?? []).slice(0, -1) as Sig[];
      send(app, after, readStep(next), [result], { chain: rest, ...options });
    }
  });
  if (chord) after.parts.push(...partOf(message, "SUCCESS", resultJson, false));
  return after;
}

/** More than one callback: groups each by themselves, the others as one group. */
function together(callbacks: readonly Sig[]): readonly Sig[] {
  if (callbacks.length < 2) return callbacks;
  const groups = callbacks.filter(isGroup);
  const others = callbacks.filter((sig) => !isGroup(sig));
  return others.length > 0 ? [...groups, makeGroup(others)] : groups;
}

/**
 * What a failed task takes with it: later steps of its chain, the chord that it is a part of, and whoever wants to be told.
 *
 * @param how `tellErrbacks: false` leaves those out. `ranHere`: the ones that can be called with the failure itself have been.
 * @see celery 5.7.0 backends/base.py, `mark_as_failure` and `_fail_chain`
 */
export function afterFailure(
  app: CeleryApp,
  message: TaskMessage,
  failure: StoredFailure,
  how: { readonly tellErrbacks: boolean; readonly ranHere: boolean; readonly nowMs: number },
): Aftermath {
  const after = noAftermath();
  const current = currentOf(message);
  const { chain, chord, errbacks } = message.embed;
  const errorJson = encodeJson(encodeWireError(failure.error));
  if (chord) after.parts.push(...partOf(message, failure.status, errorJson, true));
  failSteps(after, (chain ?? []).map(readStep), failure, { current, nowMs: how.nowMs });
  if (how.tellErrbacks) tellErrbacks(app, after, errbacks, { current, error: failure.error, ...how });
  return after;
}

/** The errbacks of a task: some are called where it failed, others are sent. */
export function tellErrbacks(
  app: CeleryApp,
  after: Aftermath,
  errbacks: readonly unknown[] | null,
  about: { readonly current: CurrentTask; readonly error: WireError; readonly ranHere: boolean },
): void {
  if (!errbacks?.length) return;
  const { inline, sent } = sortErrbacks(app, errbacks);
  const { id, rootId } = about.current;
  if (inline.length > 0 && !about.ranHere)
    after.inline.push({ errbacks: inline, taskId: id, error: about.error });
  if (sent.length === 0) return;
  app.runInTask(about.current, () =>
    send(app, after, errbackGroup(sent), [id], { parent_id: id, root_id: rootId }),
  );
}

interface FailContext {
  readonly current: CurrentTask;
  readonly nowMs: number;
}

/** Steps that will never run, and whose results somebody waits for. A chord counts by its body. */
export function failSteps(
  after: Aftermath,
  steps: readonly Sig[],
  failure: StoredFailure,
  context: FailContext,
): void {
  for (const step of steps) {
    const { task_id: id, group_id: groupId, group_index: index, chord, parent_id: parentId } = step.options;
    if (id !== undefined && !after.results.some(({ taskId }) => taskId === id)) {
      after.results.push(failedMeta(id, failure, context.nowMs, { groupId, parentId }));
      if (chord && groupId) {
        const errorJson = encodeJson(encodeWireError(failure.error));
        const place = { groupId, groupIndex: index ?? null, taskId: id };
        after.parts.push(
          makePart(place, failure.status, errorJson, { failed: true, body: chord, ...context }),
        );
      }
    }
    failSteps(after, insideOf(step), failure, context);
  }
}

/** Celery goes on to the body of a chord only; whoever waits for a member of a group, or a chord around it, would wait for ever. */
function insideOf(step: Sig): readonly Sig[] {
  if (isChord(step)) return step.kwargs.body ? [readStep(step.kwargs.body)] : [];
  if (isGroup(step)) return step.kwargs.tasks.map(readStep);
  return isChain(step) ? step.kwargs.tasks.slice(-1).map(readStep) : [];
}

export function failedMeta(
  taskId: string,
  { status, error, traceback }: StoredFailure,
  nowMs: number,
  place: { readonly groupId?: string | null | undefined; readonly parentId?: string | null | undefined } = {},
): ResultMeta {
  return {
    taskId,
    status,
    result: error,
    traceback,
    children: [],
    dateDone: isoFromMs(nowMs),
    ...(place.groupId && { groupId: place.groupId }),
    ...(place.parentId && { parentId: place.parentId }),
  };
}

function partOf(message: TaskMessage, state: string, resultJson: string, failed: boolean): EndedPart[] {
  const { id, group, groupIndex } = message.headers;
  if (group === null) return [];
  const place = { groupId: group, groupIndex, taskId: id };
  const body = readStep(message.embed.chord);
  return [makePart(place, state, resultJson, { failed, body, current: currentOf(message) })];
}

/** @see celery 5.7.0 backends/redis.py, `on_chord_part_return` */
function makePart(
  place: Pick<ChordPart, "groupId" | "groupIndex" | "taskId">,
  state: string,
  resultJson: string,
  { failed, body, current }: { readonly failed: boolean; readonly body: Sig; readonly current: CurrentTask },
): EndedPart {
  const member = `[1, ${encodeJson(place.taskId)}, "${state}", ${resultJson}]`;
  return { ...place, member, failed, body, parent: current };
}

function currentOf({ headers, properties }: TaskMessage): CurrentTask {
  return { id: headers.id, rootId: headers.rootId, priority: properties.priority };
}

function followingOptions(app: CeleryApp, { id, rootId, priority }: CurrentTask): SigOptions {
  const inherited = app.conf.task_inherit_parent_priority ? priority : null;
  return { parent_id: id, root_id: rootId, priority: inherited };
}

/** Adds what applying a signature sends. */
export function send(
  app: CeleryApp,
  after: Aftermath,
  sig: Sig,
  args: readonly unknown[],
  options: SigOptions,
): void {
  const { calls, chords, trail } = prepareCanvas(app, sig, args, options);
  after.calls.push(...calls);
  after.chords.push(...chords);
  after.trail.push(...trail.map(toTuple));
}

function readStep(step: unknown): Sig {
  return toSig(step as Sig);
}
