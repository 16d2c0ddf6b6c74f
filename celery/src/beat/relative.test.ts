import { describe, expect, test } from "vitest";
import { schedule } from "./schedule.ts";
import { openTimeZone } from "./time-zone.ts";

/** When it runs between two moments, as UTC's clock shows it, each run on time. */
function runsBetween(seconds: number, name: string, from: string, to: string): string[] {
  const [every, zone] = [schedule({ runEvery: seconds, relative: true }), openTimeZone(name)];
  const runs: string[] = [];
  let at = every.nextAfter(Date.parse(from), zone);
  for (; at <= Date.parse(to); at = every.nextAfter(at, zone))
    runs.push(new Date(at).toISOString().slice(5, 16));
  return runs;
}

describe("a relative interval", () => {
  test("given two hours begun at 10:40, when it is rounded, then it ends on the hour, and so do all that follow", () => {
    expect(runsBetween(7200, "UTC", "2026-11-21T10:40:20Z", "2026-11-21T17:00Z")).toEqual([
      "11-21T12:00",
      "11-21T14:00",
      "11-21T16:00",
    ]);
  });

  test("given seconds below a minute, when it is rounded, then it ends on a full second; below a second it is not rounded", () => {
    const zone = openTimeZone("UTC");
    const start = Date.parse("2026-11-21T10:00:00.700Z");

    expect(schedule({ runEvery: 4, relative: true }).nextAfter(start, zone)).toBe(start + 3300);
    expect(schedule({ runEvery: 0.2, relative: true }).nextAfter(start, zone)).toBe(start + 200);
  });

  test.each([
    ["Europe/Berlin", "2026-03-27T12:00Z", ["03-27T23:00", "03-28T23:00", "03-29T22:00"]],
    ["Europe/Berlin", "2026-10-23T12:00Z", ["10-23T22:00", "10-24T22:00", "10-25T23:00"]],
    ["America/New_York", "2026-03-06T12:00Z", ["03-07T05:00", "03-08T05:00", "03-09T04:00"]],
    ["America/New_York", "2026-10-30T12:00Z", ["10-31T04:00", "11-01T04:00", "11-02T05:00"]],
  ])(
    "given a day in %s from %s, when the clocks change, then it still ends at midnight",
    (zone, from, midnights) => {
      const to = new Date(Date.parse(from) + 3 * 86_400_000).toISOString();

      expect(runsBetween(86_400, zone, from, to)).toEqual(midnights);
    },
  );

  test("given an hour through the hour that autumn repeats, when it is rounded, then both passes have their run", () => {
    expect(runsBetween(3600, "Europe/Berlin", "2026-10-24T23:10Z", "2026-10-25T03:00Z")).toEqual([
      "10-25T00:00",
      "10-25T01:00",
      "10-25T02:00",
      "10-25T03:00",
    ]);
  });
});
