import { describe, expect, test } from "vitest";
import type { RawEvent } from "../protocol/event.ts";
import { State } from "./state.ts";

let clock = 0;
const anEvent = (type: string, fields: Readonly<Record<string, unknown>> = {}): RawEvent => ({
  type,
  hostname: "w1@vm",
  utcoffset: 0,
  pid: 7,
  clock: ++clock,
  timestamp: 1000 + clock,
  ...fields,
});

const received = { uuid: "t1", name: "tasks.add", args: "(2, 3)", kwargs: "{}", retries: 0, eta: null };

function fold(...events: readonly RawEvent[]): State {
  const state = new State();
  for (const event of events) state.event(event, 5000);
  return state;
}

describe("a task's life", () => {
  test("given its events in order, when folded, then state, result, worker and client are known", () => {
    const state = fold(
      anEvent("task-sent", { ...received, hostname: "gen1@vm", queue: "celery", exchange: "" }),
      anEvent("task-received", received),
      anEvent("task-started", { uuid: "t1" }),
      anEvent("task-succeeded", { uuid: "t1", result: "5", runtime: 0.5 }),
    );

    const task = state.tasks.get("t1");
    expect(task).toMatchObject({ state: "SUCCESS", worker: "w1@vm", client: "gen1@vm", name: "tasks.add" });
    expect(task?.fields).toMatchObject({ args: "(2, 3)", result: "5", runtime: 0.5, queue: "celery" });
    expect(Object.keys(task?.times ?? {})).toEqual(["sent", "received", "started", "succeeded"]);
    expect([state.eventCount, state.taskCount, state.taskTypes]).toEqual([4, 1, ["tasks.add"]]);
  });

  test("given events that overtook each other, when folded, then the state stays and what only the late one knows is taken", () => {
    const state = fold(
      anEvent("task-succeeded", { uuid: "t1", result: "5", runtime: 0.5 }),
      anEvent("task-received", { ...received, result: "not mine to tell" }),
      anEvent("task-started", { uuid: "t1" }),
      anEvent("task-sent", { ...received, args: "(…)", queue: "celery" }),
    );

    const task = state.tasks.get("t1");
    expect(task?.state).toBe("SUCCESS");
    expect(task?.fields).toMatchObject({
      name: "tasks.add",
      args: "(2, 3)",
      result: "5",
      queue: "celery",
    });
  });

  test("given a retry, when the next run begins, then the state goes on from there", () => {
    const state = fold(
      anEvent("task-received", received),
      anEvent("task-started", { uuid: "t1" }),
      anEvent("task-retried", { uuid: "t1", exception: "KeyError('x')" }),
    );
    expect(state.tasks.get("t1")?.state).toBe("RETRY");

    state.event(anEvent("task-received", { ...received, retries: 1 }), 5000);
    expect(state.tasks.get("t1")?.state).toBe("RECEIVED");
    expect(state.tasks.get("t1")?.fields.retries).toBe(1);
  });

  test("given a state of a task's own making, when told, then it is shown until the task ends", () => {
    const state = fold(
      anEvent("task-started", { uuid: "t1" }),
      anEvent("task-progress", { uuid: "t1", done: 1 }),
    );
    expect(state.tasks.get("t1")?.state).toBe("PROGRESS");

    state.event(anEvent("task-failed", { uuid: "t1", exception: "ValueError('no')" }), 5000);
    expect(state.tasks.get("t1")?.state).toBe("FAILURE");
  });
});

describe("workers", () => {
  test("given heartbeats, when time passes, then a worker is gone after twice its interval", () => {
    const state = new State();
    state.event(anEvent("worker-online", { freq: 2, active: 1, processed: 9, sw_ident: "ts-celery" }), 100);
    state.event(anEvent("worker-online", { hostname: "w2@vm", freq: 60 }), 100);

    expect(state.aliveWorkers(103.9).map(({ hostname }) => hostname)).toEqual(["w1@vm", "w2@vm"]);
    expect(state.aliveWorkers(104).map(({ hostname }) => hostname)).toEqual(["w2@vm"]);
    expect(state.workers.get("w1@vm")).toMatchObject({ active: 1, processed: 9, sw_ident: "ts-celery" });
  });

  test("given a worker that says goodbye, when folded, then it is forgotten; a task event alone makes one known", () => {
    const state = fold(
      anEvent("worker-online", { freq: 2 }),
      anEvent("worker-offline", { freq: 2 }),
      anEvent("task-started", { uuid: "t1", hostname: "w3@vm" }),
    );

    expect([...state.workers.keys()]).toEqual(["w3@vm"]);
  });
});

describe("what is kept", () => {
  test("given more tasks than are kept, when folded, then the oldest are forgotten", () => {
    const state = new State({ maxTasks: 2 });
    for (const uuid of ["a", "b", "c"]) state.event(anEvent("task-started", { uuid }), 5000);

    expect([...state.tasks.keys()]).toEqual(["b", "c"]);
  });

  test("given tasks, when listed by time, then the one heard of last comes first", () => {
    const state = fold(
      anEvent("task-started", { uuid: "a" }),
      anEvent("task-started", { uuid: "b" }),
      anEvent("task-succeeded", { uuid: "a" }),
    );

    expect(state.tasksByTime().map(({ uuid }) => uuid)).toEqual(["a", "b"]);
    state.event(anEvent("task-received", { uuid: "quiet", hostname: "w2@vm", clock: 1 }), 5001);
    expect(state.tasksByTime().map(({ uuid }) => uuid)).toEqual(["quiet", "a", "b"]);
    expect(state.tasksByTime(1)).toHaveLength(1);
    state.clearTasks();
    expect([...state.tasks.keys()]).toEqual(["b", "quiet"]);
  });

  test("given events of no known kind, when folded, then they are counted and change nothing", () => {
    const state = fold(anEvent("payment-refused", { amount: 3 }), anEvent("task-started", {}));

    expect([state.eventCount, state.tasks.size, state.workers.size]).toEqual([2, 0, 0]);
  });
});
