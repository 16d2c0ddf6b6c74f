import { expect, test } from "vitest";
import { taskOptions } from "../../test/support/builders.ts";
import { makeSignals } from "../app/signals.ts";
import { pickHandlers, type TaskHandlers } from "../app/task-handlers.ts";
import type { AnyTask } from "../app/types.ts";
import { tellLoss } from "./tell-loss.ts";

function aLostRun(heard: string[], handlers: TaskHandlers): Parameters<typeof tellLoss>[0] {
  const options = taskOptions({ handlers: pickHandlers(handlers) });
  return { task: { name: "tasks.add", options } as AnyTask, id: "abc", args: [heard.length], kwargs: {} };
}

test("given a run that was killed at its hard limit, when it is told, then handlers and listeners hear it", async () => {
  const heard: string[] = [];
  const signals = makeSignals();
  signals.taskFailure.connect(({ sender, exception }) => heard.push(`${sender} ${String(exception)}`));
  const run = aLostRun(heard, {
    onFailure: (exc, id) => heard.push(`onFailure ${id} ${(exc as Error).name}`),
    afterReturn: (state) => heard.push(`afterReturn ${state}`),
  });

  await tellLoss(
    run,
    { ended: "timeout", limitSeconds: 2, processName: "p" },
    { signals, report: () => undefined },
  );

  expect(heard).toEqual([
    "onFailure abc TimeLimitExceeded",
    "afterReturn FAILURE",
    "tasks.add TimeLimitExceeded: TimeLimitExceeded(2)",
  ]);
});

test("given a run whose process died, when it is told, then listeners hear it, and no handler, as in Celery", async () => {
  const heard: string[] = [];
  const signals = makeSignals();
  signals.taskFailure.connect(({ exception }) => heard.push((exception as Error).name));
  const run = aLostRun(heard, { onFailure: () => heard.push("onFailure") });
  const lost = { ended: "lost", status: "signal 9 (SIGKILL)", pid: 1, processName: "p" } as const;

  await tellLoss(run, lost, { signals, report: () => undefined });

  expect(heard).toEqual(["WorkerLostError"]);
});

test("given a handler that throws, when a loss is told, then it is reported and listeners still hear", async () => {
  const heard: string[] = [];
  const signals = makeSignals();
  signals.taskFailure.connect(() => heard.push("told"));
  const run = aLostRun(heard, {
    onFailure: () => {
      throw new Error("trouble");
    },
  });

  await tellLoss(
    run,
    { ended: "timeout", limitSeconds: 2, processName: "p" },
    { signals, report: (text) => heard.push(text) },
  );

  expect(heard).toEqual(["Task tasks.add[abc] handler raised: Error: trouble", "told"]);
});
