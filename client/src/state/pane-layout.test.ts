import { expect, test } from "vitest";
import { clamp, moveBorder, paneShares } from "./pane-layout.ts";

test("given a pane in use, when shares are asked for, then it has half of the height", () => {
  expect(paneShares("worker", null)).toEqual([1, 2, 1]);
});

test("given heights that were dragged, when another pane is used, then they stay", () => {
  expect(paneShares("broker", [3, 1, 1])).toEqual([3, 1, 1]);
});

test("given a border, when it is moved, then only its two neighbours change", () => {
  expect(moveBorder([1, 2, 1], 0, 0.1)).toEqual([0.35, 0.4, 0.25]);
});

test("given a border, when it is moved too far, then both neighbours keep a sliver", () => {
  const moved = moveBorder([1, 2, 1], 1, 0.9);

  expect(moved[2]).toBeCloseTo(0.12);
  expect(moved.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1);
});

test("given a border that does not exist, when it is moved, then nothing changes", () => {
  const shares = [1, 2, 1];

  expect(moveBorder(shares, 2, 0.1)).toBe(shares);
});

test("given bounds that cross, when a size is kept within them, then the least wins", () => {
  expect([clamp(5, 10, 20), clamp(25, 10, 20), clamp(15, 10, 5)]).toEqual([10, 20, 10]);
});
