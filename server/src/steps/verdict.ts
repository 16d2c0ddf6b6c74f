import type { StepState } from "../protocol/index.ts";
import { explainFailure, lastWords, shortened } from "./failure.ts";
import type { RunnableStep } from "./step-runner.ts";

/** What was seen of a step's command so far. */
export interface Seen {
  /** `until` matched. */
  readonly ready: boolean;
  /** `expect` matched. */
  readonly expected: boolean;
  /** The last lines, plain. */
  readonly lines: readonly string[];
}

/** Stopped on purpose: Ctrl-C, or told to end. */
const STOPPED: readonly number[] = [130, 143];

/** How a step went whose command ended. */
export function verdictOf(step: RunnableStep, seen: Seen, exit: number, seconds: number): StepState {
  const asWanted = step.exit === "any" || exit === step.exit;
  const failed = (message: string): StepState => ({ phase: "failed", exit, seconds, message });
  if (step.until !== null && seen.ready && (asWanted || STOPPED.includes(exit)))
    return { phase: "done", exit, seconds };
  if (!asWanted) return failed(whyNot(step, seen, exit));
  if (step.until !== null && !seen.ready) return failed(endedTooSoon(step, seen, exit));
  if (step.expect !== null && !seen.expected) return failed(withoutExpected(step));
  return { phase: "done", exit, seconds };
}

/** What to tell about a command that goes on after its time. */
export function stillRunning(step: RunnableStep, seen: Seen): string {
  const { command, pane, timeoutSeconds } = step;
  const last = lastWords(seen.lines);
  const said = last === undefined ? " It has printed nothing." : ` Its last line: “${shortened(last)}”.`;
  const state = step.until === null ? "is still running" : "is running but not ready";
  return `\`${command}\` ${state} after ${timeoutSeconds} s.${said} Wait for it, or stop it with Ctrl-C in the ${pane} pane and run the step again.`;
}

function whyNot(step: RunnableStep, seen: Seen, exit: number): string {
  if (exit !== 0) return explainFailure({ command: step.command, pane: step.pane, exit, lines: seen.lines });
  return `\`${step.command}\` went through, but here it should fail with exit code ${step.exit}. Read the text above the step: something was to be changed first.`;
}

function endedTooSoon(step: RunnableStep, seen: Seen, exit: number): string {
  const last = lastWords(seen.lines);
  const said = last === undefined ? "" : ` Its last line: “${shortened(last)}”.`;
  return `\`${step.command}\` ended (exit code ${exit}) before it was ready.${said} Read what it printed in the ${step.pane} pane, then run the step again.`;
}

function withoutExpected(step: RunnableStep): string {
  return `\`${step.command}\` ended well, but did not print what this step is about. Compare its output in the ${step.pane} pane with the text, then run the step again.`;
}
