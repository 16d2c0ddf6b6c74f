import { expect, test } from "vitest";
import { findCodePlace, findTakenPort } from "./pane-failure.ts";

const files = new Set(["tasks.ts", "api.ts"]);

test.each([
  [
    "esbuild behind tsx",
    [
      "node:internal/modules/run_main:123",
      "Error: Transform failed with 1 error:",
      '/home/me/.workspace/03/tasks.ts:3:18: ERROR: Expected ")" but found "return"',
      "    at failureErrorWithLog (/home/me/node_modules/esbuild/lib/main.js:1752:15)",
    ],
    { file: "tasks.ts", line: 3, problem: 'Expected ")" but found "return"' },
  ],
  [
    "our own celery",
    [
      "Error: tasks.ts:16:13 has a syntax error.",
      'SyntaxError: Expected identifier but found "="',
      "Mend that line and start again.",
    ],
    { file: "tasks.ts", line: 16, problem: 'Expected identifier but found "="' },
  ],
  [
    "Node's own type stripping",
    [
      "file:///home/me/.workspace/03/tasks.ts:12",
      "  const x = ;",
      "            ^",
      "SyntaxError: Unexpected token ';'",
    ],
    { file: "tasks.ts", line: 12, problem: "Unexpected token ';'" },
  ],
  [
    "an error while the file is loaded",
    [
      "/home/me/.workspace/07/api.ts:5",
      "app.listenn(8000);",
      "    ^",
      "TypeError: app.listenn is not a function",
      "    at <anonymous> (/home/me/.workspace/07/api.ts:5:5)",
    ],
    { file: "api.ts", line: 5, problem: "app.listenn is not a function" },
  ],
  [
    "an error before its stack",
    ["ReferenceError: nope is not defined", "    at file:///home/me/tasks.ts:7:3"],
    { file: "tasks.ts", line: 7, problem: "nope is not defined" },
  ],
])(
  "given the last words of %s, when they are searched, then file, line and problem are found",
  (_, lines, place) => {
    expect(findCodePlace(lines, files)).toEqual(place);
  },
);

test.each([
  ["nothing", []],
  ["a file that is not the learner's", ["/x/node_modules/celery/dist/worker.js:5", "Error: our own mistake"]],
  ["a place without a problem", ["tasks.ts:3 is a fine line"]],
  ["a file that only ends like one", ["my-tasks.ts:3: ERROR: not this one"]],
])("given %s, when it is searched, then there is no place", (_, lines) => {
  expect(findCodePlace(lines, files)).toBeUndefined();
});

test("given a megabyte without an end, when it is searched, then that takes no time", () => {
  const started = performance.now();

  findCodePlace(["tasks.ts:".repeat(120_000), `${" ".repeat(500_000)}Error`, "a.".repeat(500_000)], files);
  findTakenPort([`EADDRINUSE${":".repeat(1_000_000)}`]);

  expect(performance.now() - started).toBeLessThan(500);
});

test.each([
  ["Error: listen EADDRINUSE: address already in use 127.0.0.1:8000", 8000],
  ["Error: listen EADDRINUSE: address already in use :::3000", 3000],
  ["listening on 127.0.0.1:8000", undefined],
])("given %j, when it is searched, then the taken port is %s", (line, port) => {
  expect(findTakenPort(["", line, "  at x"])).toBe(port);
});
