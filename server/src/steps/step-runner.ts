import type { EventEmitter } from "node:events";
import type { StepSpec } from "../lessons/lesson.ts";
import type { PaneId, StepState } from "../protocol/index.ts";

/** What a step asks for; what the page does before the click, the runner need not know. */
export type RunnableStep = Omit<StepSpec, "confirm" | "label">;

export interface StepEvents {
  changed: [];
}

/** Runs the lesson's steps in the panes, one at a time per pane, and knows how each went. */
export interface StepRunner {
  readonly states: Readonly<Record<string, StepState>>;
  readonly events: EventEmitter<StepEvents>;
  /**
   * Starts a step, or queues it behind the pane's start or its running step. A step that is queued or running already
   * is left alone.
   *
   * @param options.force the learner agreed to stop what the pane runs.
   * @throws StepRefused with `code` "busy" when the pane runs something else (says what), "failed" when another step must come first.
   */
  start(step: RunnableStep, options: { readonly force: boolean }): void;
  /** Stops what the pane runs and starts its last command again, as the step it came from if there was one. */
  again(pane: PaneId): void;
  /** Forgets all states and drops what is queued; what runs in the panes is left to them. */
  reset(): void;
}
