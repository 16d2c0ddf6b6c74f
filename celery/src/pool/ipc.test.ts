import { expect, test } from "vitest";
import { aRequest } from "../../test/support/builders.ts";
import type { Outcome } from "../execution/outcome.ts";
import type { TaskRequest } from "../execution/request.ts";
import { decodeVerbatim, encodeJson } from "../protocol/json.ts";
import { type FromChild, readFromChild, readToChild, writeFromChild, writeToChild } from "./ipc.ts";

const BODY = '[[2.0, {"__type__": "decimal", "__value__": "1.10"}], {"index": 0}, {}]';
const CHORD = '{"task": "t", "args": [2.0]}';

/** The request as the child gets it. */
function cross(request: TaskRequest): TaskRequest {
  const told = readToChild(writeToChild({ type: "run", job: 7, by: 1.5, request }));
  if (told.type !== "run") throw new Error(`a run came as ${told.type}`);
  expect([told.job, told.by]).toEqual([7, 1.5]);
  return told.request;
}

/** Of each field what no other task has. */
const UNUSUAL: Required<Omit<TaskRequest, "bodyText">> = {
  id: "an-id",
  task: "tasks.other",
  args: [1],
  kwargs: { a: 1 },
  retries: 3,
  rootId: "a-root",
  parentId: "a-parent",
  eta: "2026-11-21T00:00:00+00:00",
  expires: "2026-11-22T00:00:00+00:00",
  origin: "gen1@there",
  hostname: "celery@there",
  deliveryInfo: { exchange: "x", routingKey: "k", redelivered: true, priority: 6 },
  redelivered: true,
  timeLimit: [20, 10],
  ignoreResult: true,
  headers: { mine: 1 },
  calledDirectly: true,
  isEager: true,
  group: "a-group",
  groupIndex: 0,
  chord: { task: "t" },
  chain: [{ task: "t" }],
  callbacks: [{ task: "t" }],
  errbacks: [{ task: "t" }],
  replacedTaskNesting: 2,
  stampedHeaders: ["mine"],
  stamps: { mine: [1] },
  hardLimitSeconds: 20,
  softLimitSeconds: 10,
};

test("given a task that has nothing unusual, when it crosses to its process, then it is told all the same about itself", () => {
  const request = aRequest({ task: "tasks.add", args: [1, 2] });
  expect(cross(request)).toEqual(request);
});

test.each(Object.entries(UNUSUAL))(
  "given a task that differs from others by %s alone, when it crosses to its process, then it is told so",
  (field, value) => {
    const request = aRequest({ [field]: value });
    expect(cross(request)).toEqual(request);
  },
);

const SUCCESS: Outcome = {
  state: "SUCCESS",
  resultJson: '"\u00e9"',
  resultRepr: "'é'",
  runtimeSeconds: 0.25,
};
const done = { type: "done", job: 3, written: { stdout: 5, stderr: 6 }, worn: false } as const;

test.each<FromChild>([
  { type: "ready" },
  { type: "started", job: 3 },
  { type: "givenBack", jobs: [3, 4] },
  { ...done, outcome: SUCCESS },
  { ...done, outcome: SUCCESS, worn: true },
  { ...done, outcome: { ...SUCCESS, children: [[["child", null], null]] } },
  { ...done, outcome: { state: "IGNORED", runtimeSeconds: 0.25 } },
])("given %j, when a process tells it, then the worker hears it", (message) => {
  expect(readFromChild(writeFromChild(message))).toEqual(message);
});

test("given numbers that JavaScript cannot tell apart, when a task crosses to its process, then it gets its own, and what goes on from there is as it came", () => {
  const given = { bodyText: BODY, chord: decodeVerbatim(CHORD), headers: { rate: decodeVerbatim("5.0") } };
  const request = cross(aRequest({ task: "tasks.mine", ...given }));
  expect(request).toMatchObject({ args: [2, "1.10"], headers: { rate: 5 } });
  expect(encodeJson(request.chord)).toBe(CHORD);
});

test("given a task of Celery's own that only gives on what it gets, when it crosses, then its arguments are as they came", () => {
  const { args, kwargs } = cross(aRequest({ task: "celery.accumulate", bodyText: BODY }));
  expect(encodeJson([args, kwargs, {}])).toBe(BODY);
});
