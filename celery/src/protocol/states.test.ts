import { expect, test } from "vitest";
import { isReady, precedence } from "./states.ts";

test("given states that arrive out of order, when compared, then the further one wins as in Celery", () => {
  const states = ["PENDING", "PROGRESS", "STARTED", "SUCCESS", "FAILURE", "RETRY"];
  expect(states.toSorted((a, b) => precedence(a) - precedence(b))).toEqual([
    "SUCCESS",
    "FAILURE",
    "PROGRESS",
    "STARTED",
    "RETRY",
    "PENDING",
  ]);
});

test.each([
  ["SUCCESS", true],
  ["FAILURE", true],
  ["REVOKED", true],
  ["RETRY", false],
  ["PROGRESS", false],
])("given %s, then ready is %s", (state, ready) => {
  expect(isReady(state)).toBe(ready);
});
