import { expect, test } from "vitest";
import { countRed, isHintOffered, NO_HINT_WATCH, watchCheck } from "./hints.ts";

test("given a check that stays red for 90 seconds, when time passes, then its hint is offered", () => {
  const watch = watchCheck(NO_HINT_WATCH, "online", 1_000);

  expect(isHintOffered(watch, "online", 90_999)).toBe(false);
  expect(isHintOffered(watch, "online", 91_000)).toBe(true);
});

test("given three tries that end red, when the third ends, then the hint is offered at once", () => {
  const watch = [1, 2, 3].reduce(countRed, watchCheck(NO_HINT_WATCH, "online", 0));

  expect(isHintOffered(watch, "online", 1)).toBe(true);
});

test("given another check becomes the current one, when it does, then the watch starts anew", () => {
  const tired = [1, 2, 3].reduce(countRed, watchCheck(NO_HINT_WATCH, "online", 0));

  const watch = watchCheck(tired, "sent", 5);

  expect(watch).toEqual({ check: "sent", since: 5, reds: 0 });
  expect(isHintOffered(watch, "online", 100_000)).toBe(false);
});

test("given the same check again, when checks come in, then the time goes on counting", () => {
  const watch = watchCheck(NO_HINT_WATCH, "online", 0);

  expect(watchCheck(watch, "online", 50)).toBe(watch);
});

test("given all checks green, when a step ends, then nothing is counted", () => {
  expect(countRed(NO_HINT_WATCH)).toBe(NO_HINT_WATCH);
});
