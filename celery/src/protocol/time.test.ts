import { expect, test } from "vitest";
import { isoFromMs, isTime, msFromIso } from "./time.ts";

const utc = (text: string): number => new Date(text).getTime();

test("given a moment, when written, then it is Python's isoformat in UTC", () => {
  expect(isoFromMs(utc("2026-11-21T10:03:22.345Z"))).toBe("2026-11-21T10:03:22.345000+00:00");
  expect(isoFromMs(utc("2026-11-21T10:03:22.000Z"))).toBe("2026-11-21T10:03:22+00:00");
});

test.each([
  ["0001-01-01T00:00:00Z", true],
  ["9999-12-31T23:59:59.999Z", true],
  ["-000001-12-31T23:59:59Z", false],
  ["+010000-01-01T00:00:00Z", false],
])("given %s, then that Python has such a time is %s", (text, expected) => {
  expect(isTime(utc(text))).toBe(expected);
});

test.each([
  ["2026-11-21T10:03:22.345678+00:00", "UTC", "2026-11-21T10:03:22.345Z"],
  ["2026-11-21T10:03:22+02:00", "UTC", "2026-11-21T08:03:22Z"],
  ["2026-11-21T10:03:22-0530", "UTC", "2026-11-21T15:33:22Z"],
  ["2026-11-21T10:03:22Z", "Asia/Kolkata", "2026-11-21T10:03:22Z"],
  ["2026-11-21 10:03", "UTC", "2026-11-21T10:03:00Z"],
  ["2026-11-21", "UTC", "2026-11-21T00:00:00Z"],
  ["2026-07-01T12:00:00", "Europe/Berlin", "2026-07-01T10:00:00Z"],
  ["2026-12-01T12:00:00", "Europe/Berlin", "2026-12-01T11:00:00Z"],
])("given %s read in %s, then it is %s", (text, zone, expected) => {
  expect(msFromIso(text, zone)).toBe(utc(expected));
});

test.each(["", "tomorrow", "2026-13-01T00:00:00", "2026-02-31", "2026-11-21T10", "12345"])(
  "given %s, when read, then it is no time",
  (text) => {
    expect(msFromIso(text)).toBeUndefined();
  },
);
