import { expect, test } from "vitest";
import { TaskError } from "./errors.ts";
import { SoftTimeLimitExceeded } from "./task-signals.ts";
import { celeryError, decodeWireError, formatWireError, toWireError } from "./wire-error.ts";

class UpstreamError extends Error {}

test.each([
  [new TypeError("bad"), { excType: "TypeError", excMessage: ["bad"], excModule: "builtins" }],
  [new Error("boom"), { excType: "Error", excMessage: ["boom"], excModule: "javascript" }],
  [
    new UpstreamError("refused"),
    { excType: "UpstreamError", excMessage: ["refused"], excModule: "javascript" },
  ],
  [new SoftTimeLimitExceeded(), celeryError("SoftTimeLimitExceeded", "SoftTimeLimitExceeded()")],
  ["text", { excType: "Error", excMessage: ["'text'"], excModule: "javascript" }],
  [undefined, { excType: "Error", excMessage: ["None"], excModule: "javascript" }],
])("given %s thrown, when put on the wire, then class, arguments and module are there", (thrown, wire) => {
  expect(toWireError(thrown)).toEqual(wire);
});

test("given the failure of another task, when thrown again, then it keeps its own type", () => {
  const wire = { excType: "ValueError", excMessage: ["boom", 42], excModule: "builtins" };
  expect(toWireError(new TaskError("id", wire, null))).toEqual(wire);
});

test("given an exception with a text for arguments, when decoded, then the text is its only argument", () => {
  expect(decodeWireError({ exc_type: "KeyError", exc_message: "x" })).toEqual({
    excType: "KeyError",
    excMessage: ["x"],
    excModule: "builtins",
  });
  expect(decodeWireError("KeyError")).toBeUndefined();
});

test("given arguments, when shown, then they read as Python's repr", () => {
  expect(formatWireError({ excType: "ValueError", excMessage: ["it's", 1], excModule: "" })).toBe(
    `ValueError("it's", 1)`,
  );
});
