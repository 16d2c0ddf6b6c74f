import type { CheckState, PaneId, StepState } from "server/protocol";
import { durationWords } from "./words.ts";

type Tone = "quiet" | "queued" | "active" | "ok" | "failed";

export interface StepStatus {
  readonly tone: Tone;
  readonly words: string;
}

/** What stands beside a Run button; `undefined` before the first run. `now` is epoch milliseconds. */
export function stepStatus(state: StepState, now: number): StepStatus | undefined {
  switch (state.phase) {
    case "idle":
      return undefined;
    case "queued":
      return { tone: "queued", words: state.because };
    case "running":
      return { tone: "active", words: `running ${durationWords((now - state.since) / 1000)}` };
    case "ready":
      return { tone: "ok", words: `ready in ${durationWords(state.seconds)}` };
    case "done":
      return { tone: "ok", words: `exit ${state.exit} · ${durationWords(state.seconds)}` };
    case "failed":
      return { tone: "failed", words: failedWords(state.exit, state.seconds) };
  }
}

function failedWords(exit: number | null, seconds: number): string {
  return `${exit === null ? "did not finish" : `exit ${exit}`} · ${durationWords(seconds)}`;
}

/** The question before a step takes over a pane that runs something else. */
export function busyQuestion(pane: PaneId, command: string | null): string {
  const running = command === null ? "something" : `“${command}”`;
  return `The ${pane} pane is running ${running}. Stop it and run this?`;
}

/** A sentence for screen readers when a step's state changes; `undefined` when it is not news. */
export function stepNews(command: string, before: StepState, after: StepState): string | undefined {
  if (before.phase === after.phase) return undefined;
  const [line = ""] = command.split("\n");
  switch (after.phase) {
    case "ready":
      return `Ready: ${line}`;
    case "done":
      return `Finished with exit ${after.exit}: ${line}`;
    case "failed":
      return `Failed: ${line}. ${after.message}`;
    case "idle":
    case "queued":
    case "running":
      return undefined;
  }
}

/** A sentence for screen readers when a check turns. */
export function checkNews(
  title: string,
  before: CheckState["state"] | undefined,
  after: CheckState["state"],
): string | undefined {
  if (before === undefined || before === after) return undefined;
  return after === "green" ? `Check passed: ${title}` : `Check is red again: ${title}`;
}
