import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { atMost } from "./sleep.ts";

const never = new Promise<never>(() => undefined);

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test("given work that ends in time, when it has ended, then no timer is left that would keep the program", async () => {
  const work = Promise.resolve("done");
  await atMost(5000, work, new AbortController().signal);
  expect(vi.getTimerCount()).toBe(0);
});

test("given work that fails in time, when waited for, then that is the error, and no timer is left", async () => {
  await expect(atMost(5000, Promise.reject(new Error("no")), new AbortController().signal)).rejects.toThrow(
    "no",
  );
  expect(vi.getTimerCount()).toBe(0);
});

test("given work that does not end, when the time is over, then the wait is", async () => {
  const waited = atMost(5000, never, new AbortController().signal);
  await vi.advanceTimersByTimeAsync(5000);
  await waited;
  expect(vi.getTimerCount()).toBe(0);
});

test.each(["before", "while"])(
  "given a signal that aborts %s it is waited, then the wait ends",
  async (when) => {
    const stop = new AbortController();
    if (when === "before") stop.abort();
    const waited = atMost(5000, never, stop.signal);
    stop.abort();
    await waited;
    expect(vi.getTimerCount()).toBe(0);
  },
);
