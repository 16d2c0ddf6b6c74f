import { relativeEnd } from "./relative.ts";
import { ScheduleError } from "./schedule-error.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS, type TimeZone } from "./time-zone.ts";

/** When an entry runs. Times are epoch milliseconds. */
export interface Schedule {
  readonly kind: "interval" | "crontab";
  /** Tells two schedules apart and is what the schedule file shows: `"86400"`, `"0 3 * * *"`. */
  readonly spec: string;
  /** The first due time strictly after `lastRunAtMs`. */
  nextAfter(lastRunAtMs: number, zone: TimeZone): number;
  toString(): string;
}

/**
 * Every so many seconds, counted from the last run.
 *
 * @see celery 5.7.0 schedules.py, `schedule`
 */
export class Interval implements Schedule {
  readonly kind = "interval";
  readonly seconds: number;
  readonly relative: boolean;

  /** @param relative rounds the end to the clock: to midnight, the full hour or the full minute, by the length. */
  constructor(seconds: number, relative = false) {
    if (!Number.isFinite(seconds) || seconds <= 0) {
      throw new ScheduleError(`A schedule of ${String(seconds)} seconds cannot be: write a number above 0.`);
    }
    this.seconds = seconds;
    this.relative = relative;
  }

  get spec(): string {
    return this.relative ? `${this.seconds} relative` : String(this.seconds);
  }

  nextAfter(lastRunAtMs: number, zone: TimeZone): number {
    const intervalMs = this.seconds * 1000;
    return this.relative ? relativeEnd(lastRunAtMs, intervalMs, zone) : lastRunAtMs + intervalMs;
  }

  toString(): string {
    return `<freq: ${humanizeSeconds(this.seconds)}>`;
  }
}

/**
 * An interval that may be rounded to the clock: `schedule({ runEvery: 3600, relative: true })` runs on the hour. Without
 * `relative` it is the number alone.
 *
 * @param options.runEvery seconds.
 * @throws ScheduleError for a number that is not above 0.
 */
export function schedule(options: { readonly runEvery: number; readonly relative?: boolean }): Interval {
  return new Interval(options.runEvery, options.relative ?? false);
}

/**
 * Celery's schedules by the sun are not here: they need an astronomical library.
 *
 * @throws ScheduleError always, with what to do instead.
 */
export function solar(event: string, _latitude: number, _longitude: number): never {
  throw new ScheduleError(
    `solar(${JSON.stringify(event)}, …) is not supported: schedules by the sun need an astronomical library. ` +
      "Use crontab({ hour, minute }), or run Python's celery beat beside these workers: both read the same queues.",
  );
}

export interface DueState {
  readonly isDue: boolean;
  /** The time that makes it due, or the time to look again. */
  readonly dueAtMs: number;
}

export interface DueRules {
  readonly zone: TimeZone;
  /** `beat_cron_starting_deadline`: a crontab run missed by more than this many seconds is not made up for. */
  readonly cronStartingDeadlineSeconds: number | null;
}

/**
 * Whether an entry that ran at `lastRunAtMs` is due. After a pause of any length a schedule is due once, not once for
 * every time it missed.
 *
 * @see celery 5.7.0 schedules.py, `schedule.is_due` and `crontab.is_due`
 */
export function dueState(schedule: Schedule, lastRunAtMs: number, nowMs: number, rules: DueRules): DueState {
  const dueAtMs = schedule.nextAfter(lastRunAtMs, rules.zone);
  if (dueAtMs > nowMs) return { isDue: false, dueAtMs };
  const deadline = rules.cronStartingDeadlineSeconds;
  if (schedule.kind === "crontab" && deadline !== null && dueAtMs < nowMs) {
    // One millisecond earlier, so that a run exactly at the deadline still counts.
    const latest = schedule.nextAfter(nowMs - deadline * 1000 - 1, rules.zone);
    if (latest > nowMs) return { isDue: false, dueAtMs: latest };
  }
  return { isDue: true, dueAtMs };
}

/** `300` → `"5.00 minutes"`, as Celery writes it in Beat's banner. */
export function humanizeSeconds(seconds: number): string {
  const units = [
    ["day", DAY_MS / 1000],
    ["hour", HOUR_MS / 1000],
    ["minute", MINUTE_MS / 1000],
    ["second", 1],
  ] as const;
  const rounded = Number(seconds.toFixed(2));
  for (const [unit, size] of units) {
    if (rounded < size) continue;
    const count = rounded / size;
    return `${count.toFixed(2)} ${unit}${count === 1 ? "" : "s"}`;
  }
  return "now";
}
