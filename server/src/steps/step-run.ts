import type { PaneState, StepState } from "../protocol/index.ts";
import type { Pane } from "../terminal/index.ts";
import type { RunnableStep } from "./step-runner.ts";
import { type Seen, stillRunning, verdictOf } from "./verdict.ts";

/** Enough for a stack trace and what came before it. */
const KEPT_LINES = 100;
/** No longer part of a line is searched, whatever a lesson's pattern costs. */
const SEARCHED_CHARACTERS = 2000;

export interface StepRunDeps {
  readonly pane: Pane;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** Hears every state from `running` on. */
  readonly report: (state: StepState) => void;
}

/** One run of one step's command, from Enter to the prompt after it. */
export class StepRun {
  readonly #step: RunnableStep;
  readonly #deps: StepRunDeps;
  readonly #until: RegExp | undefined;
  readonly #expect: RegExp | undefined;
  readonly #lines: string[] = [];
  #ready = false;
  #expected = false;
  #startedAt = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(step: RunnableStep, deps: StepRunDeps) {
    this.#step = step;
    this.#deps = deps;
    this.#until = stateless(step.until);
    this.#expect = stateless(step.expect);
  }

  /** Types the command and resolves when it ended, however long after the step was ready or out of time. */
  async perform(): Promise<void> {
    const { pane } = this.#deps;
    this.#listen();
    this.#begin();
    try {
      const { exit, seconds } = await pane.run(this.#step.command);
      this.#deps.report(verdictOf(this.#step, this.#seen, exit, seconds));
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#end();
    }
  }

  /** Puts the command at the prompt; then it is the learner's Enter that begins. Resolves when what was entered ended. */
  async performTyped(signal: AbortSignal): Promise<void> {
    const { pane, report } = this.#deps;
    this.#listen();
    try {
      await pane.type(this.#step.command, { signal });
      report({
        phase: "queued",
        because: `The command is at the prompt: press Enter in the ${pane.id} pane.`,
      });
      await nextState(pane, (state) => state.phase !== "idle", signal);
      this.#begin();
      const end = await nextState(pane, (state) => state.phase !== "busy", signal);
      if (end.phase === "idle") report(verdictOf(this.#step, this.#seen, end.exit ?? 0, end.seconds ?? 0));
      else this.#fail(new Error(`The ${pane.id} pane's shell was replaced.`));
    } catch (error) {
      if (!signal.aborted) this.#fail(error);
    } finally {
      this.#end();
    }
  }

  get #seen(): Seen {
    return { ready: this.#ready, expected: this.#expected, lines: this.#lines };
  }

  #listen(): void {
    const { events } = this.#deps.pane;
    events.on("line", this.#onLine);
    events.on("partial", this.#onPartial);
  }

  #begin(): void {
    const { now, report } = this.#deps;
    this.#startedAt = now();
    this.#timer = setTimeout(() => this.#onTimeout(), this.#step.timeoutSeconds * 1000);
    report({ phase: "running", since: this.#startedAt });
  }

  #end(): void {
    const { events } = this.#deps.pane;
    clearTimeout(this.#timer);
    events.off("line", this.#onLine);
    events.off("partial", this.#onPartial);
  }

  readonly #onLine = (line: string): void => {
    this.#lines.push(line);
    if (this.#lines.length > KEPT_LINES) this.#lines.shift();
    this.#look(line);
  };

  readonly #onPartial = (text: string): void => this.#look(text);

  #look(text: string): void {
    const searched = text.slice(0, SEARCHED_CHARACTERS);
    this.#expected ||= this.#expect?.test(searched) === true;
    if (this.#ready || this.#until?.test(searched) !== true) return;
    this.#ready = true;
    clearTimeout(this.#timer);
    this.#deps.report({ phase: "ready", seconds: this.#seconds() });
  }

  #onTimeout(): void {
    const message = stillRunning(this.#step, this.#seen);
    this.#deps.report({ phase: "failed", exit: null, seconds: this.#seconds(), message });
  }

  #fail(error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error);
    const message = `${reason} Run the step again.`;
    this.#deps.report({ phase: "failed", exit: null, seconds: this.#seconds(), message });
  }

  #seconds(): number {
    return this.#startedAt === 0 ? 0 : Math.max(0, this.#deps.now() - this.#startedAt) / 1000;
  }
}

/** With `g` or `y` a pattern would go on where it last matched. */
function stateless(pattern: RegExp | null): RegExp | undefined {
  return pattern === null ? undefined : new RegExp(pattern.source, pattern.flags.replaceAll(/[gy]/g, ""));
}

/** The pane's state now or the next one that `accept` takes. */
export function nextState(
  pane: Pick<Pane, "state" | "events">,
  accept: (state: PaneState) => boolean,
  signal: AbortSignal,
): Promise<PaneState> {
  return new Promise((resolve, reject) => {
    const settle = (act: () => void): void => {
      pane.events.off("state", onState);
      signal.removeEventListener("abort", onAbort);
      act();
    };
    const onState = (state: PaneState): void => {
      if (accept(state)) settle(() => resolve(state));
    };
    const onAbort = (): void => settle(() => reject(signal.reason as Error));
    pane.events.on("state", onState);
    signal.addEventListener("abort", onAbort);
    if (signal.aborted) onAbort();
    else onState(pane.state);
  });
}
