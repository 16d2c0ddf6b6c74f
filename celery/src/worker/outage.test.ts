import { EventEmitter } from "node:events";
import { expect, test } from "vitest";
import type { ConsumerEvents } from "../transport/transport.ts";
import { patienceSeconds, watchOutage } from "./outage.ts";

const FAULT = new Error("away");

test.each([
  { retries: 0, seconds: 0 },
  { retries: 3, seconds: 2 + 4 + 6 },
  { retries: 100, seconds: 272 + 84 * 32 },
])("given $retries tries, when Celery makes them, then they last $seconds s", ({ retries, seconds }) => {
  expect(patienceSeconds(retries)).toBe(seconds);
});

test("given three tries allowed, when the broker is away for longer than they last, then it is given up", () => {
  const events = new EventEmitter<ConsumerEvents>();
  let nowMs = 0;
  const tooLong = watchOutage(events, 3, { monotonicMs: () => nowMs });
  const tryAt = (seconds: number): boolean => {
    nowMs = seconds * 1000;
    events.emit("reconnecting", 2, 1, FAULT);
    return tooLong.aborted;
  };

  expect([tryAt(0), tryAt(12)]).toEqual([false, false]);
  events.emit("connected");
  expect([tryAt(20), tryAt(32), tryAt(33)]).toEqual([false, false, true]);
});

test("given no limit, when the broker stays away, then it is waited for", () => {
  const events = new EventEmitter<ConsumerEvents>();
  let nowMs = 0;
  const tooLong = watchOutage(events, null, { monotonicMs: () => nowMs });

  events.emit("reconnecting", 2, 1, FAULT);
  nowMs = 1e9;
  events.emit("reconnecting", 2, 2, FAULT);

  expect(tooLong.aborted).toBe(false);
});
