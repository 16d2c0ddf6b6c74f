import { expect, test } from "vitest";
import { count, durationWords } from "./words.ts";

test.each([
  [0, "0.0 s"],
  [-1, "0.0 s"],
  [0.34, "0.3 s"],
  [9.96, "10 s"],
  [59, "59 s"],
  [65, "1 min 5 s"],
  [120, "2 min"],
  [3600, "1 h"],
  [3780, "1 h 3 min"],
])("given %d seconds, when they are said, then it is %s", (seconds, words) => {
  expect(durationWords(seconds)).toBe(words);
});

test("given one and many, when things are counted, then the word fits the number", () => {
  expect([count(1, "task"), count(3, "task"), count(2, "retry", "retries")]).toEqual([
    "1 task",
    "3 tasks",
    "2 retries",
  ]);
});
