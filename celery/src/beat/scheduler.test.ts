import { afterEach, describe, expect, test } from "vitest";
import { crontab } from "./crontab.ts";
import type { Entry } from "./entry.ts";
import { Interval, type Schedule } from "./schedule.ts";
import { Scheduler } from "./scheduler.ts";
import { openTimeZone } from "./time-zone.ts";

const start = Date.parse("2026-11-21T10:00:00Z");
const rules = { zone: openTimeZone("UTC"), cronStartingDeadlineSeconds: null };
const HOUR = 3_600_000;

const anEntry = (name: string, schedule: Schedule, lastRunAtMs = start): Entry => ({
  name,
  task: `tasks.${name}`,
  schedule,
  args: [],
  options: {},
  lastRunAtMs,
  totalRunCount: 0,
});

const faults: string[] = [];
afterEach(() => expect(faults.splice(0)).toEqual([]));

const aScheduler = (entries: Entry[], nowMs = start, deadline: number | null = null): Scheduler =>
  new Scheduler(entries, nowMs, {
    rules: { ...rules, cronStartingDeadlineSeconds: deadline },
    maxIntervalMs: 300_000,
    onFault: (entry, error) => faults.push(`${entry.name}: ${String(error)}`),
  });

/** Sends whatever is due at `nowMs` and says what it was. */
function sendDue(scheduler: Scheduler, nowMs: number): string[] {
  const sent: string[] = [];
  for (let tick = scheduler.tick(nowMs); tick.kind === "due"; tick = scheduler.tick(nowMs)) {
    sent.push(tick.entry.name);
    scheduler.advance(tick.entry.name, nowMs);
  }
  return sent;
}

describe("intervals", () => {
  test("given a new entry every 30 seconds, when Beat starts, then the first run comes after 30 seconds", () => {
    const scheduler = aScheduler([anEntry("clean", new Interval(30))]);

    expect(scheduler.tick(start)).toEqual({ kind: "wait", ms: 30_000 });
    expect(scheduler.tick(start + 29_999)).toEqual({ kind: "wait", ms: 1 });
    expect(sendDue(scheduler, start + 30_000)).toEqual(["clean"]);
  });

  test("given a run sent 4 seconds late, when the next is due, then it is one interval after the sending", () => {
    const scheduler = aScheduler([anEntry("clean", new Interval(30))]);

    sendDue(scheduler, start + 34_000);

    expect(scheduler.tick(start + 34_000)).toEqual({ kind: "wait", ms: 30_000 });
  });

  test("given three days of downtime, when Beat comes back, then each entry runs once, not once for every missed time", () => {
    const lastRun = start - 72 * HOUR;
    const scheduler = aScheduler([
      anEntry("clean", new Interval(60), lastRun),
      anEntry("nightly", crontab({ hour: 3, minute: 0 }), lastRun),
    ]);

    expect(sendDue(scheduler, start).sort()).toEqual(["clean", "nightly"]);
    expect(scheduler.entries.map((entry) => entry.totalRunCount)).toEqual([1, 1]);
  });
});

describe("crontabs", () => {
  test("given a starting deadline of an hour, when the night's run was missed by seven, then it is left out and the next night's comes", () => {
    const scheduler = aScheduler(
      [anEntry("nightly", crontab({ hour: 3, minute: 0 }), start - 24 * HOUR)],
      start,
      3600,
    );

    expect(sendDue(scheduler, start)).toEqual([]);
    expect(sendDue(scheduler, start + 17 * HOUR)).toEqual(["nightly"]);
  });

  test("given a clock set back by an hour after the run, when the hour passes again, then it does not run again", () => {
    const scheduler = aScheduler([anEntry("daily", crontab({ hour: 10, minute: 30 }))]);
    sendDue(scheduler, start + HOUR / 2);

    expect(scheduler.tick(start - HOUR / 2).kind).toBe("wait");
    expect(sendDue(scheduler, start + HOUR / 2)).toEqual([]);
  });
});

describe("the order of things", () => {
  test("given several due entries, when ticking, then one is due at a time, the longest waiting first", () => {
    const scheduler = aScheduler([
      anEntry("b", new Interval(20)),
      anEntry("a", new Interval(10)),
      anEntry("c", new Interval(30)),
    ]);

    expect(sendDue(scheduler, start + 31_000)).toEqual(["a", "b", "c"]);
  });

  test("given an entry that was not reported as sent, when ticking again, then it is still due", () => {
    const scheduler = aScheduler([anEntry("a", new Interval(10))]);

    expect(scheduler.tick(start + 11_000)).toMatchObject({ kind: "due", dueAtMs: start + 10_000 });
    expect(scheduler.tick(start + 12_000)).toMatchObject({ kind: "due", dueAtMs: start + 10_000 });
  });

  test("given nothing due for a day, or nothing at all, when ticking, then it waits for the longest interval only", () => {
    expect(aScheduler([anEntry("a", new Interval(86_400))]).tick(start)).toEqual({
      kind: "wait",
      ms: 300_000,
    });
    expect(aScheduler([]).tick(start)).toEqual({ kind: "wait", ms: 300_000 });
  });
});

test("given a schedule of somebody's that throws, when ticking, then it is told, the others run, and its turn comes after the longest interval", () => {
  const broken: Schedule = {
    kind: "interval",
    spec: "broken",
    nextAfter: (last) => {
      if (last === start) throw new Error("no such holiday");
      return last + 60_000;
    },
  };
  const scheduler = aScheduler([anEntry("broken", broken), anEntry("clean", new Interval(30))]);
  expect(faults.splice(0)).toEqual(["broken: Error: no such holiday"]);

  expect(sendDue(scheduler, start + 31_000)).toEqual(["clean"]);
  expect(sendDue(scheduler, start + 299_000)).toEqual(["clean"]);
  expect(faults).toEqual([]);
  expect(sendDue(scheduler, start + 301_000)).toEqual([]);
  expect(faults.splice(0)).toEqual(["broken: Error: no such holiday"]);
});
