import { EventEmitter } from "node:events";
import { expect, test } from "vitest";
import type { ConsumerEvents } from "../transport/transport.ts";
import { celeryTry, patienceSeconds, type ReconnectSettings, watchOutage } from "./outage.ts";

const FAULT = new Error("away");

function settings(changes: Partial<ReconnectSettings>): ReconnectSettings {
  return {
    broker_connection_retry: true,
    broker_connection_retry_on_startup: null,
    broker_connection_max_retries: 100,
    ...changes,
  };
}

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
  const tooLong = watchOutage(events, settings({ broker_connection_max_retries: 3 }), {
    monotonicMs: () => nowMs,
  });
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
  const tooLong = watchOutage(events, settings({ broker_connection_max_retries: null }), {
    monotonicMs: () => nowMs,
  });

  events.emit("reconnecting", 2, 1, FAULT);
  nowMs = 1e9;
  events.emit("reconnecting", 2, 2, FAULT);

  expect(tooLong.aborted).toBe(false);
});

test.each([
  { seconds: 0, number: 1 },
  { seconds: 1.9, number: 1 },
  { seconds: 2, number: 2 },
  { seconds: 6, number: 3 },
  { seconds: 272, number: 17 },
  { seconds: 272 + 32, number: 18 },
])("given $seconds s away, when Celery would count, then it is at try $number", ({ seconds, number }) => {
  expect(celeryTry(seconds)).toBe(number);
});

test.each<[Partial<ReconnectSettings>, string | undefined, string | undefined]>([
  [{}, undefined, undefined],
  [{ broker_connection_retry: false }, "broker_connection_retry_on_startup", "broker_connection_retry"],
  [{ broker_connection_retry_on_startup: false }, "broker_connection_retry_on_startup", undefined],
  [
    { broker_connection_retry: false, broker_connection_retry_on_startup: true },
    undefined,
    "broker_connection_retry",
  ],
])(
  "given %o, when the broker is away at the start or later, then it is given up or waited for",
  (changes, atStart, later) => {
    const clock = { monotonicMs: () => 0 };
    const reasonAfter = (...happened: readonly ("connected" | "reconnecting")[]): unknown => {
      const events = new EventEmitter<ConsumerEvents>();
      const tooLong = watchOutage(events, settings(changes), clock);
      for (const event of happened) events.emit(event, 2, 1, FAULT);
      return tooLong.aborted ? (tooLong.reason as Error).message : undefined;
    };

    expect(reasonAfter("reconnecting")).toBe(atStart);
    expect(reasonAfter("connected", "reconnecting")).toBe(later);
  },
);
