import type { CronSpec } from "../../src/beat/cron-field.ts";
import { type CrontabFields, crontab } from "../../src/beat/crontab.ts";
import { dueState, schedule } from "../../src/beat/schedule.ts";
import { openTimeZone, type TimeZone } from "../../src/beat/time-zone.ts";

/** Celery's spelling of a crontab's fields, as the cases have it. */
export type PythonFields = Record<
  "minute" | "hour" | "day_of_week" | "day_of_month" | "month_of_year",
  CronSpec
>;

/** What the real Celery answers about schedules, as make-crontab-cases.py writes it. Times are epoch milliseconds. */
export interface ScheduleCases {
  next: [fields: PythonFields, zone: string, lastMs: number, nextMs: number][];
  due: [
    PythonFields,
    zone: string,
    lastMs: number,
    nowMs: number,
    deadline: number | null,
    isDue: boolean,
    waitMs: number,
  ][];
  relative: [seconds: number, zone: string, lastMs: number, nextMs: number][];
}

/** Cases with our answers, and the same with Celery's. */
export interface Comparison {
  readonly ours: readonly unknown[];
  readonly celerys: readonly unknown[];
}

export function compareNext(cases: ScheduleCases["next"]): Comparison {
  const openZone = zoneOpener();
  const celerys = cases.filter(
    ([fields, name, last, next]) => !touchesRepeatedHour(openZone(name), fromPython(fields), last, next),
  );
  const ours = celerys.map(([fields, name, last]) => {
    const next = crontab(fromPython(fields)).nextAfter(last, openZone(name));
    return [fields, name, last, next];
  });
  return { ours, celerys };
}

export function compareDue(cases: ScheduleCases["due"]): Comparison {
  const openZone = zoneOpener();
  const celerys = cases.filter(([python, name, last, now, , , wait]) => {
    const [zone, fields] = [openZone(name), fromPython(python)];
    return (
      !touchesRepeatedHour(zone, fields, last, now) && !touchesRepeatedHour(zone, fields, now, now + wait)
    );
  });
  const ours = celerys.map(([fields, name, last, now, deadline]) => {
    const zone = openZone(name);
    const entry = crontab(fromPython(fields));
    const { isDue, dueAtMs } = dueState(entry, last, now, { zone, cronStartingDeadlineSeconds: deadline });
    const wait = (isDue ? entry.nextAfter(now, zone) : dueAtMs) - now;
    return [fields, name, last, now, deadline, isDue, wait];
  });
  return { ours, celerys };
}

export function compareRelative(cases: ScheduleCases["relative"]): Comparison {
  const openZone = zoneOpener();
  const ours = cases.map(([seconds, name, last]) => [
    seconds,
    name,
    last,
    schedule({ runEvery: seconds, relative: true }).nextAfter(last, openZone(name)),
  ]);
  return { ours, celerys: cases };
}

/** A formatter is expensive to make, so each zone gets one for all its cases. */
function zoneOpener(): (name: string) => TimeZone {
  const zones = new Map<string, TimeZone>();
  return (name) => {
    const zone = zones.get(name) ?? openTimeZone(name);
    zones.set(name, zone);
    return zone;
  };
}

function fromPython(fields: PythonFields): CrontabFields {
  const {
    minute,
    hour,
    day_of_week: dayOfWeek,
    day_of_month: dayOfMonth,
    month_of_year: monthOfYear,
  } = fields;
  return { minute, hour, dayOfWeek, dayOfMonth, monthOfYear };
}

/** The second time that the clocks show this, or a crontab of every hour that goes on through it: where we part from Celery. */
function touchesRepeatedHour(zone: TimeZone, fields: CrontabFields, lastMs: number, nextMs: number): boolean {
  const secondPass =
    zone.firstInstantOf(zone.wallAt(lastMs)) !== lastMs && zone.firstInstantOf(zone.wallAt(lastMs)) < lastMs;
  const everyHour = crontab(fields).matchesEveryHour && zone.offsetAt(nextMs) < zone.offsetAt(lastMs);
  return secondPass || everyHour;
}
