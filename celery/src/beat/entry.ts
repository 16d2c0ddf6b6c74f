import type { BeatEntry, ScheduleObject } from "../app/conf-schema.ts";
import { Interval, type Schedule } from "./schedule.ts";
import { ScheduleError } from "./schedule-error.ts";

/** One entry of `beat_schedule`, with what is remembered of its runs. */
export interface Entry {
  readonly name: string;
  readonly task: string;
  readonly schedule: Schedule;
  readonly args: readonly unknown[];
  readonly kwargs: Readonly<Record<string, unknown>>;
  /** Options of `applyAsync`, as written in the configuration. */
  readonly options: Readonly<Record<string, unknown>>;
  /** The moment of the last sending, or of the entry's first being seen: an interval's first run comes one interval later. */
  readonly lastRunAtMs: number;
  readonly totalRunCount: number;
}

/** An entry as configured, before anything is known of its runs. */
export type ConfiguredEntry = Omit<Entry, "lastRunAtMs" | "totalRunCount">;

/**
 * The entries of `beat_schedule` that are switched on.
 *
 * @throws ScheduleError when a schedule is neither a number of seconds nor what `crontab(...)` returns.
 */
export function readEntries(beatSchedule: Readonly<Record<string, BeatEntry>>): readonly ConfiguredEntry[] {
  return Object.entries(beatSchedule)
    .filter(([, entry]) => entry.enabled)
    .map(([name, { task, schedule, args, kwargs, options }]) => {
      return { name, task, schedule: toSchedule(name, schedule), args, kwargs, options };
    });
}

function toSchedule(name: string, given: number | ScheduleObject): Schedule {
  if (typeof given === "number") return new Interval(given);
  // By shape and not by class, so that an app that was loaded through another copy of this library is understood.
  if ("nextAfter" in given && "spec" in given) return given as Schedule;
  throw new ScheduleError(
    `beat_schedule["${name}"].schedule is neither a number of seconds nor crontab({ hour: 3, minute: 0 }).`,
  );
}
