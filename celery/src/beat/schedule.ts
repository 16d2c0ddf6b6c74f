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

  constructor(seconds: number) {
    if (!Number.isFinite(seconds) || seconds <= 0) {
      throw new ScheduleError(`A schedule of ${String(seconds)} seconds cannot be: write a number above 0.`);
    }
    this.seconds = seconds;
  }

  get spec(): string {
    return String(this.seconds);
  }

  nextAfter(lastRunAtMs: number): number {
    return lastRunAtMs + this.seconds * 1000;
  }

  toString(): string {
    return `<freq: ${humanizeSeconds(this.seconds)}>`;
  }
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
