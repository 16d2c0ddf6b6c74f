import { expect, test } from "vitest";
import { bindingMember, priorityStep, queueKey, queueKeys } from "./keys.ts";

test.each([
  [0, 0],
  [2, 0],
  [3, 3],
  [5, 3],
  [6, 6],
  [9, 9],
  [-1, 0],
  [99, 9],
])("given priority %i, then its list is that of step %i", (priority, step) => {
  expect(priorityStep(priority)).toBe(step);
});

test("given a queue, then its lists have kombu's names", () => {
  expect(queueKeys("q")).toEqual(["q", "q\x06\x163", "q\x06\x166", "q\x06\x169"]);
  expect(queueKey("q", 3)).toBe("q\x06\x163");
  expect(bindingMember("key", "q")).toBe("key\x06\x16\x06\x16q");
});
