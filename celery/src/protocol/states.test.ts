import { expect, test } from "vitest";
import { isReady } from "./states.ts";

test.each([
  ["SUCCESS", true],
  ["FAILURE", true],
  ["REVOKED", true],
  ["RETRY", false],
  ["PROGRESS", false],
])("given %s, then ready is %s", (state, ready) => {
  expect(isReady(state)).toBe(ready);
});
