import {
  type Aftermath,
  afterFailure,
  afterSuccess,
  type EndedPart,
  hasAftermath,
  type StoredFailure,
} from "../app/canvas/aftermath.ts";
import { endChord } from "../app/canvas/chord-end.ts";
import { asError, callErrbacks } from "../app/canvas/errbacks.ts";
import { makeReplacement } from "../app/canvas/replace.ts";
import { prepareCanvas } from "../app/canvas/send.ts";
import { toSig } from "../app/canvas/to-sig.ts";
import type { CeleryApp } from "../app/types.ts";
import type { ResultBackend } from "../backend/backend.ts";
import { taskSentFields } from "../events/index.ts";
import { decodeVerbatim } from "../protocol/json.ts";
import type { TaskMessage } from "../protocol/message.ts";
import { type ResultTuple, toTuple } from "../protocol/result-tuple.ts";
import { formatWireError, type WireError } from "../protocol/wire-error.ts";
import type { Clock } from "../runtime/clock.ts";
import { inOneLine } from "../runtime/shown.ts";
import type { Completion, Consumer, FinishOutcome } from "../transport/transport.ts";
import { concludeBrokenFlow, type Ending, type RunFacts } from "./conclude.ts";
import { labelOf } from "./delivery.ts";
import { makeRescue } from "./rescue.ts";
import type { EventSink } from "./task-event.ts";
import { MAIN_PROCESS, type WorkerLog } from "./worker-log.ts";

export interface FollowUpDeps {
  readonly app: CeleryApp;
  readonly backend: ResultBackend | undefined;
  readonly consumer: Consumer;
  readonly events: EventSink;
  readonly log: WorkerLog;
  readonly clock: Pick<Clock, "nowMs">;
}

/** How a run ends when its workflow is looked at, and what follows. */
export interface PlannedEnding {
  readonly ending: Ending;
  readonly followUp: FollowUp;
}

/** What follows from the end of a task, for the step in which it is stored. */
export interface FollowUp {
  readonly completion: Pick<Completion, "publish" | "flow">;
  readonly children: readonly ResultTuple[];
  /** Chords that this may complete. */
  readonly parts: readonly EndedPart[];
  readonly after: Aftermath | undefined;
}

/** How the tasks of a workflow set each other off: callbacks, chains, chords, errbacks. */
export class FollowUps {
  readonly #deps: FollowUpDeps;

  constructor(deps: FollowUpDeps) {
    this.#deps = deps;
  }

  /**
   * What follows from the end of a run; `undefined` when nothing does. What cannot be sent makes a failure of it.
   *
   * @param queue where the message came from.
   */
  plan(message: TaskMessage, queue: string, ending: Ending, facts: RunFacts): PlannedEnding | undefined {
    try {
      const followUp = this.#follow(message, queue, ending.after);
      return followUp && { ending: withChildren(ending, followUp), followUp };
    } catch (error) {
      const broken = concludeBrokenFlow(error, facts);
      const followUp = this.#follow(message, queue, broken.after);
      return { ending: broken, followUp: followUp ?? NOTHING };
    }
  }

  #follow(message: TaskMessage, queue: string, after: Ending["after"]): FollowUp | undefined {
    if (after === undefined) return undefined;
    switch (after.state) {
      case "SUCCESS":
        return this.success(message, queue, after.resultJson) ?? childrenOnly(after.children);
      case "IGNORED":
        return after.replacedBy === undefined ? undefined : this.replacement(message, after.replacedBy);
      case "FAILED":
        return this.failure(message, queue, after.failure, after) ?? childrenOnly(after.children);
    }
  }

  /** @throws InvalidArgument, EncodeError when something of it cannot be sent: then the task has failed. */
  success(message: TaskMessage, queue: string, resultJson: string): FollowUp | undefined {
    if (!hasAftermath(message)) return undefined;
    const after = afterSuccess(this.#deps.app, message, { result: decodeVerbatim(resultJson), resultJson });
    return this.#prepare(after, queue);
  }

  /**
   * Never throws: a failure that could not be stored would run its task again and again. What cannot be read or sent is left out, and told.
   *
   * @param ranHere errbacks that take the failure itself were called where it happened.
   */
  failure(
    message: TaskMessage,
    queue: string,
    failure: StoredFailure,
    how: { readonly ranHere?: boolean; readonly tellErrbacks?: boolean } = {},
  ): FollowUp | undefined {
    if (!hasAftermath(message)) return undefined;
    const { ranHere = false, tellErrbacks = failure.status === "FAILURE" } = how;
    const nowMs = this.#deps.clock.nowMs();
    for (const without of LEFT_OUT) {
      const rest = { ...message, embed: { ...message.embed, ...without } };
      try {
        const after = afterFailure(this.#deps.app, rest, failure, { ranHere, tellErrbacks, nowMs });
        return this.#prepare(after, queue);
      } catch (error) {
        this.#report("ERROR", unsendable(message, error));
      }
    }
    return NOTHING;
  }

  /** The messages of what takes the task's place. @throws InvalidArgument, EncodeError */
  replacement(message: TaskMessage, signatureJson: string): FollowUp {
    const { app } = this.#deps;
    const { id, rootId } = message.headers;
    const sig = makeReplacement(app, toSig(decodeVerbatim(signatureJson) as object), message);
    const current = { id, rootId, priority: message.properties.priority };
    const { calls, chords, trail } = app.runInTask(current, () => prepareCanvas(app, sig));
    const after = { calls: [...calls], chords: [...chords], trail: trail.map(toTuple) };
    return this.#prepare({ ...after, results: [], parts: [], inline: [], untold: [] }, "");
  }

  /**
   * To be called when the completion is stored: tells about what was sent, and ends the chords that are complete now.
   *
   * @param outcome of storing it.
   */
  async conclude(followUp: FollowUp, outcome: FinishOutcome, queue: string): Promise<void> {
    if (outcome === "fenced") return;
    this.#tell(followUp.after);
    if (outcome !== "chord") return;
    for (const part of followUp.parts) await this.#endIfOurs(part, queue);
  }

  #prepare(after: Aftermath, queue: string): FollowUp {
    const { app, backend } = this.#deps;
    const { parts } = after;
    const flow = {
      results: backend ? after.results.map((meta) => backend.encode(meta)) : [],
      chords: after.chords,
      parts: backend ? parts.map((part) => ({ ...part, rescue: makeRescue(app, part, queue) })) : [],
      join: () => this.#joined(parts, queue),
    };
    const hasFlow = flow.results.length + flow.chords.length + flow.parts.length > 0;
    const publish = after.calls.map((call) => call.message);
    return { completion: { publish, ...(hasFlow && { flow }) }, children: after.trail, parts, after };
  }

  async #endIfOurs(part: EndedPart, queue: string): Promise<void> {
    const ended = await this.#end(part, queue);
    if (ended === undefined) return;
    const { backend, consumer } = this.#deps;
    const rescueId = backend?.chords.token(part.groupId) ?? "";
    // Together with the message that would end the chord in our place: when it is gone, somebody else has.
    const outcome = await consumer.finish(rescueId, ended.completion);
    await this.conclude(ended, outcome, queue);
  }

  /** Chords that are complete, where results lie in another database than messages. */
  async #joined(parts: readonly EndedPart[], queue: string): Promise<readonly Completion[]> {
    const ended: Completion[] = [];
    for (const part of parts) {
      const followUp = await this.#end(part, queue);
      if (followUp === undefined) continue;
      this.#tell(followUp.after);
      ended.push(followUp.completion);
    }
    return ended;
  }

  /** Undefined when somebody else completes it. */
  async #end(part: EndedPart, queue: string): Promise<FollowUp | undefined> {
    const { app, backend, clock } = this.#deps;
    const { groupId, body, parent } = part;
    if (backend === undefined) return undefined;
    const state = await backend.chords.read(groupId);
    if (state.claim !== backend.chords.token(groupId)) return undefined;
    const { after, error } = endChord(app, state, { groupId, body, parent, nowMs: clock.nowMs() });
    if (error) this.#report("ERROR", `Chord '${inOneLine(groupId)}' raised: ${formatWireError(error)}`);
    const followUp = this.#prepare(after, queue);
    const { completion } = followUp;
    const flow = { ...completion.flow, ended: { groupId, failed: error !== null } };
    return { ...followUp, completion: { ...completion, flow } };
  }

  #tell(after: Aftermath | undefined): void {
    if (after === undefined) return;
    const { app, events } = this.#deps;
    if (app.conf.task_send_sent_event) {
      for (const { headers, message } of after.calls) {
        events.send("task-sent", taskSentFields(headers, message.queue));
      }
    }
    for (const text of after.untold) this.#report("ERROR", text);
    for (const { errbacks, taskId, error } of after.inline) {
      void callErrbacks(app, errbacks, failureOf(taskId, error), (text) => this.#report("ERROR", text));
    }
  }

  #report(level: "ERROR", text: string): void {
    this.#deps.log.record({ level, processName: MAIN_PROCESS, text });
  }
}

function failureOf(
  taskId: string,
  error: WireError,
): { readonly request: object; readonly error: unknown; readonly traceback: null } {
  return { request: { id: taskId }, error: asError(taskId, error, null), traceback: null };
}

/** What a failure does without, one after the other, when it cannot be told to all: the chord would wait for ever, and is told as long as that can be. */
const LEFT_OUT: readonly Partial<TaskMessage["embed"]>[] = [
  {},
  { errbacks: null },
  { errbacks: null, chain: null },
];

function unsendable(message: TaskMessage, error: unknown): string {
  return (
    `Task ${labelOf(message)} has failed, and not all that waits for it can be told: ${inOneLine(String(error))} ` +
    "Correct the link_error, chain or chord that it was sent with."
  );
}

const NOTHING: FollowUp = { completion: {}, children: [], parts: [], after: undefined };

function childrenOnly(children: readonly ResultTuple[] | undefined): FollowUp | undefined {
  return children && NOTHING;
}

/** What the task has sent itself comes before what its end sets off. */
function withChildren(ending: Ending, followUp: FollowUp): Ending {
  const { stored, after } = ending;
  if (stored === null) return ending;
  const own = after !== undefined && "children" in after ? (after.children ?? []) : [];
  return { ...ending, stored: { ...stored, children: [...own, ...followUp.children] } };
}
