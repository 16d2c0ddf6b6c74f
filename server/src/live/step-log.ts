import type { StepFacts } from "../checks/facts.ts";
import type { StepState } from "../protocol/index.ts";
import type { StepSource } from "./live.ts";

/** How often each step ran since the last reset. */
export class StepLog {
  readonly #steps: StepSource;
  readonly #changed: () => void;
  #before: Readonly<Record<string, StepState>> = {};
  #runs = new Map<string, number>();
  readonly #onChange = (): void => this.#note();

  constructor(steps: StepSource, changed: () => void) {
    this.#steps = steps;
    this.#changed = changed;
    this.#before = { ...steps.states };
    steps.events.on("changed", this.#onChange);
  }

  facts(id: string): StepFacts {
    const state = this.#steps.states[id];
    const exit = state?.phase === "done" || state?.phase === "failed" ? state.exit : null;
    return { phase: state?.phase ?? "idle", exit, runs: this.#runs.get(id) ?? 0 };
  }

  reset(): void {
    this.#runs = new Map();
    this.#before = { ...this.#steps.states };
  }

  close(): void {
    this.#steps.events.off("changed", this.#onChange);
  }

  #note(): void {
    for (const [id, state] of Object.entries(this.#steps.states)) {
      if (isNewRun(this.#before[id], state)) this.#runs.set(id, (this.#runs.get(id) ?? 0) + 1);
    }
    this.#before = { ...this.#steps.states };
    this.#changed();
  }
}

function isNewRun(before: StepState | undefined, state: StepState): boolean {
  const wasRunning = before?.phase === "running" || before?.phase === "ready";
  switch (state.phase) {
    case "idle":
    case "queued":
      return false;
    case "running":
      return before?.phase !== "running" || before.since !== state.since;
    case "ready":
    case "done":
    case "failed":
      return !wasRunning && before?.phase !== state.phase;
  }
}
