import { expect, test } from "vitest";
import { aRequest, taskOptions } from "../../test/support/builders.ts";
import type { ResolvedTaskOptions } from "../app/types.ts";
import type { PoolResult } from "../pool/pool.ts";
import { rawJson } from "../protocol/json.ts";
import { conclude, concludeRevoked, type Ending, type RunFacts } from "./conclude.ts";

const ID = "344f95ea-a5f2-4867-b74a-8f2ff0b9e624";
const LABEL = `tasks.add[${ID}]`;
const CHILD = "ForkPoolWorker-2";

function facts(changes: Partial<RunFacts> = {}, options: Partial<ResolvedTaskOptions> = {}): RunFacts {
  const request = aRequest({ id: ID });
  return {
    request,
    options: taskOptions(options),
    label: LABEL,
    started: true,
    acked: false,
    job: 18,
    ...changes,
  };
}

function texts({ log }: Ending): readonly string[] {
  return log.map(({ level, processName, text }) => `${level}/${processName} ${text}`);
}

const SUCCESS: PoolResult = {
  ended: "done",
  processName: CHILD,
  outcome: { state: "SUCCESS", resultJson: "8", resultRepr: "8", runtimeSeconds: 0.006847430000107124 },
};

function failing(expected: boolean): PoolResult {
  const error = { excType: "ValueError", excMessage: ["boom"], excModule: "builtins" };
  const traceback = "Traceback (most recent call last):\nValueError: boom\n";
  return {
    ended: "done",
    processName: CHILD,
    outcome: {
      state: "FAILURE",
      error,
      errorRepr: "ValueError('boom')",
      traceback,
      expected,
      runtimeSeconds: 1,
    },
  };
}

const LOST: PoolResult = { ended: "lost", status: "signal 9 (SIGKILL)", pid: 1, processName: CHILD };
const TIMEOUT: PoolResult = { ended: "timeout", limitSeconds: 1, processName: CHILD };
const CANCELLED: PoolResult = { ended: "cancelled", processName: CHILD };

test("given a success, when concluded, then the result is stored verbatim and the line is Celery's", () => {
  const ending = conclude(SUCCESS, facts());

  expect(ending.stored).toEqual({ status: "SUCCESS", result: rawJson("8"), traceback: null });
  expect(texts(ending)).toEqual([`INFO/${CHILD} Task ${LABEL} succeeded in 0.006847430000107124s: 8`]);
  expect(ending.event).toEqual(["task-succeeded", { uuid: ID, result: "8", runtime: 0.006847430000107124 }]);
  expect(ending.message).toBe("finish");
});

test("given a failure, when concluded, then it is stored and logged with its traceback", () => {
  const ending = conclude(failing(false), facts());

  expect(ending.stored?.status).toBe("FAILURE");
  expect(texts(ending)).toEqual([
    `ERROR/${CHILD} Task ${LABEL} raised unexpected: ValueError('boom')\nTraceback (most recent call last):\nValueError: boom`,
  ]);
  expect(ending.event?.[0]).toBe("task-failed");
});

test("given an error of the task's contract, when concluded, then it is logged without alarm", () => {
  expect(texts(conclude(failing(true), facts()))).toEqual([
    `INFO/${CHILD} Task ${LABEL} raised expected: ValueError('boom')`,
  ]);
});

test("given ignoreResult, when a task ends, then nothing is stored unless errors are to be kept", () => {
  expect(conclude(SUCCESS, facts({}, { ignoreResult: true })).stored).toBeNull();
  expect(conclude(failing(false), facts({}, { ignoreResult: true })).stored).toBeNull();
  const keeping = facts({}, { ignoreResult: true, storeErrorsEvenIfIgnored: true });
  expect(conclude(failing(false), keeping).stored?.status).toBe("FAILURE");
});

test("given a retry, when concluded, then it is stored as RETRY with its cause, and goes with its plan", () => {
  const error = { excType: "KeyError", excMessage: ["missing"], excModule: "builtins" };
  const retry = {
    etaEpochSeconds: 1,
    message: "Retry in 1s: KeyError('missing')",
    args: null,
    kwargs: null,
    queue: null,
    exchange: null,
    routingKey: null,
    priority: null,
    changes: {},
  };
  const outcome = {
    state: "RETRY",
    retry,
    error,
    errorRepr: "KeyError('missing')",
    traceback: "t",
    runtimeSeconds: 1,
  } as const;

  const ending = conclude({ ended: "done", processName: CHILD, outcome }, facts());

  expect(ending).toMatchObject({
    stored: { status: "RETRY", result: error, traceback: "t" },
    retry,
    message: "finish",
  });
  expect(texts(ending)).toEqual([`INFO/${CHILD} Task ${LABEL} retry: Retry in 1s: KeyError('missing')`]);
});

test("given a rejection with requeue, when the ack is late, then the message goes back and nothing is stored", () => {
  const outcome = {
    state: "REJECTED",
    requeue: true,
    reason: "no thanks",
    traceback: "t",
    runtimeSeconds: 1,
  } as const;

  const ending = conclude({ ended: "done", processName: CHILD, outcome }, facts());

  expect(ending).toMatchObject({ stored: null, message: "release" });
  expect(texts(ending)).toEqual([`WARNING/${CHILD} Task ${LABEL} reject requeue=True: no thanks\nt`]);
});

test("given a rejection without requeue, when concluded, then it is a FAILURE, as in Celery since 5.7", () => {
  const outcome = {
    state: "REJECTED",
    requeue: false,
    reason: "no thanks",
    traceback: "t",
    runtimeSeconds: 1,
  } as const;

  const ending = conclude({ ended: "done", processName: CHILD, outcome }, facts());

  expect(ending.stored).toMatchObject({
    status: "FAILURE",
    result: { excType: "Reject", excMessage: ["no thanks", false], excModule: "celery.exceptions" },
  });
});

test("given an ignored task, when concluded, then the message is done and nothing stored", () => {
  const outcome = { state: "IGNORED", runtimeSeconds: 1 } as const;

  const ending = conclude({ ended: "done", processName: CHILD, outcome }, facts());

  expect(ending).toMatchObject({ stored: null, message: "finish", event: null });
  expect(texts(ending)).toEqual([`INFO/${CHILD} Task ${LABEL} ignored`]);
});

test.each([
  { when: "not yet started", change: { started: false }, options: {}, stored: null, message: "count" },
  { when: "acked early", change: { acked: true }, options: {}, stored: "FAILURE", message: "finish" },
  { when: "acked late", change: {}, options: {}, stored: "FAILURE", message: "finish" },
  {
    when: "acked late, to be rejected",
    change: {},
    options: { rejectOnWorkerLost: true },
    stored: null,
    message: "count",
  },
])(
  "given a lost process, when the task was $when, then the matrix holds",
  ({ change, options, stored, message }) => {
    const ending = conclude(LOST, facts(change, options));

    expect([ending.stored?.status ?? null, ending.message]).toEqual([stored, message]);
  },
);

test("given a lost process, when the task fails of it, then error and line are billiard's", () => {
  const ending = conclude(LOST, facts({ acked: true }));

  expect(ending.stored?.result).toEqual({
    excType: "WorkerLostError",
    excMessage: ["Worker exited prematurely: signal 9 (SIGKILL) Job: 18."],
    excModule: "billiard.exceptions",
  });
  expect(texts(ending)).toEqual([
    "ERROR/MainProcess Task handler raised error: WorkerLostError('Worker exited prematurely: signal 9 (SIGKILL) Job: 18.')",
  ]);
});

test("given the hard limit, when it passed, then it is a FAILURE with Celery's two lines", () => {
  const ending = conclude(TIMEOUT, facts());

  expect(ending.stored?.result).toEqual({
    excType: "TimeLimitExceeded",
    excMessage: [1],
    excModule: "billiard.exceptions",
  });
  expect(texts(ending)).toEqual([
    "ERROR/MainProcess Task handler raised error: TimeLimitExceeded(1)",
    `ERROR/MainProcess Hard time limit (1s) exceeded for ${LABEL}`,
  ]);
});

test("given the hard limit and acksOnTimeout off, when it passed, then the message goes back", () => {
  const ending = conclude(TIMEOUT, facts({}, { acksOnTimeout: false }));

  expect(ending).toMatchObject({ stored: null, message: "count" });
});

test.each([
  { acked: false, stored: null, message: "release" },
  { acked: true, stored: "FAILURE", message: "finish" },
])(
  "given a cold shutdown, when acked is $acked, then no task is left without an answer",
  ({ acked, stored, message }) => {
    const ending = conclude(CANCELLED, facts({ acked }));

    expect([ending.stored?.status ?? null, ending.message]).toEqual([stored, message]);
  },
);

test.each([
  { acked: false, message: "dead" },
  { acked: true, message: "finish" },
])(
  "given acksOnFailure off, when a task failed and acked is $acked, then its message becomes $message",
  ({ acked, message }) => {
    const lost: PoolResult = {
      ended: "lost",
      status: "signal 9 (SIGKILL)",
      pid: 7,
      processName: "ForkPoolWorker-1",
    };

    const ending = conclude(lost, facts({ acked }, { acksOnFailure: false }));

    expect([ending.message, ending.stored?.status]).toEqual([message, "FAILURE"]);
  },
);

test.each([
  { signal: "SIGTERM" as const, reason: "terminated", told: { terminated: true, signum: 15 } },
  { signal: null, reason: "revoked", told: { terminated: false, signum: null } },
])(
  "given a revoked task, when $signal ended it, then its result says $reason",
  ({ signal, reason, told }) => {
    const ending = concludeRevoked(signal, facts());

    expect(ending).toMatchObject({
      message: "finish",
      stored: { status: "REVOKED", result: { excType: "TaskRevokedError", excMessage: [reason] } },
      event: ["task-revoked", { ...told, expired: false }],
    });
  },
);
