import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { NOW, outcomeOf, trial } from "../../test/support/trial.ts";
import { makeSignals } from "../app/signals.ts";
import type { TaskContext } from "../app/types.ts";
import { Ignore, Reject, Retry, SoftTimeLimitExceeded } from "../protocol/task-signals.ts";
import type { Outcome } from "./outcome.ts";
import type { Run } from "./run.ts";

class UpstreamError extends Error {
  override readonly name = "UpstreamError";
}

test("given a function, when it returns, then the outcome carries its JSON and its repr", async () => {
  const outcome = await outcomeOf((x: number, y: number) => ({ sum: x + y, ok: true }), {
    request: { args: [2, 3] },
  });

  expect(outcome).toMatchObject({
    state: "SUCCESS",
    resultJson: '{"sum": 5, "ok": true}',
    resultRepr: "{'sum': 5, 'ok': True}",
  });
});

test("given a function that returns nothing, when it ends, then the result is null", async () => {
  expect(await outcomeOf(() => undefined)).toMatchObject({
    state: "SUCCESS",
    resultJson: "null",
    resultRepr: "None",
  });
});

test("given keyword arguments, when the task runs, then they come last as an object", async () => {
  const seen: unknown[] = [];

  await outcomeOf((...args: unknown[]) => seen.push(...args), {
    request: { args: [1], kwargs: { to: "x" } },
  });

  expect(seen).toEqual([1, { to: "x" }]);
});

test("given a function that throws, when it ends, then the outcome is a FAILURE with Python's kind of traceback", async () => {
  const outcome = await outcomeOf(async () => {
    await Promise.resolve();
    throw new UpstreamError("refused");
  });

  expect(outcome).toMatchObject({
    state: "FAILURE",
    error: { excType: "UpstreamError", excMessage: ["refused"] },
    errorRepr: "UpstreamError('refused')",
    expected: false,
  });
  const { traceback } = outcome as Extract<Outcome, { state: "FAILURE" }>;
  expect(traceback).toMatch(
    /^Traceback \(most recent call last\):\n {2}File ".*execute\.test\.ts", line \d+, in /,
  );
  expect(traceback).toContain('    throw new UpstreamError("refused");');
  expect(traceback).toMatch(/\nUpstreamError: refused\n$/);
});

test.each(["boom", 42, null])(
  "given a task that throws %j, when it ends, then even that is a FAILURE",
  async (thrown) => {
    const outcome = await outcomeOf(() => {
      throw thrown;
    });

    expect(outcome).toMatchObject({ state: "FAILURE", error: { excType: "Error" } });
  },
);

test("given an error named in throws, when thrown, then it is expected", async () => {
  const outcome = await outcomeOf(() => Promise.reject(new UpstreamError("x")), {
    options: { throws: [UpstreamError] },
  });

  expect(outcome).toMatchObject({ state: "FAILURE", expected: true });
});

test.each([
  { what: "a function", value: () => 1 },
  { what: "a Map", value: new Map() },
])("given $what as return value, when encoded, then the task fails with EncodeError", async ({ value }) => {
  expect(await outcomeOf(() => value)).toMatchObject({ state: "FAILURE", error: { excType: "EncodeError" } });
});

test("given a task that nobody registered, when executed, then the outcome is a FAILURE that names it", async () => {
  const outcome = await outcomeOf(() => 1, { request: { task: "tasks.sub" } });

  expect(outcome).toMatchObject({ state: "FAILURE", error: { excType: "NotRegistered" } });
});

test("given Ignore and Reject, when thrown, then they are outcomes of their own", async () => {
  expect(await outcomeOf(() => Promise.reject(new Ignore()))).toMatchObject({ state: "IGNORED" });
  expect(await outcomeOf(() => Promise.reject(new Reject("no", true)))).toMatchObject({
    state: "REJECTED",
    requeue: true,
    reason: "no",
  });
});

test("given a bound task, when it runs, then self tells about the request", async () => {
  const outcome = await outcomeOf((self: TaskContext) => [self.name, self.request.id, self.request.retries], {
    options: { bind: true },
    request: { id: "abc", retries: 2 },
  });

  expect(outcome).toMatchObject({ resultJson: '["tasks.add", "abc", 2]' });
});

test("given updateState, when awaited, then the state was handed over before the task goes on", async () => {
  const order: string[] = [];

  await outcomeOf(
    async (self: TaskContext) => {
      await self.updateState("PROGRESS", { done: 1 });
      order.push("went on");
    },
    {
      options: { bind: true },
      deps: {
        updateState: async (state, meta) => {
          await Promise.resolve();
          order.push(`${state} ${JSON.stringify(meta)}`);
        },
      },
    },
  );

  expect(order).toEqual(['PROGRESS {"done":1}', "went on"]);
});

test("given self.retry with a countdown, when thrown, then the plan has its time and Celery's message", async () => {
  const outcome = await outcomeOf(
    (self: TaskContext) => self.retry({ countdown: 2, exc: new UpstreamError("refused") }),
    {
      options: { bind: true },
    },
  );

  expect(outcome).toMatchObject({
    state: "RETRY",
    retry: {
      etaEpochSeconds: NOW / 1000 + 2,
      message: "Retry in 2s: UpstreamError('refused')",
      args: null,
      kwargs: null,
    },
    error: { excType: "UpstreamError" },
    errorRepr: "UpstreamError('refused')",
  });
  expect((outcome as Extract<Outcome, { state: "RETRY" }>).traceback).toMatch(
    /Retry: Retry in 2s: UpstreamError\('refused'\)\n$/,
  );
});

test.each([
  [{ countdown: 1e20 }, "countdown = 100000000000000000000"],
  [{ countdown: Number.NaN }, "countdown = NaN"],
  [{ eta: new Date(Number.NaN) }, "eta = Invalid Date"],
  [{ expires: 1e20 }, "expires = 100000000000000000000"],
])("given a retry at %j, when it is asked for, then the task fails and says why", async (options, quoted) => {
  const outcome = await outcomeOf((self: TaskContext) => self.retry(options), { options: { bind: true } });

  const why = `${quoted}: a time between the years 1 and 9999 is expected, e.g. countdown: 60.`;
  expect(outcome).toMatchObject({ error: { excType: "InvalidArgument", excMessage: [why] } });
});

test("given self.retry without options, when thrown, then the task's default delay counts", async () => {
  const outcome = await outcomeOf((self: TaskContext) => self.retry(), {
    options: { bind: true, defaultRetryDelay: 7 },
  });

  expect(outcome).toMatchObject({ state: "RETRY", retry: { message: "Retry in 7s" }, error: null });
});

test("given the last retry, when another is asked for, then the task fails with its own error", async () => {
  const outcome = await outcomeOf((self: TaskContext) => self.retry({ exc: new UpstreamError("refused") }), {
    options: { bind: true, maxRetries: 3 },
    request: { retries: 3 },
  });

  expect(outcome).toMatchObject({ state: "FAILURE", error: { excType: "UpstreamError" } });
});

test("given the last retry without an error, when another is asked for, then it is MaxRetriesExceededError", async () => {
  const outcome = await outcomeOf((self: TaskContext, _x: number) => self.retry(), {
    options: { bind: true, maxRetries: 0 },
    request: { id: "abc", args: [1], kwargs: {} },
  });

  expect(outcome).toMatchObject({
    error: {
      excType: "MaxRetriesExceededError",
      excMessage: ["Can't retry tasks.add[abc] args:(1,) kwargs:{}"],
    },
  });
});

test("given maxRetries null, when the hundredth retry is asked for, then it is granted", async () => {
  const outcome = await outcomeOf((self: TaskContext) => self.retry(), {
    options: { bind: true, maxRetries: null },
    request: { retries: 100 },
  });

  expect(outcome.state).toBe("RETRY");
});

test("given new arguments that cannot travel, when a retry is asked for, then the task fails and says why", async () => {
  const outcome = await outcomeOf((self: TaskContext) => self.retry({ args: [() => 1] }), {
    options: { bind: true },
  });

  expect(outcome).toMatchObject({ state: "FAILURE", error: { excType: "EncodeError" } });
});

test("given a Retry that the task made itself, when thrown, then the task is retried at its time", async () => {
  const outcome = await outcomeOf(() => Promise.reject(new Retry("later", { when: 5 })));

  expect(outcome).toMatchObject({ state: "RETRY", retry: { etaEpochSeconds: NOW / 1000 + 5 } });
});

test.each([
  { retries: 0, wait: 2 },
  { retries: 1, wait: 4 },
  { retries: 3, wait: 16 },
  { retries: 20, wait: 600 },
])(
  "given backoff 2 without jitter, when retry $retries fails, then the wait is $wait s",
  async ({ retries, wait }) => {
    const outcome = await outcomeOf(() => Promise.reject(new UpstreamError("x")), {
      options: { autoretryFor: [UpstreamError], retryBackoff: 2, retryJitter: false, maxRetries: null },
      request: { retries },
    });

    expect(outcome).toMatchObject({
      state: "RETRY",
      retry: { message: `Retry in ${wait}s: UpstreamError('x')` },
    });
  },
);

test.each([
  { random: 0, wait: 0 },
  { random: 0.5, wait: 4 },
  { random: 0.999, wait: 8 },
])(
  "given jitter and chance $random, when a wait of 8 s is due, then it is $wait s",
  async ({ random, wait }) => {
    const granted = await outcomeOf(() => Promise.reject(new UpstreamError("x")), {
      options: { autoretryFor: [Error], retryBackoff: true, maxRetries: null },
      request: { retries: 3 },
      deps: { random: () => random },
    });
    expect(granted).toMatchObject({ retry: { message: `Retry in ${wait}s: UpstreamError('x')` } });
  },
);

test("given retryKwargs, when an error is retried by itself, then they decide", async () => {
  const outcome = await outcomeOf(() => Promise.reject(new UpstreamError("x")), {
    options: { autoretryFor: [UpstreamError], retryKwargs: { countdown: 3, maxRetries: 9 } },
    request: { retries: 8 },
  });

  expect(outcome).toMatchObject({ state: "RETRY", retry: { message: "Retry in 3s: UpstreamError('x')" } });
});

test("given an excluded error, when thrown, then it is not retried", async () => {
  const outcome = await outcomeOf(() => Promise.reject(new UpstreamError("x")), {
    options: { autoretryFor: [Error], dontAutoretryFor: [UpstreamError] },
  });

  expect(outcome.state).toBe("FAILURE");
});

test("given a soft limit and a task that does not mind, when it passes, then it fails at once and is abandoned", async () => {
  const told: number[] = [];

  const { outcome, abandoned } = await trial(() => new Promise(() => undefined), {
    request: { softLimitSeconds: 0.01 },
    deps: { onSoftLimit: (seconds) => told.push(seconds) },
  });

  expect(outcome).toMatchObject({
    state: "FAILURE",
    error: { excType: "SoftTimeLimitExceeded", excModule: "billiard.exceptions" },
  });
  expect(abandoned).toBe(true);
  expect(told).toEqual([0.01]);
});

test("given a soft limit and a task that tidies up, when it passes, then its return value counts", async () => {
  const { outcome, abandoned } = await trial(
    async (self: TaskContext) => {
      await sleep(60_000, undefined, { signal: self.signal }).catch(() => undefined);
      return self.signal.reason instanceof SoftTimeLimitExceeded ? "tidied up" : "why?";
    },
    { options: { bind: true }, request: { softLimitSeconds: 0.01 } },
  );

  expect(outcome).toMatchObject({ state: "SUCCESS", resultJson: '"tidied up"' });
  expect(abandoned).toBe(false);
});

test("given a soft limit, when a wait on self.signal ends with AbortError, then the failure names the limit", async () => {
  const outcome = await outcomeOf((self: TaskContext) => sleep(60_000, undefined, { signal: self.signal }), {
    options: { bind: true },
    request: { softLimitSeconds: 0.01 },
  });

  expect(outcome).toMatchObject({ state: "FAILURE", error: { excType: "SoftTimeLimitExceeded" } });
});

test("given a run that is given up from outside, when the task minds its signal or not, then it ends", async () => {
  const runs: Run[] = [];
  const ended = trial(
    (self: TaskContext) =>
      new Promise((_resolve) => {
        self.signal.addEventListener("abort", () => undefined);
        queueMicrotask(() => runs[0]?.giveUp(new Error("cold shutdown")));
      }),
    { options: { bind: true }, onRun: (run) => runs.push(run) },
  );

  expect(await ended).toMatchObject({ abandoned: true, outcome: { state: "FAILURE" } });
});

test("given a run that was given up before it began, when it is executed, then the function is not called", async () => {
  const calls: unknown[] = [];

  await trial(() => calls.push(1), { onRun: (run) => run.giveUp(new Error("cold shutdown")) });

  expect(calls).toEqual([]);
});

test("given a run that is given up while it runs, when it ends, then neither handlers nor signals tell of a failure: it may run again", async () => {
  const told: string[] = [];
  const signals = makeSignals();
  signals.taskFailure.connect(() => told.push("taskFailure"));
  signals.taskPostrun.connect(() => told.push("taskPostrun"));
  const runs: Run[] = [];

  const { abandoned } = await trial(
    () => {
      queueMicrotask(() => runs[0]?.giveUp(new Error("cold shutdown")));
      return new Promise(() => undefined);
    },
    {
      options: {
        handlers: {
          any: true,
          onFailure: () => void told.push("onFailure"),
          afterReturn: () => void told.push("afterReturn"),
        },
      },
      signals,
      onRun: (run) => runs.push(run),
    },
  );

  expect(abandoned).toBe(true);
  expect(told).toEqual([]);
});

test("given a task told by hand that its time is over, when it reads its signal later, then that has aborted", async () => {
  const runs: Run[] = [];

  const outcome = await outcomeOf(
    (self: TaskContext) => {
      runs[0]?.expire(null);
      return self.signal.aborted;
    },
    { options: { bind: true }, onRun: (run) => runs.push(run) },
  );

  expect(outcome).toMatchObject({ resultJson: "true" });
});

test("given an error with a cause, when its traceback is written, then the cause comes first, as in Python", async () => {
  const outcome = await outcomeOf(() => {
    throw new UpstreamError("outer", { cause: new TypeError("inner") });
  });

  const { traceback } = outcome as Extract<Outcome, { state: "FAILURE" }>;
  expect(traceback).toMatch(
    /TypeError: inner\n\nThe above exception was the direct cause of the following exception:\n\nTraceback [^]*\nUpstreamError: outer\n$/,
  );
});
