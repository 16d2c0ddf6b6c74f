import { makeSignals, type Signals } from "../../src/app/signals.ts";
import type { AnyTask, CeleryApp, ResolvedTaskOptions } from "../../src/app/types.ts";
import { type ExecuteDeps, type Execution, execute } from "../../src/execution/execute.ts";
import type { Outcome } from "../../src/execution/outcome.ts";
import { readSignature } from "../../src/execution/parameters.ts";
import type { TaskRequest } from "../../src/execution/request.ts";
import { Run, type RunHost } from "../../src/execution/run.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import { aRequest, taskOptions } from "./builders.ts";

/** What the clock says in a trial, epoch milliseconds. */
export const NOW: number = 1_795_256_000_000;

export interface Trial {
  readonly options?: Partial<ResolvedTaskOptions>;
  readonly request?: Partial<TaskRequest>;
  readonly deps?: Partial<ExecuteDeps & RunHost>;
  /** Given the run when it begins. */
  readonly onRun?: (run: Run) => void;
  readonly signals?: Signals;
}

/** Runs `run` as the task `tasks.add`. */
export function trial(
  run: (...args: never[]) => unknown,
  { options, request, deps, onRun, signals = makeSignals() }: Trial = {},
): Promise<Execution> {
  const app = {
    tasks: new Map<string, AnyTask>(),
    signals,
    runInTask: (_current: unknown, work: () => unknown) => work(),
  } as unknown as CeleryApp;
  const resolved = taskOptions(options);
  const signature = readSignature(run, resolved.bind);
  const task = { name: "tasks.add", app, options: resolved, run, takes: signature } as unknown as AnyTask;
  (app.tasks as Map<string, AnyTask>).set(task.name, task);
  const host: RunHost = {
    updateState: () => Promise.resolve(),
    onSoftLimit: () => undefined,
    sendEvent: () => undefined,
    ...deps,
  };
  const current = new Run(host);
  onRun?.(current);
  return execute(aRequest(request), current, {
    app,
    clock: { ...systemClock, nowMs: () => NOW },
    random: () => 0.999,
    report: () => undefined,
    ...deps,
  });
}

export async function outcomeOf(run: (...args: never[]) => unknown, options: Trial = {}): Promise<Outcome> {
  return (await trial(run, options)).outcome;
}
