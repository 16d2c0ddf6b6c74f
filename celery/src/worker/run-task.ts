import type { Pool, PoolResult, RunHooks } from "../pool/pool.ts";
import { rawJson } from "../protocol/json.ts";
import type { Completion, Consumer } from "../transport/transport.ts";
import { conclude, concludeDeadLetter, type Ending, type RunFacts } from "./conclude.ts";
import { type AckOutcome, type Delivery, hasStarted, makeRequest } from "./delivery.ts";
import type { ResultWriter } from "./result-writer.ts";
import { makeRetryMessage } from "./retry-message.ts";
import { type EventSink, sendEvent } from "./task-event.ts";
import { MAIN_PROCESS, type WorkerLog } from "./worker-log.ts";

export interface TaskRunnerDeps {
  readonly consumer: Consumer;
  readonly pool: Pool;
  readonly results: ResultWriter;
  readonly events: EventSink;
  readonly log: WorkerLog;
  readonly nodeName: string;
}

/** How often a message may take its process down before it is put to the dead letters. */
const CHILD_LOSS_LIMIT = 3;

/** Takes one delivery through the pool, and answers for its message. */
export class TaskRunner {
  readonly #deps: TaskRunnerDeps;
  #jobs = 0;

  constructor(deps: TaskRunnerDeps) {
    this.#deps = deps;
  }

  /** @param onAcked called when an early ack has made room for another message. */
  async run(delivery: Delivery, onAcked: () => void): Promise<void> {
    const { consumer, pool, nodeName } = this.#deps;
    // Long enough away (a stopped process, a cut network), and the message is somebody else's by now.
    if ((await consumer.confirm(delivery.claim.id)) === "fenced") return;
    const job = ++this.#jobs;
    const request = makeRequest(delivery, nodeName);
    delivery.phase = { name: "starting" };
    const result = await pool.run(request, this.#hooks(delivery, onAcked));
    await delivery.stores;
    const acked = await ackOutcome(delivery);
    if (acked === "fenced") return this.#tell(fenced(delivery));
    const facts: RunFacts = {
      request,
      options: delivery.task.options,
      label: delivery.label,
      started: hasStarted(delivery),
      acked: acked === "done",
      job,
    };
    await this.#settle(delivery, result, facts);
  }

  #hooks(delivery: Delivery, onAcked: () => void): RunHooks {
    const { options } = delivery.task;
    const { log } = this.#deps;
    return {
      signal: delivery.giveUp.signal,
      onStart: (pid) => {
        this.#onStart(delivery, pid);
        if (!options.acksLate) onAcked();
      },
      onState: (status, metaJson) => this.#store(delivery, status, rawJson(metaJson)),
      onSoftLimit: (limitSeconds) => {
        const text = `Soft time limit (${limitSeconds}s) exceeded for ${delivery.label}`;
        log.record({ level: "WARNING", processName: MAIN_PROCESS, text });
      },
    };
  }

  /**
   * The early ack follows the start, as in Celery: between an ack and the start the message would be nowhere,
   * and a worker that dies there would lose a task that has never run.
   */
  #onStart(delivery: Delivery, pid: number): void {
    const { events, nodeName } = this.#deps;
    const { options } = delivery.task;
    delivery.phase = { name: "running", acked: options.acksLate ? null : this.#ackEarly(delivery) };
    events.send("task-started", { uuid: delivery.message.headers.id });
    if (!options.trackStarted || options.ignoreResult || delivery.message.headers.ignoreResult) return;
    void this.#store(delivery, "STARTED", { pid, hostname: nodeName }).catch((error: unknown) =>
      this.#deps.log.warn({ error }, `The state STARTED of ${delivery.label} could not be stored.`),
    );
  }

  async #ackEarly({ claim, label, giveUp }: Delivery): Promise<AckOutcome> {
    try {
      const outcome = await this.#deps.consumer.ack(claim.id);
      // Somebody else's by now: it must not run twice.
      if (outcome === "fenced") giveUp.abort();
      return outcome;
    } catch (error) {
      this.#deps.log.warn({ error }, `Task ${label} could not be acknowledged at its start`);
      return "failed";
    }
  }

  /** In the order of asking: a later state must not be overtaken by an earlier one. */
  #store(delivery: Delivery, status: string, result: unknown): Promise<void> {
    const state = { status, result, traceback: null };
    const stored = delivery.stores.then(() => this.#deps.results.store(delivery.message, state));
    delivery.stores = stored.catch(() => undefined);
    return stored;
  }

  async #settle(delivery: Delivery, result: PoolResult, facts: RunFacts): Promise<void> {
    const ending = conclude(result, facts);
    const told = await this.#answer(delivery, ending, facts);
    this.#tell(told);
  }

  /** Does what the ending says with result, follow-up and message; returns what is to be told. */
  async #answer(delivery: Delivery, ending: Ending, facts: RunFacts): Promise<Ending> {
    const { consumer } = this.#deps;
    const { id } = delivery.claim;
    if (facts.acked) {
      await consumer.complete(this.#completion(delivery, ending));
      return ending;
    }
    switch (ending.message) {
      case "finish": {
        const outcome = await consumer.finish(id, this.#completion(delivery, ending));
        return outcome === "fenced" ? fenced(delivery) : ending;
      }
      case "release":
        await consumer.release([id]);
        return ending;
      case "count": {
        const outcome = await consumer.releaseAfterChildLoss(id, facts.request.id, CHILD_LOSS_LIMIT);
        if (outcome !== "dead") return ending;
        const dead = concludeDeadLetter(CHILD_LOSS_LIMIT, facts);
        await consumer.complete(this.#completion(delivery, dead));
        return { ...dead, log: [...ending.log, ...dead.log] };
      }
    }
  }

  #completion(delivery: Delivery, ending: Ending): Completion {
    const result = this.#deps.results.encode(delivery.message, ending.stored);
    const { message, claim } = delivery;
    const publish = ending.retry && [makeRetryMessage(message, ending.retry, claim.queue)];
    return { ...(result && { result }), ...(publish && { publish }) };
  }

  #tell(ending: Pick<Ending, "log" | "event">): void {
    for (const record of ending.log) this.#deps.log.record(record);
    if (ending.event) sendEvent(this.#deps.events, ending.event);
  }
}

/** Null: not acked before the end. */
async function ackOutcome({ phase }: Delivery): Promise<AckOutcome | null> {
  return phase.name === "running" ? phase.acked : null;
}

function fenced(delivery: Delivery): Pick<Ending, "log" | "event"> & Ending {
  const text = `Task ${delivery.label}: another worker has taken it over meanwhile; what this run did is not stored.`;
  return {
    stored: null,
    retry: null,
    message: "finish",
    log: [{ level: "WARNING", processName: MAIN_PROCESS, text }],
    event: null,
  };
}
