import { afterEach, expect, test, vi } from "vitest";
import { TimeoutError } from "../protocol/errors.ts";
import { makeDeadline } from "./waiting.ts";

afterEach(() => {
  vi.useRealTimers();
});

test("given a timeout, when it is over, then the signal aborts and says after how long", () => {
  vi.useFakeTimers();
  const limit = makeDeadline({ timeout: 3 }, "Task x");
  vi.advanceTimersByTime(3000);
  expect(limit.signal.reason).toBeInstanceOf(TimeoutError);
  expect(String(limit.signal.reason)).toContain("Task x did not end within 3 seconds.");
});

test.each([Number.POSITIVE_INFINITY, 30 * 86_400])(
  "given a timeout of %s seconds, which no timer holds, when a day has passed, then it still waits",
  (timeout) => {
    vi.useFakeTimers();
    const limit = makeDeadline({ timeout }, "Task x");
    vi.advanceTimersByTime(86_400_000);
    expect(limit.signal.aborted).toBe(false);
    limit.end();
  },
);

test("given a group of thirty, when all wait by one signal, then Node warns of no leak", async () => {
  const warned: string[] = [];
  const onWarning = ({ name }: Error): void => void warned.push(name);
  process.on("warning", onWarning);
  const limit = makeDeadline({ isShared: true }, "Group x");
  for (let member = 0; member < 30; member += 1) limit.signal.addEventListener("abort", () => undefined);
  await new Promise((resolve) => setImmediate(resolve));
  process.off("warning", onWarning);
  expect(warned).toEqual([]);
});
