import type { TaskRequest } from "../execution/request.ts";
import type { Pool, PoolResult, RunHooks } from "../pool/pool.ts";
import { decodeJson, rawJson } from "../protocol/json.ts";
import type { Clock } from "../runtime/clock.ts";
import type { ClaimOutcome } from "../transport/transport.ts";
import { type AnswerDeps, Answers, type EndedRun } from "./answer.ts";
import { type Delivery, type DeliveryPhase, hasStarted, labelOf, makeRequest } from "./delivery.ts";
import { EarlyAck } from "./early-ack.ts";
import type { TimeLimits } from "./time-limits.ts";
import { MAIN_PROCESS } from "./worker-log.ts";

export interface TaskRunnerDeps extends AnswerDeps {
  readonly pool: Pool;
  readonly nodeName: string;
  readonly clock: Pick<Clock, "nowMs">;
  readonly timeLimits: TimeLimits;
  /** Given: redelivered late-ack tasks are run only if it says that they have not succeeded yet. */
  readonly alreadyDone: ((delivery: Delivery) => Promise<boolean>) | undefined;
}

/** Is told how far a delivery has come, for whoever counts. */
export interface RunProgress {
  /** It has been handed to the pool. */
  onStarting(): void;
  /** Its function is called; with an early ack there is room for another message. */
  onStarted(delivery: Delivery): void;
  /** Its run has ended; its message is about to be answered for. */
  onOver(): void;
  /** Its message has been answered for; with an error, it could not be. */
  onEnded(delivery: Delivery, error?: unknown): void;
}

/** Of a run that the pool never got: it was given up while it was made sure that the message is still ours. */
const GIVEN_UP: PoolResult = { ended: "cancelled", processName: "" };
const STARTING: DeliveryPhase = { name: "starting" };

/** Takes one delivery through the pool, and answers for its message. */
export class TaskRunner {
  readonly #deps: TaskRunnerDeps;
  readonly #answers: Answers;
  #jobs = 0;

  constructor(deps: TaskRunnerDeps) {
    this.#deps = deps;
    this.#answers = new Answers(deps);
  }

  /** There may be thousands a second: no promises but for what has to wait. */
  start(delivery: Delivery, progress: RunProgress): void {
    const { consumer, alreadyDone } = this.#deps;
    // Long enough away (a stopped process, a cut network), and the message is somebody else's by now.
    const owned = consumer.confirm(delivery.claim.id);
    const isAsked = alreadyDone !== undefined && delivery.task.options.acksLate;
    if (owned === "done" && !isAsked) return this.#handOver(delivery, progress);
    this.#startSure(delivery, progress, owned).catch((error: unknown) => progress.onEnded(delivery, error));
  }

  async #startSure(
    delivery: Delivery,
    progress: RunProgress,
    owned: ClaimOutcome | Promise<ClaimOutcome>,
  ): Promise<void> {
    const { alreadyDone } = this.#deps;
    if ((await owned) === "fenced" || delivery.ending === "cancel") return progress.onEnded(delivery);
    const isAsked = alreadyDone !== undefined && delivery.task.options.acksLate;
    if (isAsked && (await alreadyDone(delivery))) return progress.onEnded(delivery);
    this.#handOver(delivery, progress);
  }

  #handOver(delivery: Delivery, progress: RunProgress): void {
    const { pool, nodeName, timeLimits } = this.#deps;
    const request = makeRequest(delivery, nodeName, timeLimits.of(delivery.task));
    const run = new Run({ delivery, request, progress, runner: this, job: ++this.#jobs });
    delivery.phase = STARTING;
    delivery.run = run;
    progress.onStarting();
    try {
      if (delivery.ending === undefined) pool.start(request, run, (result) => this.#onOver(run, result));
      else this.#onOver(run, GIVEN_UP);
    } catch (error) {
      progress.onEnded(delivery, error);
    }
  }

  /** States on their way are stored before the result, and what has become of the ack decides how it is stored. */
  #onOver(run: Run, result: PoolResult): void {
    run.onOver();
    const { stores } = run.delivery;
    if (stores) void stores.then(() => this.#onStored(run, result));
    else this.#onStored(run, result);
  }

  #onStored(run: Run, result: PoolResult): void {
    const ack = ackOf(run.delivery);
    if (ack) ack.atEnd(() => this.#answers.answer(run, result, ack.outcome));
    else this.#answers.answer(run, result, undefined);
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

  #ackEarly(delivery: Delivery): EarlyAck {
    // In the worker's own process a function may be called next that blocks the loop.
    const pace = this.#deps.pool.kind === "prefork" ? "patient" : "prompt";
    return new EarlyAck(this.#deps.consumer, delivery.claim.id, pace, (trouble) => {
      // Somebody else's by now: it must not run twice.
      if (trouble === "fenced") return this.cancel(delivery);
      const label = labelOf(delivery.message);
      this.#deps.log.warn({ error: trouble }, `Task ${label} could not be acknowledged at its start`);
    });
  }
}

/** One run as the pool sees it. A class, because there is one per task: its methods are made once. */
class Run implements RunHooks, EndedRun {
  readonly delivery: Delivery;
  readonly request: TaskRequest;
  readonly job: number;
  readonly #runner: TaskRunner;
  readonly #progress: RunProgress;
  handle: unknown;

  constructor({ delivery, request, job, runner, progress }: RunParts) {
    this.delivery = delivery;
    this.request = request;
    this.job = job;
    this.#runner = runner;
    this.#progress = progress;
  }

  onStart(pid: number): void {
    this.#runner.onStart(this.delivery, pid);
    this.#progress.onStarted(this.delivery);
  }

  onState(status: string, metaJson: string): Promise<void> {
    return this.#runner.store(this.delivery, status, rawJson(metaJson));
  }

  onSoftLimit(limitSeconds: number): void {
    this.#runner.onSoftLimit(this.delivery, limitSeconds);
  }

  onEvent(type: string, fieldsJson: string): void {
    this.#runner.onEvent(this.delivery, type, fieldsJson);
  }

  onOver(): void {
    this.delivery.isOver = true;
    this.#progress.onOver();
  }

  onAnswered(error?: unknown): void {
    this.#progress.onEnded(this.delivery, error);
  }
}

interface RunParts {
  readonly delivery: Delivery;
  readonly request: TaskRequest;
  readonly job: number;
  readonly runner: TaskRunner;
  readonly progress: RunProgress;
}

/** Null: it is not acked before its end. */
function ackOf({ phase }: Delivery): EarlyAck | null {
  return phase.name === "running" ? phase.acked : null;
}
