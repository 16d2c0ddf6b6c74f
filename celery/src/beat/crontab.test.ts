import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  compareDue,
  compareNext,
  type PythonFields,
  type ScheduleCases,
} from "../../test/support/schedule-cases.ts";
import { type CronSpec, expandField } from "./cron-field.ts";
import { type CrontabFields, crontab } from "./crontab.ts";
import { openTimeZone, type TimeZone } from "./time-zone.ts";

const cases = JSON.parse(
  readFileSync(new URL("../../test/fixtures/crontab-cases.json", import.meta.url), "utf8"),
) as ScheduleCases & { parse: [field: keyof PythonFields, text: string, values: number[] | null][] };

const ranges = {
  minute: { name: "minute", min: 0, max: 59 },
  hour: { name: "hour", min: 0, max: 23 },
  day_of_week: { name: "dayOfWeek", min: 0, max: 6 },
  day_of_month: { name: "dayOfMonth", min: 1, max: 31 },
  month_of_year: { name: "monthOfYear", min: 1, max: 12 },
};

describe("the real Celery's answers", () => {
  test("given a pattern, when it is parsed, then it matches the numbers that Celery found, or is refused as there", () => {
    const ours = cases.parse.map(([field, text]) => {
      try {
        return [field, text, expandField(text, ranges[field])];
      } catch {
        return [field, text, null];
      }
    });

    expect(ours).toEqual(cases.parse);
  });

  test("given a crontab and its last run, when asked for the next run, then it is the moment that Celery found", () => {
    const { ours, celerys } = compareNext(cases.next);

    expect(ours).toEqual(celerys);
    expect(celerys.length).toBeGreaterThan(cases.next.length * 0.9);
  });

  test("given a last run and a moment, when asked whether it is due, then Celery's answer and its wait come out", () => {
    const { ours, celerys } = compareDue(cases.due);

    expect(ours).toEqual(celerys);
    expect(celerys.length).toBeGreaterThan(cases.due.length * 0.9);
  });
});

const berlin = openTimeZone("Europe/Berlin");
const newYork = openTimeZone("America/New_York");
const at = (text: string): number => Date.parse(text);

/** When it runs between two moments, as UTC's clock shows it. */
function runsBetween(zone: TimeZone, fields: CrontabFields, from: string, to: string): string[] {
  const entry = crontab(fields);
  const runs: string[] = [];
  for (let t = entry.nextAfter(at(from), zone); t < at(to); t = entry.nextAfter(t, zone))
    runs.push(new Date(t).toISOString().slice(11, 16));
  return runs;
}

describe("the nights when the clocks change (times in UTC)", () => {
  const spring = {
    berlin: ["2026-03-28T23:00Z", "2026-03-29T22:00Z"],
    newYork: ["2026-03-08T05:00Z", "2026-03-09T04:00Z"],
  } as const;
  const autumn = {
    berlin: ["2026-10-24T22:00Z", "2026-10-25T23:00Z"],
    newYork: ["2026-11-01T04:00Z", "2026-11-02T05:00Z"],
  } as const;

  test("given 02:30 every night, when the clocks skip it, then it runs once, an hour later by the clock", () => {
    expect(runsBetween(berlin, { hour: 2, minute: 30 }, ...spring.berlin)).toEqual(["01:30"]);
    expect(runsBetween(newYork, { hour: 2, minute: 30 }, ...spring.newYork)).toEqual(["07:30"]);
  });

  test("given a time that the clocks show twice, when the night comes, then it runs once, the first time", () => {
    expect(runsBetween(berlin, { hour: 2, minute: 30 }, ...autumn.berlin)).toEqual(["00:30"]);
    expect(runsBetween(newYork, { hour: 1, minute: 30 }, ...autumn.newYork)).toEqual(["05:30"]);
  });

  test("given every hour, when the clocks change, then a day has 23 runs in spring and 25 in autumn, an hour apart", () => {
    const count = (zone: TimeZone, [from, to]: readonly [string, string]): number =>
      runsBetween(zone, { minute: 0 }, new Date(at(from) - 1).toISOString(), to).length;

    expect([count(berlin, spring.berlin), count(newYork, spring.newYork)]).toEqual([23, 23]);
    expect([count(berlin, autumn.berlin), count(newYork, autumn.newYork)]).toEqual([25, 25]);
  });

  test("given every 20 minutes, when the clocks are set back, then it runs every 20 minutes without a hole", () => {
    const through = (zone: TimeZone, from: string, to: string): string[] =>
      runsBetween(zone, { minute: "*/20" }, from, to);

    expect(through(berlin, "2026-10-24T23:50Z", "2026-10-25T02:10Z")).toEqual([
      "00:00",
      "00:20",
      "00:40",
      "01:00",
      "01:20",
      "01:40",
      "02:00",
    ]);
    expect(through(newYork, "2026-11-01T04:50Z", "2026-11-01T07:10Z")).toEqual([
      "05:00",
      "05:20",
      "05:40",
      "06:00",
      "06:20",
      "06:40",
      "07:00",
    ]);
  });

  test("given a last run in the second pass of the repeated hour, when asked for the next, then it lies ahead (Celery's lies behind)", () => {
    const last = at("2026-10-25T01:10Z");

    expect(crontab({ minute: "*/30" }).nextAfter(last, berlin)).toBe(at("2026-10-25T01:30Z"));
    expect(crontab({ minute: 30, hour: 2 }).nextAfter(last, berlin)).toBe(at("2026-10-26T01:30Z"));
  });
});

describe("what holds for every crontab", () => {
  const field = (min: number, max: number): fc.Arbitrary<CronSpec> =>
    fc.oneof(
      fc.constant("*"),
      fc.integer({ min, max }),
      fc.integer({ min: 1, max }).map((n) => `*/${n}`),
      fc.tuple(fc.integer({ min, max }), fc.integer({ min, max })).map(([a, b]) => `${a}-${b}`),
    );
  const anyCrontab = fc.record({
    minute: field(0, 59),
    hour: field(0, 23),
    dayOfWeek: field(0, 6),
    dayOfMonth: field(1, 28),
    monthOfYear: field(1, 12),
  });
  const anyZone = fc.constantFrom(
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "America/Havana",
  );
  const anyMoment = fc.integer({ min: at("2025-01-01T00:00Z"), max: at("2028-01-01T00:00Z") });

  test("given any moment, when asked for the next run, then it lies after it, on a whole minute", () => {
    fc.assert(
      fc.property(anyCrontab, anyZone, anyMoment, (fields, name, last) => {
        const next = crontab(fields).nextAfter(last, openTimeZone(name));
        expect(next).toBeGreaterThan(last);
        expect(next % 60_000).toBe(0);
      }),
      { numRuns: 300 },
    );
  });

  test("given any moment between a run and the next, when asked again, then the next run is still the same", () => {
    fc.assert(
      fc.property(
        anyCrontab,
        anyZone,
        anyMoment,
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (fields, name, last, share) => {
          const zone = openTimeZone(name);
          const next = crontab(fields).nextAfter(last, zone);
          const between = Math.floor(last + (next - last) * share);
          expect(crontab(fields).nextAfter(between, zone)).toBe(next);
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe("what a person may get wrong", () => {
  test.each([
    [{ dayOfWeek: 7 }, /dayOfWeek.*0-6.*'7'.*Sunday is 0/],
    [{ minute: "every" }, /minute.*"every"/],
    [{ hour: "*/0" }, /hour.*at least 1/],
    [{ minute: [] }, /empty list/],
    [{ minute: 1.5 }, /'1.5'/],
    [{ dayOfMonth: 30, monthOfYear: 2 }, /30 never occurs in monthOfYear 2/],
    [{ day_of_week: 1 } as CrontabFields, /no field "day_of_week".*dayOfWeek/],
  ])("given %j, when it is made, then the error says %s", (fields, message) => {
    expect(() => crontab(fields)).toThrow(message);
  });

  test("given a text of four fields, when it is read, then the error counts them; five are read in crontab's own order", () => {
    expect(() => crontab.fromString("0 3 * *")).toThrow(/five fields.*not 4/);
    expect(crontab.fromString("0 3 1 * mon").spec).toBe(
      crontab({ minute: "0", hour: "3", dayOfMonth: "1", dayOfWeek: "mon" }).spec,
    );
  });

  test("given a timezone that is none, when it is opened, then the error quotes it", () => {
    expect(() => openTimeZone("Europe/Berlim")).toThrow(/"Europe\/Berlim" is not known/);
  });
});
