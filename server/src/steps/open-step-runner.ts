import { EventEmitter } from "node:events";
import type { PaneId, StepState } from "../protocol/index.ts";
import type { Pane, TerminalLog } from "../terminal/index.ts";
import { StepRefused } from "./errors.ts";
import { Lane } from "./lane.ts";
import type { RunnableStep, StepEvents, StepRunner } from "./step-runner.ts";

export interface StepRunnerDeps {
  readonly pane: (id: PaneId) => Pane;
  readonly log: TerminalLog;
  /** Epoch milliseconds. */
  readonly now?: () => number;
}

const IDLE: StepState = { phase: "idle" };

export function openStepRunner(deps: StepRunnerDeps): StepRunner {
  return new PaneStepRunner(deps);
}

class PaneStepRunner implements StepRunner {
  readonly events: EventEmitter<StepEvents> = new EventEmitter();
  readonly #deps: StepRunnerDeps;
  readonly #lanes = new Map<PaneId, Lane>();
  /** The last step of each pane, to start it again. */
  readonly #last = new Map<PaneId, RunnableStep>();
  readonly #commands = new Map<string, string>();
  #states: Readonly<Record<string, StepState>> = {};

  constructor(deps: StepRunnerDeps) {
    this.#deps = deps;
    // Every step that waits for another listens.
    this.events.setMaxListeners(0);
  }

  get states(): Readonly<Record<string, StepState>> {
    return this.#states;
  }

  start(step: RunnableStep, options: { readonly force: boolean }): void {
    const { phase } = this.#stateOf(step.id);
    const waits = phase === "queued" && !step.type;
    if (!options.force && (waits || phase === "running")) return;
    this.#requireBefore(step);
    this.#laneOf(step.pane).add({
      step,
      force: options.force,
      before: (signal) => this.#whenBefore(step, signal),
      report: (state) => this.#set(step.id, state),
    });
    this.#last.set(step.pane, step);
    this.#commands.set(step.id, step.command);
  }

  again(id: PaneId): void {
    const { lastCommand } = this.#deps.pane(id);
    const step = this.#last.get(id);
    if (step !== undefined && (lastCommand === undefined || step.command.trim() === lastCommand.trim())) {
      return this.start(step, { force: true });
    }
    if (lastCommand === undefined) {
      throw new StepRefused(
        "failed",
        `Nothing has run in the ${id} pane yet. Run a step of the lesson first.`,
      );
    }
    const job = {
      step: asStep(id, lastCommand),
      force: true,
      before: () => Promise.resolve(),
      report: () => {},
    };
    this.#laneOf(id).add(job);
  }

  reset(): void {
    for (const lane of this.#lanes.values()) lane.forget();
    this.#lanes.clear();
    this.#last.clear();
    this.#commands.clear();
    this.#states = {};
    this.events.emit("changed");
  }

  #laneOf(id: PaneId): Lane {
    const known = this.#lanes.get(id);
    if (known !== undefined) return known;
    const { pane, log, now = () => Date.now() } = this.#deps;
    const lane = new Lane(id, { pane: () => pane(id), now, log });
    this.#lanes.set(id, lane);
    return lane;
  }

  #stateOf(id: string): StepState {
    return this.#states[id] ?? IDLE;
  }

  #set(id: string, state: StepState): void {
    this.#states = { ...this.#states, [id]: state };
    this.events.emit("changed");
  }

  #requireBefore({ after }: RunnableStep): void {
    if (after === null) return;
    const { phase } = this.#stateOf(after);
    if (phase === "idle" || phase === "failed") throw new StepRefused("failed", this.#comesFirst(after));
  }

  /** The step before may be running; this one waits for it. */
  #whenBefore({ after }: RunnableStep, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (act: () => void): void => {
        this.events.off("changed", look);
        signal.removeEventListener("abort", abort);
        act();
      };
      const look = (): void => {
        const phase = after === null ? "done" : this.#stateOf(after).phase;
        if (phase === "done" || phase === "ready") settle(resolve);
        if (phase === "failed" || phase === "idle")
          settle(() => reject(new Error(this.#comesFirst(after ?? ""))));
      };
      const abort = (): void => settle(() => reject(signal.reason as Error));
      this.events.on("changed", look);
      signal.addEventListener("abort", abort);
      look();
    });
  }

  #comesFirst(after: string): string {
    const command = this.#commands.get(after);
    const which = command === undefined ? "the step before this one" : `\`${command}\``;
    return `This step needs ${which} to have worked. Run that first, then this one.`;
  }
}

/** A command that the learner typed, run again as it was. */
function asStep(pane: PaneId, command: string): RunnableStep {
  return {
    id: "",
    pane,
    command,
    until: null,
    expect: null,
    exit: "any",
    timeoutSeconds: 86_400,
    interrupt: false,
    restart: true,
    after: null,
    type: false,
  };
}
