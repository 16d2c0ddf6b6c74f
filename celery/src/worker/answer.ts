import { Topology } from "../app/queues.ts";
import type { Signals } from "../app/signals.ts";
import type { RetryPlan } from "../execution/outcome.ts";
import type { TaskRequest } from "../execution/request.ts";
import type { PoolResult } from "../pool/pool.ts";
import { toWireError } from "../protocol/wire-error.ts";
import { EndRefused } from "../transport/settler.ts";
import type { Completion, Consumer, DeadLetter, FinishOutcome } from "../transport/transport.ts";
import {
  conclude,
  concludeBrokenFlow,
  concludeDeadLetter,
  concludeRevoked,
  type Ending,
  type RunFacts,
} from "./conclude.ts";
import { DELIVERY_LIMIT, type Delivery, hasStarted, labelOf } from "./delivery.ts";
import type { AckOutcome } from "./early-ack.ts";
import type { FollowUp, FollowUps } from "./follow-ups.ts";
import type { ResultWriter } from "./result-writer.ts";
import { makeRetryMessage, withHeadersOf } from "./retry-message.ts";
import { type EventSink, sendEvent } from "./task-event.ts";
import { tellLoss } from "./tell-loss.ts";
import { tellRevoked } from "./tell-signals.ts";
import { isWritten, MAIN_PROCESS, type WorkerLog } from "./worker-log.ts";

export interface AnswerDeps {
  readonly consumer: Consumer;
  readonly results: ResultWriter;
  readonly followUps: FollowUps;
  readonly events: EventSink;
  readonly log: WorkerLog;
  readonly signals: Signals;
}

/** A run that the pool is done with. */
export interface EndedRun {
  readonly delivery: Delivery;
  readonly request: TaskRequest;
  /** Running number of the run in this worker. */
  readonly job: number;
  /** The message has been answered for; with an error, it could not be. */
  onAnswered(error?: unknown): void;
}

const DEAD_REASON = "The task failed, and failed messages of it are not acknowledged (task_acks_on_failure).";

/** Answers for the messages of tasks that are over: stores their results, sends what follows, tells about it. */
export class Answers {
  readonly #deps: AnswerDeps;

  constructor(deps: AnswerDeps) {
    this.#deps = deps;
  }

  /** @param ack what has become of the early ack; undefined without one. */
  answer(run: EndedRun, result: PoolResult, ack: AckOutcome | undefined): void {
    const { delivery } = run;
    if (ack === "fenced") return this.#close(run, fenced(delivery));
    try {
      const facts = this.#factsOf(run, ack === "done" || ack === "withdrawn");
      const concluded = this.#conclude(delivery, result, facts);
      const { message, claim } = delivery;
      const planned = concluded.after && this.#deps.followUps.plan(message, claim.queue, concluded, facts);
      const ending = planned?.ending ?? concluded;
      // What was acked early cannot go back.
      if (facts.acked || ending.message === "finish") {
        this.#finish(run, ack === "done" ? "" : claim.id, ending, planned?.followUp);
        return;
      }
      if (ending.message === "dead") {
        this.#finish(run, claim.id, ending, planned?.followUp, deadLetter(DEAD_REASON, facts));
        return;
      }
      this.#giveBack(ending.message, run, ending, facts).catch((error: unknown) => run.onAnswered(error));
    } catch (error) {
      run.onAnswered(error);
    }
  }

  /** The usual end: the result, what follows and, if it is not done yet, the ack (or the dead letter), in one step. */
  #finish(
    run: EndedRun,
    claimId: string,
    ending: Ending,
    followUp: FollowUp | undefined,
    dead?: DeadLetter,
  ): void {
    const { delivery } = run;
    const bare = this.#completion(delivery, ending, followUp);
    const completion = dead ? { ...bare, dead } : bare;
    this.#deps.consumer.end(claimId, completion, (outcome) => {
      if (outcome instanceof EndRefused && completion.publish?.length) {
        this.#finishAlone(run, claimId, ending, outcome, dead);
      } else if (outcome instanceof Error) run.onAnswered(outcome);
      else if (outcome === "fenced") this.#close(run, fenced(delivery));
      else if (!followUp) this.#close(run, ending);
      else void this.#goOn(delivery, followUp, outcome).then(() => this.#close(run, ending));
    });
  }

  /**
   * Redis refuses what follows, e.g. because a key of its queue's name is no list: then the task has failed, as when it cannot be sent.
   * Given back, it would run again and again. A failure that is refused is stored without its errbacks.
   */
  #finishAlone(
    run: EndedRun,
    claimId: string,
    refused: Ending,
    reason: EndRefused,
    dead: DeadLetter | undefined,
  ): void {
    const { log, followUps } = this.#deps;
    const { message, claim } = run.delivery;
    log.error({ error: reason }, `What follows the task ${labelOf(message)} was refused`);
    const known = refused.after?.state === "FAILED" ? refused.after.failure : undefined;
    const ending = known ? refused : concludeBrokenFlow(reason, this.#factsOf(run, claimId === ""));
    const failure = known ?? { status: "FAILURE", error: toWireError(reason), traceback: null };
    const how = { tellErrbacks: known === undefined };
    this.#finish(run, claimId, ending, followUps.failure(message, claim.queue, failure, how), dead);
  }

  #close(run: EndedRun, told: Pick<Ending, "log" | "event">): void {
    for (const record of told.log) this.#deps.log.record(record);
    if (told.event) sendEvent(this.#deps.events, told.event);
    run.onAnswered();
  }

  #factsOf({ delivery, request, job }: EndedRun, acked: boolean): RunFacts {
    const { task, message } = delivery;
    const started = hasStarted(delivery);
    const isQuiet = !isWritten(this.#deps.log, "INFO");
    return { request, options: task.options, label: labelOf(message), started, acked, job, isQuiet };
  }

  #conclude(delivery: Delivery, result: PoolResult, facts: RunFacts): Ending {
    const isWithdrawn = result.ended === "cancelled" && delivery.ending === "withdraw";
    const ending = isWithdrawn ? concludeRevoked(null, facts) : conclude(result, facts);
    if (isWithdrawn || result.ended === "terminated") {
      const signal = result.ended === "terminated" ? result.signal : null;
      tellRevoked(this.#deps.signals, delivery.message, { expired: false, signal });
    }
    if (result.ended === "lost" || result.ended === "timeout") this.#tellLoss(delivery, result, ending);
    return ending;
  }

  /** Only about what nobody runs again. */
  #tellLoss(
    { task, message }: Delivery,
    result: Extract<PoolResult, { ended: "lost" | "timeout" }>,
    ending: Ending,
  ): void {
    const { signals, log } = this.#deps;
    const { any } = task.options.handlers;
    if (ending.event?.[0] !== "task-failed" || (!any && !signals.taskFailure.isHeard)) return;
    const { headers, args, kwargs } = message;
    const report = (text: string): void => log.record({ level: "ERROR", processName: MAIN_PROCESS, text });
    void tellLoss({ task, id: headers.id, args, kwargs }, result, { signals, report });
  }

  /** The message is to be run again; one that has taken its process down too often, never. */
  async #giveBack(how: "release" | "count", run: EndedRun, ending: Ending, facts: RunFacts): Promise<void> {
    const { consumer, followUps } = this.#deps;
    const { claim, message } = run.delivery;
    if (how === "release") {
      await consumer.release([claim.id]);
      return this.#close(run, ending);
    }
    const outcome = await consumer.releaseCounted(claim.id, facts.request.id, DELIVERY_LIMIT);
    if (outcome !== "over") return this.#close(run, ending);
    const dead = concludeDeadLetter(DELIVERY_LIMIT, facts);
    const planned = followUps.plan(message, claim.queue, dead, facts);
    const told = { ...dead, log: [...ending.log, ...dead.log] };
    const reason = `Its child process died ${DELIVERY_LIMIT + 1} times.`;
    this.#finish(run, claim.id, told, planned?.followUp, deadLetter(reason, facts));
  }

  /** What comes after the task is stored; a chord that cannot be ended now is ended by its rescue. */
  async #goOn({ claim, message }: Delivery, followUp: FollowUp, outcome: FinishOutcome): Promise<void> {
    try {
      await this.#deps.followUps.conclude(followUp, outcome, claim.queue);
    } catch (error) {
      this.#deps.log.error(
        { error },
        `The chord of ${labelOf(message)} could not be ended; it is tried again.`,
      );
    }
  }

  #completion(delivery: Delivery, ending: Ending, followUp: FollowUp | undefined): Completion {
    const { message, claim, task } = delivery;
    const result = this.#deps.results.encode(message, ending.stored);
    if (!ending.retry && !ending.retriedToo && !followUp) return result ? { result } : NOTHING;
    const plans = [...(ending.retriedToo ?? []), ...(ending.retry ? [ending.retry] : [])];
    const sentAgain = plans.length > 0 ? withHeadersOf(claim.raw, message) : message;
    const declared = plans.some(isRedirected) ? new Topology(task.app.conf).declared : [];
    const retries = plans.map((plan) => makeRetryMessage(sentAgain, plan, claim.queue, declared));
    const { publish: following = [], flow } = followUp?.completion ?? NOTHING;
    return { publish: [...retries, ...following], ...(result && { result }), ...(flow && { flow }) };
  }
}

const NOTHING: Completion = {};

function isRedirected({ queue, exchange }: RetryPlan): boolean {
  return queue !== null || exchange !== null;
}

function deadLetter(reason: string, { request }: RunFacts): DeadLetter {
  return { reason, taskId: request.id };
}

function fenced({ message }: Delivery): Pick<Ending, "log" | "event"> {
  const text = `Task ${labelOf(message)}: another worker has taken it over meanwhile; what this run did is not stored.`;
  return { log: [{ level: "WARNING", processName: MAIN_PROCESS, text }], event: null };
}
