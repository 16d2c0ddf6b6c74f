import { expect, test } from "vitest";
import { backoffMs, secondsUntil } from "./connection.ts";

test("given one failure after another, when waits are computed, then they grow by half from 250 ms to 5 s", () => {
  const waits = [0, 1, 2, 3, 20].map((attempt) => backoffMs(attempt, 0.5));

  expect(waits).toEqual([250, 375, 563, 844, 5000]);
});

test("given the two ends of chance, when a wait is computed, then it differs by 30 percent each way", () => {
  expect([backoffMs(20, 0), backoffMs(20, 1)]).toEqual([3500, 6500]);
});

test("given a moment ahead and one behind, when seconds are counted, then they are rounded up and never negative", () => {
  expect([secondsUntil(3100, 1000), secondsUntil(1000, 3000)]).toEqual([3, 0]);
});
