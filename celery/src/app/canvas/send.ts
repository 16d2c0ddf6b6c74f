import type { Receipt } from "../../backend/async-result.ts";
import type { ResultMark } from "../../backend/backend.ts";
import type { ChordFact } from "../../backend/chords.ts";
import { NoResultBackend } from "../../protocol/errors.ts";
import { type ResultNode, type ResultTuple, toTuple } from "../../protocol/result-tuple.ts";
import type { PreparedCall } from "../call-options.ts";
import type { CeleryApp, CurrentTask } from "../types.ts";
import type { FreezeDeps } from "./freeze.ts";
import { toApplyOptions } from "./options.ts";
import { planCanvas } from "./plan.ts";
import { toResult } from "./results.ts";
import type { Sig, SigOptions } from "./sig.ts";

/** Messages that are ready to go, and what must be known of their chords before the first of them does. */
export interface PreparedCanvas {
  readonly calls: readonly PreparedCall[];
  readonly chords: readonly ChordFact[];
  readonly result: ResultNode | null;
  readonly trail: readonly ResultNode[];
}

export function freezeDeps(app: CeleryApp): FreezeDeps {
  return {
    newId: () => app.newTaskId(),
    replyTo: app.replyTo,
    errbackOnHeader: app.conf.task_allow_error_cb_on_chord_header,
  };
}

/**
 * Makes all messages of a signature and sends none. Inside a task (`app.runInTask`) that task is their parent.
 *
 * @throws InvalidArgument, EncodeError; NoResultBackend for a chord: nothing could count its parts.
 */
export function prepareCanvas(
  app: CeleryApp,
  sig: Sig,
  args: readonly unknown[] = [],
  options: SigOptions = {},
  deps: FreezeDeps = freezeDeps(app),
): PreparedCanvas {
  const plan = planCanvas(sig, args, options, deps);
  const calls: PreparedCall[] = [];
  const chords: ChordFact[] = [];
  for (const step of plan.steps) {
    if (step.kind !== "call") chords.push(step);
    else {
      const { name, args: own, kwargs, options: wire } = step.call;
      calls.push(app.prepare(name, own, toApplyOptions(wire, kwargs)));
    }
  }
  if (chords.length > 0 && app.backend() === undefined) throw new NoResultBackend();
  return { calls, chords, result: plan.result, trail: plan.trail };
}

/**
 * Sends a signature. What a chord must know is written before its first part is sent, so that no part can end unnoticed.
 *
 * @throws OperationalError, InvalidArgument, EncodeError; NoResultBackend for a chord without one.
 */
export async function sendCanvas(
  app: CeleryApp,
  sig: Sig,
  args: readonly unknown[],
  options: SigOptions = {},
): Promise<Receipt | null> {
  const deps = freezeDeps(app);
  // Of the ids that are made here: those of a signature that was frozen before may have results already.
  const marks = new Map<string, ResultMark | undefined>();
  const newId = (): string => {
    const mark = app.resultMark();
    const id = deps.newId();
    marks.set(id, mark);
    return id;
  };
  const { chords, calls, trail, result } = prepareCanvas(app, sig, args, options, { ...deps, newId });
  if (chords.length > 0) await app.backend()?.chords.announce(chords);
  await Promise.all(calls.map((call) => app.publish(call)));
  for (const node of trail) leaveTrail(app.currentTask(), toTuple(node));
  return result && toResult(app, result, (id) => marks.get(id));
}

/** What a task sends is its child. */
export function leaveTrail(task: CurrentTask | undefined, child: ResultTuple): void {
  if (task === undefined) return;
  task.trail ??= [];
  task.trail.push(child);
}
