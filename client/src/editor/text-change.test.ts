import { expect, test } from "vitest";
import { textChange } from "./text-change.ts";

const apply = (text: string, change: ReturnType<typeof textChange>): string =>
  text.slice(0, change.from) + change.insert + text.slice(change.to);

test("given a line in the middle that changed, when the change is computed, then only that part is replaced", () => {
  expect(textChange("one\ntwo\nthree", "one\n2\nthree")).toEqual({ from: 4, to: 7, insert: "2" });
});

test.each([
  ["", "abc"],
  ["abc", ""],
  ["aaa", "aa"],
  ["aa", "aaa"],
  ["same", "same"],
  ["abcabc", "abc"],
  ["x", "y"],
])("given %j and %j, when the change is applied, then the one becomes the other", (before, after) => {
  expect(apply(before, textChange(before, after))).toBe(after);
});
