import type { PaneId, StepState } from "../protocol/index.ts";
import type { Pane, TerminalLog } from "../terminal/index.ts";
import { StepRefused } from "./errors.ts";
import { nextState, StepRun } from "./step-run.ts";
import type { RunnableStep } from "./step-runner.ts";

/** Clicks that wait for one pane. */
const MAX_QUEUED = 20;
/** `interrupt` asks once; who does not end by then needs the learner's word. */
const INTERRUPT_WITHIN_MS = 10_000;

/** One click on Run. */
export interface Job {
  readonly step: RunnableStep;
  /** The learner agreed to stop what the pane runs. */
  readonly force: boolean;
  /** Resolves when the step before it is done or ready; rejects with what to tell when that went wrong. */
  readonly before: (signal: AbortSignal) => Promise<void>;
  readonly report: (state: StepState) => void;
}

export interface LaneDeps {
  readonly pane: () => Pane;
  readonly now: () => number;
  readonly log: TerminalLog;
}

interface Current {
  readonly job: Job;
  readonly dropped: AbortController;
  state: StepState;
  finished: Promise<void>;
}

/** One pane's steps, one after another. */
export class Lane {
  readonly #id: PaneId;
  readonly #deps: LaneDeps;
  readonly #queue: Job[] = [];
  #current: Current | undefined;

  constructor(id: PaneId, deps: LaneDeps) {
    this.#id = id;
    this.#deps = deps;
  }

  /**
   * Takes a job, to run now or after what is in front of it.
   *
   * @throws StepRefused when the pane runs something that would have to be stopped first.
   */
  add(job: Job): void {
    const takesOver = makesRoom(job);
    if (!takesOver) this.#requireRoom();
    if (this.#queue.length >= MAX_QUEUED) {
      throw new StepRefused(
        "failed",
        `${MAX_QUEUED} steps wait for the ${this.#id} pane already. Let some of them run first.`,
      );
    }
    const current = this.#current;
    if (current !== undefined && !takesOver && !waitsForEnter(current)) {
      this.#queue.push(job);
      return job.report({
        phase: "queued",
        because: `Waits for \`${current.job.step.command}\` in the ${this.#id} pane.`,
      });
    }
    for (const waiting of this.#queue.splice(0)) waiting.report({ phase: "idle" });
    this.#start(job);
  }

  /** Nobody wants to hear of the jobs any more; what runs in the pane is left to it. */
  forget(): void {
    this.#queue.length = 0;
    this.#current?.dropped.abort(new Error("The step was dropped."));
    this.#current = undefined;
  }

  #requireRoom(): void {
    const current = this.#current;
    if (current !== undefined && current.state.phase !== "ready" && current.state.phase !== "failed") return;
    const { state } = this.#deps.pane();
    if (state.phase !== "busy") return;
    const what = state.command === "" ? "a command" : `\`${state.command}\``;
    throw new StepRefused(
      "busy",
      `The ${this.#id} pane is running ${what}. Stop it with Ctrl-C there, or let this step stop it first.`,
    );
  }

  #start(job: Job): void {
    const old = this.#current;
    const dropped = new AbortController();
    const current: Current = { job, dropped, state: { phase: "idle" }, finished: Promise.resolve() };
    // What has not begun will not; what runs is stopped and says itself how it went.
    if (old?.state.phase === "queued") this.#giveUp(old);
    this.#current = current;
    current.finished = this.#perform(current, old).finally(() => this.#next(current));
  }

  /** The next job begins where this lane still is this one's. */
  #next(current: Current): void {
    if (this.#current !== current) return;
    this.#current = undefined;
    const job = this.#queue.shift();
    if (job !== undefined) this.#start(job);
  }

  #giveUp(old: Current): void {
    old.dropped.abort(new Error("Another step took the prompt."));
    old.job.report({ phase: "idle" });
  }

  async #perform(current: Current, old: Current | undefined): Promise<void> {
    const { job, dropped } = current;
    const { signal } = dropped;
    const report = (state: StepState): void => {
      current.state = state;
      if (!signal.aborted) job.report(state);
    };
    try {
      await this.#prepare(job, report, signal);
      await old?.finished;
      signal.throwIfAborted();
      const run = new StepRun(job.step, { pane: this.#deps.pane(), now: this.#deps.now, report });
      await (waitsForKeys(job, this.#deps.pane()) ? run.performTyped(signal) : run.perform());
    } catch (error) {
      if (signal.aborted) return;
      const message = error instanceof Error ? error.message : String(error);
      this.#deps.log.info({ step: job.step.id, message }, "a step could not be started");
      report({ phase: "failed", exit: null, seconds: 0, message });
    }
  }

  /** Brings the pane to an idle prompt. */
  async #prepare(job: Job, report: (state: StepState) => void, signal: AbortSignal): Promise<void> {
    const pane = this.#deps.pane();
    report({ phase: "queued", because: `Waits for the ${this.#id} pane.` });
    await job.before(signal);
    if (pane.state.phase === "busy") {
      report({ phase: "queued", because: `Stops \`${pane.state.command}\` first.` });
      await (job.force || job.step.restart ? pane.stop(signal) : interrupt(pane, signal));
    }
    if (pane.state.phase === "closed") await pane.restart();
    await nextState(pane, (state) => state.phase !== "starting", signal);
  }
}

/** Whether the job may stop what the pane runs. */
function makesRoom({ step, force }: Job): boolean {
  return force || step.restart || step.interrupt;
}

function waitsForEnter({ job, state }: Current): boolean {
  return job.step.type && state.phase === "queued";
}

/** Without a terminal there is no prompt to leave a command at. */
function waitsForKeys({ step }: Job, pane: Pane): boolean {
  return step.type && pane.rung !== "pipes";
}

async function interrupt(pane: Pane, signal: AbortSignal): Promise<void> {
  const command = pane.state.phase === "busy" ? pane.state.command : "";
  const timeout = AbortSignal.timeout(INTERRUPT_WITHIN_MS);
  pane.interrupt();
  await nextState(pane, (state) => state.phase !== "busy", AbortSignal.any([signal, timeout])).catch(
    (error: unknown) => {
      if (!timeout.aborted) throw error;
      throw new Error(
        `\`${command}\` did not end within ${INTERRUPT_WITHIN_MS / 1000} s of Ctrl-C. Run the step again and let it stop the ${pane.id} pane.`,
        { cause: error },
      );
    },
  );
}
