import fc from "fast-check";
import { expect, test } from "vitest";
import {
  newRecord,
  type ResultNews,
  type TaskEvent,
  type TaskRecord,
  withEvent,
  withResult,
} from "./task-record.ts";

const ID = "t1";
const common = { uuid: ID, hostname: "celery@here", utcoffset: 0, pid: 7, clock: 1 };
const description = {
  name: "tasks.add",
  args: "(4, 4)",
  kwargs: "{}",
  root_id: ID,
  parent_id: null,
  retries: 0,
  eta: null,
  expires: null,
};

/** Seconds on the clock of the test. */
const sent = (at: number, retries = 0): TaskEvent => ({
  ...common,
  ...description,
  retries,
  type: "task-sent",
  timestamp: at,
  queue: "celery",
  exchange: "",
  routing_key: "celery",
});
const received = (at: number, retries = 0): TaskEvent => ({
  ...common,
  ...description,
  retries,
  type: "task-received",
  timestamp: at,
});
const started = (at: number): TaskEvent => ({ ...common, type: "task-started", timestamp: at });
const succeeded = (at: number): TaskEvent => ({
  ...common,
  type: "task-succeeded",
  timestamp: at,
  result: "8",
  runtime: 5.2,
});
const failed = (at: number): TaskEvent => ({
  ...common,
  type: "task-failed",
  timestamp: at,
  exception: "ValueError('bad')",
  traceback: null,
});
const retried = (at: number): TaskEvent => ({
  ...common,
  type: "task-retried",
  timestamp: at,
  exception: "UpstreamError('refused')",
  traceback: null,
});

const stored = (state: string, at: number, change: Partial<ResultNews> = {}): ResultNews => ({
  taskId: ID,
  state,
  result: null,
  error: null,
  at: at * 1000,
  isNotice: true,
  ...change,
});

type News = TaskEvent | ResultNews;
const after = (...news: readonly News[]): TaskRecord =>
  news.reduce<TaskRecord>(
    (record, each) => ("uuid" in each ? withEvent(record, each) : withResult(record, each)),
    newRecord(ID),
  );

test("given a task's whole story, when it was heard, then everything about it is known", () => {
  const record = after(
    sent(1),
    received(1.1),
    started(1.2),
    stored("STARTED", 1.2, { result: { pid: 99, hostname: "celery@here" } }),
    stored("SUCCESS", 6.2, { result: 8 }),
    succeeded(6.2),
  );
  expect(record).toMatchObject({
    name: "tasks.add",
    state: "SUCCESS",
    args: [4, 4],
    result: 8,
    retries: 0,
    starts: 1,
    worker: "celery@here",
    pid: 99,
    runtime: 5.2,
    queue: "celery",
    sentAt: 1000,
    startedAt: 1200,
    finishedAt: 6200,
  });
});

const STORY: readonly News[] = [
  sent(1),
  received(1.1),
  started(1.2),
  stored("RETRY", 1.3, { error: { type: "UpstreamError", message: "refused" } }),
  retried(1.3),
  sent(1.3, 1),
  received(1.4, 1),
  started(3.4),
  stored("SUCCESS", 3.5, { result: 8 }),
  succeeded(3.5),
];

test("given a story of a retry, when any part of it is missed, comes twice or comes late, then the end is the same", {
  timeout: 60_000,
}, () => {
  const order = fc.array(fc.nat(STORY.length - 1), { minLength: 0, maxLength: 30 });
  fc.assert(
    fc.property(order, (indexes) => {
      const heard = indexes.map((index) => STORY[index] as News);
      const record = after(...heard, STORY[8] as News);
      expect(record).toMatchObject({ state: "SUCCESS", result: 8, error: null, finishedAt: 3500 });
      expect(record.starts).toBeGreaterThanOrEqual(record.retries + 1);
    }),
    { numRuns: 3000 },
  );
});

test("given a story in which every part was heard once, when it is over, then retries and starts are counted once", () => {
  expect(after(...STORY)).toMatchObject({ retries: 1, starts: 2, startedAt: 3400, error: null });
});

test("given only results, as from a worker without events, when the task is over, then retries and starts are known", () => {
  const failure = { type: "UpstreamError", message: "refused" };
  const record = after(
    stored("STARTED", 1, { result: { pid: 9, hostname: "w@x" } }),
    stored("RETRY", 2, { error: failure }),
    stored("STARTED", 3),
    stored("FAILURE", 4, { error: failure }),
  );
  expect(record).toMatchObject({
    name: null,
    state: "FAILURE",
    error: failure,
    retries: 1,
    starts: 2,
    worker: "w@x",
    pid: 9,
  });
});

test("given only events, as of a task without results, when it is over, then the result is read from its repr", () => {
  expect(after(received(1), started(2), succeeded(3))).toMatchObject({ state: "SUCCESS", result: 8 });
  expect(after(started(2), failed(3))).toMatchObject({
    state: "FAILURE",
    error: { type: "ValueError", message: "bad" },
  });
});

test("given a retry that waits, when the state is asked for, then it is RETRY though the next message was received", () => {
  expect(after(started(1), stored("RETRY", 2), retried(2), sent(2, 1), received(2.1, 1))).toMatchObject({
    state: "RETRY",
    retries: 1,
    starts: 1,
    finishedAt: null,
  });
});

test("given a task that succeeded, when late news of its start comes, then it has succeeded all the same", () => {
  expect(
    after(stored("SUCCESS", 5, { result: 8 }), started(4), received(3), stored("STARTED", 6)).state,
  ).toBe("SUCCESS");
});

test("given a task that failed, when its message came back and runs again, then it is running", () => {
  expect(after(started(1), failed(2), started(3))).toMatchObject({
    state: "STARTED",
    finishedAt: null,
    starts: 2,
  });
});

test("given a state of the task's own, when it is stored, then it is seen with its meta", () => {
  expect(after(started(1), stored("PROGRESS", 2, { result: { done: 1 } }))).toMatchObject({
    state: "PROGRESS",
    result: { done: 1 },
  });
});

test("given a revoked and a rejected task, when they are heard of, then they are over", () => {
  const revoked: TaskEvent = {
    ...common,
    type: "task-revoked",
    timestamp: 2,
    terminated: false,
    signum: null,
    expired: true,
  };
  const rejected: TaskEvent = { ...common, type: "task-rejected", timestamp: 2, requeue: false };
  expect(after(received(1), revoked)).toMatchObject({ state: "REVOKED", finishedAt: 2000, starts: 0 });
  expect(after(received(1), rejected)).toMatchObject({ state: "REJECTED" });
});

test("given arguments that no list can be made of, when the task is sent, then they are unknown and not wrong", () => {
  const event = { ...sent(1), args: "(<Thing at 0x1>,)", eta: "2026-11-21T10:00:00+00:00" } as TaskEvent;
  expect(after(event)).toMatchObject({ args: null, eta: Date.parse("2026-11-21T10:00:00Z") });
});

test("given a state that is read again and again, when nothing changed, then nothing is counted twice", () => {
  const failure = { error: { type: "UpstreamError", message: "refused" } };
  const heard = after(started(1), stored("STARTED", 1), stored("RETRY", 2, failure));
  const again = withResult(heard, stored("RETRY", 3, { ...failure, isNotice: false }));
  expect(again).toBe(heard);
  const missed = withResult(again, stored("STARTED", 4, { isNotice: false }));
  expect(missed).toMatchObject({ state: "STARTED", retries: 1, starts: 2 });
});
