import { type CronSpec, expandField, type FieldRange } from "./cron-field.ts";
import type { Schedule } from "./schedule.ts";
import { ScheduleError } from "./schedule-error.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS, type TimeZone } from "./time-zone.ts";

/** The five fields, each `"*"` when left out. */
export interface CrontabFields {
  readonly minute?: CronSpec;
  readonly hour?: CronSpec;
  /** Sunday is 0. Names such as `"mon-fri"` work too. */
  readonly dayOfWeek?: CronSpec;
  readonly dayOfMonth?: CronSpec;
  readonly monthOfYear?: CronSpec;
}

const ranges = {
  minute: { name: "minute", min: 0, max: 59 },
  hour: { name: "hour", min: 0, max: 23 },
  dayOfWeek: { name: "dayOfWeek", min: 0, max: 6, hint: "Sunday is 0." },
  dayOfMonth: { name: "dayOfMonth", min: 1, max: 31 },
  monthOfYear: { name: "monthOfYear", min: 1, max: 12 },
} as const satisfies Record<string, FieldRange>;

type FieldName = keyof typeof ranges;
const fieldNames: readonly FieldName[] = ["minute", "hour", "dayOfMonth", "monthOfYear", "dayOfWeek"];

/** With the longest February, so that the 29th is allowed. */
const daysInMonth: readonly number[] = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** 29 February on one given weekday comes back after 40 years at the latest. */
const searchDays = 41 * 366;

/**
 * A schedule by the clock on the wall. **All five fields must match**: unlike in cron, a day must satisfy dayOfWeek *and*
 * dayOfMonth.
 *
 * @see celery 5.7.0 schedules.py, `crontab`
 */
export class Crontab implements Schedule {
  /** `minute hour dayOfMonth monthOfYear dayOfWeek`, as in a crontab file. */
  readonly spec: string;
  readonly kind = "crontab";
  readonly #minutes: readonly number[];
  readonly #hours: readonly number[];
  readonly #daysOfWeek: ReadonlySet<number>;
  readonly #daysOfMonth: ReadonlySet<number>;
  readonly #months: ReadonlySet<number>;

  constructor(fields: CrontabFields) {
    refuseUnknownFields(fields);
    const expand = (name: FieldName): readonly number[] => expandField(fields[name] ?? "*", ranges[name]);
    this.#minutes = expand("minute");
    this.#hours = expand("hour");
    this.#daysOfWeek = new Set(expand("dayOfWeek"));
    this.#daysOfMonth = new Set(expand("dayOfMonth"));
    this.#months = new Set(expand("monthOfYear"));
    this.spec = fieldNames.map((name) => specText(fields[name] ?? "*")).join(" ");
    if (
      ![...this.#months].some((month) =>
        [...this.#daysOfMonth].some((day) => day <= (daysInMonth[month - 1] ?? 0)),
      )
    ) {
      throw new ScheduleError(
        `Invalid crontab: dayOfMonth ${specText(fields.dayOfMonth ?? "*")} never occurs in monthOfYear ${specText(fields.monthOfYear ?? "*")}.`,
      );
    }
  }

  /**
   * The first run strictly after `lastRunAtMs`. A time that the clocks skip in spring runs an hour later by the clock, once;
   * a time that comes twice in autumn runs the first time only – except for crontabs of every hour, which go on through
   * the repeated hour.
   *
   * @returns epoch milliseconds.
   */
  nextAfter(lastRunAtMs: number, zone: TimeZone): number {
    const wall = this.#nextWall(zone.wallAt(lastRunAtMs));
    const next = zone.firstInstantOf(wall);
    if (this.matchesEveryHour && next - lastRunAtMs <= DAY_MS)
      return this.#throughRepeatedHour(lastRunAtMs, next, zone);
    return next > lastRunAtMs ? next : this.#pastRepeatedHour(lastRunAtMs, wall, zone);
  }

  /** In the second pass of a repeated hour Celery finds the first pass again and sends without pause; here the next *new* time counts. */
  #pastRepeatedHour(lastRunAtMs: number, startWall: number, zone: TimeZone): number {
    let wall = startWall;
    let next = zone.firstInstantOf(wall);
    while (next <= lastRunAtMs) {
      wall = this.#nextWall(wall);
      next = zone.firstInstantOf(wall);
    }
    return next;
  }

  /** `*\/10` means every ten minutes, also when the clocks are set back: Celery leaves a hole of an hour there. */
  #throughRepeatedHour(lastRunAtMs: number, next: number, zone: TimeZone): number {
    const offset = zone.offsetAt(lastRunAtMs);
    if (next <= lastRunAtMs) return this.#nextWall(lastRunAtMs + offset) - offset;
    const offsetThen = zone.offsetAt(next);
    if (offsetThen >= offset) return next;
    const setBackAt = zone.offsetChangeBetween(lastRunAtMs, next);
    return Math.min(next, this.#nextWall(setBackAt + offsetThen - MINUTE_MS) - offsetThen);
  }

  /** The first matching minute after the minute of `wall`; times of the clock on the wall, in milliseconds as if it were UTC. */
  #nextWall(wall: number): number {
    const afterMinute = Math.floor(wall / MINUTE_MS) * MINUTE_MS + MINUTE_MS;
    let day = Math.floor(afterMinute / DAY_MS) * DAY_MS;
    for (let tried = 0; tried < searchDays; tried++, day += DAY_MS) {
      if (!this.#matchesDay(day)) continue;
      const time = this.#firstTimeFrom(Math.max(0, afterMinute - day));
      if (time !== undefined) return day + time;
    }
    throw new ScheduleError(`Invalid crontab: "${this.spec}" never occurs.`);
  }

  #matchesDay(day: number): boolean {
    const date = new Date(day);
    return (
      this.#months.has(date.getUTCMonth() + 1) &&
      this.#daysOfMonth.has(date.getUTCDate()) &&
      this.#daysOfWeek.has(date.getUTCDay())
    );
  }

  #firstTimeFrom(timeOfDay: number): number | undefined {
    for (const hour of this.#hours) {
      if ((hour + 1) * HOUR_MS <= timeOfDay) continue;
      const minute = this.#minutes.find((m) => hour * HOUR_MS + m * MINUTE_MS >= timeOfDay);
      if (minute !== undefined) return hour * HOUR_MS + minute * MINUTE_MS;
    }
    return undefined;
  }

  get matchesEveryHour(): boolean {
    return this.#hours.length === 24;
  }

  toString(): string {
    return `<crontab: ${this.spec} (m/h/dM/MY/d)>`;
  }
}

/** Makes a {@link Crontab}: `crontab({ hour: 3, minute: 0 })`; `crontab.fromString("0 3 * * *")` takes crontab(5)'s order. */
export interface CrontabMaker {
  (fields?: CrontabFields): Crontab;
  /** Five fields in the order of a crontab file: minute, hour, day of month, month, day of week. */
  fromString(text: string): Crontab;
}

/** Makes a schedule by the clock on the wall, see {@link CrontabMaker}. */
export const crontab: CrontabMaker = Object.assign(
  (fields: CrontabFields = {}): Crontab => new Crontab(fields),
  {
    fromString(text: string): Crontab {
      const parts = text.trim().split(/\s+/);
      if (parts.length !== 5) {
        throw new ScheduleError(
          `A crontab has five fields (minute hour day-of-month month day-of-week), not ${parts.length}: "${text}".`,
        );
      }
      return new Crontab(Object.fromEntries(fieldNames.map((name, i) => [name, parts[i] ?? "*"])));
    },
  },
);

function refuseUnknownFields(fields: CrontabFields): void {
  const unknown = Object.keys(fields).filter((name) => !Object.hasOwn(ranges, name));
  if (unknown.length === 0) return;
  throw new ScheduleError(
    `crontab has no field ${unknown.map((name) => `"${name}"`).join(", ")}. Its fields: ${fieldNames.join(", ")}.`,
  );
}

function specText(spec: CronSpec): string {
  return typeof spec === "string"
    ? spec.replaceAll(" ", "")
    : typeof spec === "number"
      ? String(spec)
      : [...spec].join(",");
}
