import { expect, test } from "vitest";
import type { Facts, TaskFacts } from "../checks/facts.ts";
import type { ServerMessage } from "../protocol/index.ts";
import { NoticeBoard } from "./notice-board.ts";
import { failedTaskNotice, producerNotice, unknownTaskNotice, workerNotice } from "./notices.ts";

const files = new Set(["tasks.ts"]);
const worker = "celery -A tasks worker --loglevel=info";
const syntaxError = ['/w/tasks.ts:3:1: ERROR: Unexpected "}"'];

function aTask(changes: Partial<TaskFacts>): TaskFacts {
  const nothing = {
    args: null,
    result: null,
    error: null,
    worker: null,
    pid: null,
    runtime: null,
    queue: null,
  };
  const times = { sentAt: null, startedAt: null, finishedAt: null, eta: null };
  return {
    id: "1",
    name: "tasks.add",
    state: "PENDING",
    retries: 0,
    starts: 1,
    ...nothing,
    ...times,
    ...changes,
  };
}

const seen = (...tasks: readonly TaskFacts[]): Facts => ({ tasks }) as unknown as Facts;

const failure = (type: string, message = "no"): Partial<TaskFacts> => ({
  state: "FAILURE",
  error: { type, message },
});

test("given a worker that could not load the learner's file, when it ends, then the notice says where and what to do", () => {
  const notice = workerNotice({ command: worker, exit: 1, lines: syntaxError, files });

  expect(notice).toEqual({
    level: "error",
    text:
      'The worker could not load tasks.ts, line 3: Unexpected "}". ' +
      "Correct that line in the editor, or press Reset for tasks.ts, and start the worker again.",
  });
});

test.each([
  ["Ctrl-C", worker, 130],
  ["kill -9", worker, 137],
  ["SIGTERM", worker, 143],
  ["a good end", worker, 0],
  ["another program", "ls /nowhere", 2],
])("given %s in the worker pane, when it ends, then there is no notice", (_, command, exit) => {
  expect(workerNotice({ command, exit, lines: syntaxError, files })).toBeUndefined();
});

test("given a worker that ended for another reason, when it ends, then the notice points at its last lines", () => {
  expect(workerNotice({ command: worker, exit: 1, lines: ["?"], files })?.text).toContain("Its last lines");
});

test("given a program that found its port taken, when it ends, then the notice names the port and two ways out", () => {
  const lines = ["Error: listen EADDRINUSE: address already in use 127.0.0.1:8000"];

  const text = producerNotice({ command: "tsx api.ts", exit: 1, lines, files })?.text;

  expect(text).toMatch(/^Port 8000 is taken.*Ctrl-C.*run the step again\.$/);
});

test("given a task that no worker knows, when it is seen, then the notice names it until one of that name succeeds", () => {
  const unknown = aTask({ name: "tasks.ad", ...failure("NotRegistered") });

  expect(unknownTaskNotice(seen(unknown))?.text).toContain("a task named tasks.ad, but no worker knows one");
  expect(unknownTaskNotice(seen(unknown, aTask({ name: "tasks.ad", state: "SUCCESS" })))).toBeUndefined();
  expect(unknownTaskNotice(seen(aTask(failure("ValueError"))))).toBeUndefined();
});

test("given a task that failed, when it is seen, then the notice quotes its error and says that the worker goes on", () => {
  const failed = aTask(failure("ZeroDivisionError", "division by zero\nand more"));

  expect(failedTaskNotice(seen(failed))?.text).toMatch(
    /^tasks\.add failed: ZeroDivisionError: division by zero\. The worker/,
  );
  expect(failedTaskNotice(seen(failed, aTask({ state: "SUCCESS" })))).toBeUndefined();
  expect(
    failedTaskNotice(seen(aTask({ state: "RETRY", error: { type: "E", message: "" } }))),
  ).toBeUndefined();
});

test("given a notice, when it is put again or taken away, then only news are told", () => {
  const told: ServerMessage[] = [];
  const board = new NoticeBoard((message) => told.push(message));

  board.put("redis", undefined);
  board.put("redis", { level: "error", text: "down" });
  board.put("redis", { level: "error", text: "down" });
  expect(board.messages()).toEqual([{ type: "notice", id: "redis", level: "error", text: "down" }]);
  board.put("redis", undefined);

  expect(told.map((message) => message.type)).toEqual(["notice", "notice-gone"]);
  expect(board.messages()).toEqual([]);
});
