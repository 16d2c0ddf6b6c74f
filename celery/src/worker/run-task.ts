import type { Signals } from "../app/signals.ts";
import type { Pool, PoolResult, RunHooks } from "../pool/pool.ts";
import { decodeJson, rawJson } from "../protocol/json.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Completion, Consumer, FinishOutcome } from "../transport/transport.ts";
import { conclude, concludeDeadLetter, concludeRevoked, type Ending, type RunFacts } from "./conclude.ts";
import {
  type AckOutcome,
  type Delivery,
  type DeliveryPhase,
  hasStarted,
  labelOf,
  makeRequest,
} from "./delivery.ts";
import type { FollowUp, FollowUps } from "./follow-ups.ts";
import type { ResultWriter } from "./result-writer.ts";
import { makeRetryMessage } from "./retry-message.ts";
import { type EventSink, sendEvent } from "./task-event.ts";
import { tellLoss } from "./tell-loss.ts";
import { tellRevoked } from "./tell-signals.ts";
import type { TimeLimits } from "./time-limits.ts";
import { MAIN_PROCESS, type WorkerLog } from "./worker-log.ts";

export interface TaskRunnerDeps {
  readonly consumer: Consumer;
  readonly pool: Pool;
  readonly results: ResultWriter;
  readonly followUps: FollowUps;
  readonly events: EventSink;
  readonly log: WorkerLog;
  readonly nodeName: string;
  readonly clock: Pick<Clock, "nowMs">;
  readonly timeLimits: TimeLimits;
  readonly signals: Signals;
  /** Given: redelivered late-ack tasks are run only if it says that they have not succeeded yet. */
  readonly alreadyDone: ((delivery: Delivery) => Promise<boolean>) | undefined;
}

/** Is told how far a delivery has come, for whoever counts. */
export interface RunProgress {
  /** It has been handed to the pool. */
  onStarting(): void;
  /** Its function is called; with an early ack there is room for another message. */
  onStarted(delivery: Delivery): void;
}

/** Of a run that the pool never got: it was given up while it was made sure that the message is still ours. */
const GIVEN_UP: PoolResult = { ended: "cancelled", processName: "" };
const STARTING: DeliveryPhase = { name: "starting" };

/** How often a message may take its process down before it is put to the dead letters. */
const CHILD_LOSS_LIMIT = 3;
const DEAD_REASON = "The task failed, and failed messages of it are not acknowledged (task_acks_on_failure).";

/** Takes one delivery through the pool, and answers for its message. */
export class TaskRunner {
  readonly #deps: TaskRunnerDeps;
  #jobs = 0;

  constructor(deps: TaskRunnerDeps) {
    this.#deps = deps;
  }

  async run(delivery: Delivery, progress: RunProgress): Promise<void> {
    const { consumer, pool, nodeName, timeLimits, alreadyDone } = this.#deps;
    // Long enough away (a stopped process, a cut network), and the message is somebody else's by now.
    if ((await consumer.confirm(delivery.claim.id)) === "fenced" || delivery.ending === "cancel") return;
    if (alreadyDone && delivery.task.options.acksLate && (await alreadyDone(delivery))) return;
    const job = ++this.#jobs;
    const request = makeRequest(delivery, nodeName, timeLimits.of(delivery.task));
    delivery.phase = STARTING;
    delivery.run = new Run(delivery, this, progress);
    progress.onStarting();
    const result = delivery.ending === undefined ? await pool.run(request, delivery.run) : GIVEN_UP;
    if (delivery.stores) await delivery.stores;
    const acked = await ackOutcome(delivery);
    if (acked === "fenced") return this.#tell(fenced(delivery));
    const facts: RunFacts = {
      request,
      options: delivery.task.options,
      label: labelOf(delivery.message),
      started: hasStarted(delivery),
      acked: acked === "done",
      job,
    };
    await this.#settle(delivery, result, facts);
  }

  /** Ends the run without a word about it: its message is somebody else's, or goes back. */
  cancel(delivery: Delivery): void {
    delivery.ending = "cancel";
    if (delivery.run) this.#deps.pool.cancelRun(delivery.run);
  }

  /** Takes a revoked task back that the pool has and has not begun. */
  withdraw(delivery: Delivery): void {
    if (hasStarted(delivery) || delivery.ending !== undefined) return;
    delivery.ending = "withdraw";
    if (delivery.run) this.#deps.pool.cancelRun(delivery.run);
  }

  /** Ends the run by a signal; one that has not begun does not begin. */
  terminate(delivery: Delivery, signal: NodeJS.Signals): void {
    if (delivery.run && hasStarted(delivery)) this.#deps.pool.terminateRun(delivery.run, signal);
    else this.withdraw(delivery);
  }

  /**
   * The early ack follows the start, as in Celery: between an ack and the start the message would be nowhere,
   * and a worker that dies there would lose a task that has never run.
   */
  onStart(delivery: Delivery, pid: number): void {
    const { events, nodeName, clock, pool } = this.#deps;
    const { options } = delivery.task;
    const acked = options.acksLate ? null : this.#ackEarly(delivery);
    delivery.phase = { name: "running", acked, pid, startedAtMs: clock.nowMs() };
    events.send("task-started", { uuid: delivery.message.headers.id });
    if (options.trackStarted && !options.ignoreResult && !delivery.message.headers.ignoreResult) {
      void this.store(delivery, "STARTED", { pid, hostname: nodeName }).catch((error: unknown) =>
        this.#deps.log.warn(
          { error },
          `The state STARTED of ${labelOf(delivery.message)} could not be stored.`,
        ),
      );
    }
    // Given up a moment ago, when the pool had begun it and had not said so yet.
    if (delivery.run && delivery.ending !== undefined) pool.cancelRun(delivery.run);
  }

  onSoftLimit(delivery: Delivery, limitSeconds: number): void {
    const text = `Soft time limit (${limitSeconds}s) exceeded for ${labelOf(delivery.message)}`;
    this.#deps.log.record({ level: "WARNING", processName: MAIN_PROCESS, text });
  }

  /** `self.sendEvent`. @see celery 5.7.0 app/task.py, `Task.send_event` */
  onEvent({ message }: Delivery, type: string, fieldsJson: string): void {
    const fields = decodeJson(fieldsJson) as Readonly<Record<string, unknown>>;
    this.#deps.events.sendCustom(type, { uuid: message.headers.id, ...fields });
  }

  /** In the order of asking: a later state must not be overtaken by an earlier one. */
  store(delivery: Delivery, status: string, result: unknown): Promise<void> {
    const state = { status, result, traceback: null };
    const store = (): Promise<void> => this.#deps.results.store(delivery.message, state);
    const stored = delivery.stores ? delivery.stores.then(store) : store();
    delivery.stores = stored.catch(() => undefined);
    return stored;
  }

  async #ackEarly(delivery: Delivery): Promise<AckOutcome> {
    try {
      const outcome = await this.#deps.consumer.ack(delivery.claim.id);
      // Somebody else's by now: it must not run twice.
      if (outcome === "fenced") this.cancel(delivery);
      return outcome;
    } catch (error) {
      const label = labelOf(delivery.message);
      this.#deps.log.warn({ error }, `Task ${label} could not be acknowledged at its start`);
      return "failed";
    }
  }

  async #settle(delivery: Delivery, result: PoolResult, facts: RunFacts): Promise<void> {
    const isWithdrawn = result.ended === "cancelled" && delivery.ending === "withdraw";
    const ending = isWithdrawn ? concludeRevoked(null, facts) : conclude(result, facts);
    if (isWithdrawn || result.ended === "terminated") {
      const signal = result.ended === "terminated" ? result.signal : null;
      tellRevoked(this.#deps.signals, delivery.message, { expired: false, signal });
    }
    if (result.ended === "lost" || result.ended === "timeout") this.#tellLoss(delivery, result, ending);
    if (ending.after !== undefined) {
      const { message, claim } = delivery;
      const planned = this.#deps.followUps.plan(message, claim.queue, ending, facts);
      if (planned) return this.#tell(await this.#answer(delivery, planned.ending, facts, planned.followUp));
    }
    const told = await this.#answer(delivery, ending, facts);
    this.#tell(told);
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

  /** Does what the ending says with result, follow-up and message; returns what is to be told. */
  async #answer(delivery: Delivery, ending: Ending, facts: RunFacts, followUp?: FollowUp): Promise<Ending> {
    const { consumer } = this.#deps;
    const { id } = delivery.claim;
    if (facts.acked) {
      await this.#complete(delivery, ending, followUp);
      return ending;
    }
    switch (ending.message) {
      case "finish": {
        const outcome = await consumer.finish(id, this.#completion(delivery, ending, followUp));
        if (outcome === "fenced") return fenced(delivery);
        if (followUp) await this.#goOn(delivery, followUp, outcome);
        return ending;
      }
      case "release":
        await consumer.release([id]);
        return ending;
      case "dead":
        // The result first: a crash in between repeats this, the other way round nobody would ever hear of it.
        await this.#complete(delivery, ending, followUp);
        await consumer.deadLetter(id, DEAD_REASON);
        return ending;
      case "count": {
        const outcome = await consumer.releaseAfterChildLoss(id, facts.request.id, CHILD_LOSS_LIMIT);
        if (outcome !== "dead") return ending;
        const dead = concludeDeadLetter(CHILD_LOSS_LIMIT, facts);
        const { message, claim } = delivery;
        await this.#complete(
          delivery,
          dead,
          this.#deps.followUps.plan(message, claim.queue, dead, facts)?.followUp,
        );
        return { ...dead, log: [...ending.log, ...dead.log] };
      }
    }
  }

  async #complete(delivery: Delivery, ending: Ending, followUp: FollowUp | undefined): Promise<void> {
    const outcome = await this.#deps.consumer.complete(this.#completion(delivery, ending, followUp));
    if (followUp) await this.#goOn(delivery, followUp, outcome);
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
    const result = this.#deps.results.encode(delivery.message, ending.stored);
    const { message, claim } = delivery;
    const plans = [...(ending.retriedToo ?? []), ...(ending.retry ? [ending.retry] : [])];
    const publish = plans.length > 0 && plans.map((plan) => makeRetryMessage(message, plan, claim.queue));
    const own = { ...(result && { result }), ...(publish && { publish }) };
    if (followUp === undefined) return own;
    const { publish: following = [], flow } = followUp.completion;
    return { ...own, publish: [...(publish || []), ...following], ...(flow && { flow }) };
  }

  #tell(ending: Pick<Ending, "log" | "event">): void {
    for (const record of ending.log) this.#deps.log.record(record);
    if (ending.event) sendEvent(this.#deps.events, ending.event);
  }
}

/** One run as the pool sees it. A class, because there is one per task: its methods are made once. */
class Run implements RunHooks {
  readonly #delivery: Delivery;
  readonly #runner: TaskRunner;
  readonly #progress: RunProgress;

  constructor(delivery: Delivery, runner: TaskRunner, progress: RunProgress) {
    this.#delivery = delivery;
    this.#runner = runner;
    this.#progress = progress;
  }

  onStart(pid: number): void {
    this.#runner.onStart(this.#delivery, pid);
    this.#progress.onStarted(this.#delivery);
  }

  onState(status: string, metaJson: string): Promise<void> {
    return this.#runner.store(this.#delivery, status, rawJson(metaJson));
  }

  onSoftLimit(limitSeconds: number): void {
    this.#runner.onSoftLimit(this.#delivery, limitSeconds);
  }

  onEvent(type: string, fieldsJson: string): void {
    this.#runner.onEvent(this.#delivery, type, fieldsJson);
  }
}

/** Null: not acked before the end. */
async function ackOutcome({ phase }: Delivery): Promise<AckOutcome | null> {
  return phase.name === "running" ? phase.acked : null;
}

function fenced(delivery: Delivery): Pick<Ending, "log" | "event"> & Ending {
  const text = `Task ${labelOf(delivery.message)}: another worker has taken it over meanwhile; what this run did is not stored.`;
  return {
    stored: null,
    retry: null,
    message: "finish",
    log: [{ level: "WARNING", processName: MAIN_PROCESS, text }],
    event: null,
  };
}
