import { expect, test } from "vitest";
import { findAddedLines } from "./diff-lines.ts";

test("given an applied diff, when its added lines are looked for, then the first run of them is found", () => {
  const diff = " one\n-two\n+2\n+2b\n three\n+four\n";

  expect(findAddedLines("one\n2\n2b\nthree\nfour\n", diff)).toEqual({ from: 2, to: 3 });
});

test("given added lines that begin with an empty one, when they are looked for, then the first with text counts", () => {
  expect(findAddedLines("a\n\nb\n", " a\n+\n+b\n")).toEqual({ from: 3, to: 3 });
});

test.each([
  ["a diff that only removes", "a\n", " a\n-b\n"],
  ["a diff that is not applied", "a\n", " a\n+b\n"],
])("given %s, when added lines are looked for, then there are none", (_, text, diff) => {
  expect(findAddedLines(text, diff)).toBeUndefined();
});
