import { expect, test } from "vitest";
import { isRate, ratePerSecond } from "./rate.ts";

test.each([
  ["10/s", 10],
  ["10", 10],
  ["30/m", 0.5],
  ["36/h", 0.01],
  ["0.5/s", 0.5],
  [2, 2],
  ["", 0],
  ["0", 0],
  [0, 0],
  [null, 0],
])("given the rate %j, when it is read, then it is %d starts a second", (limit, rate) => {
  expect(ratePerSecond(limit)).toBeCloseTo(rate);
});

test.each(["fast", "10/d", "10/", "-1/s", "/m"])(
  "given %j, when it is checked, then it is a rate or not as in Celery",
  (limit) => {
    expect(isRate(limit)).toBe(limit === "10/");
  },
);

test("given what is no number, when it is read, then the error quotes it as Python does", () => {
  expect(() => ratePerSecond("fast")).toThrow("could not convert to float: 'fast'");
});
