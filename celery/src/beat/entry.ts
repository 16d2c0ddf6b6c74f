import type { BeatEntry, ScheduleObject } from "../app/conf-values.ts";
import { SEND_OPTIONS } from "../app/router.ts";
import type { ApplyOptions } from "../app/types.ts";
import { Interval, type Schedule } from "./schedule.ts";
import { ScheduleError } from "./schedule-error.ts";

/** One entry of `beat_schedule`, with what is remembered of its runs. */
export interface Entry {
  readonly name: string;
  readonly task: string;
  readonly schedule: Schedule;
  readonly args: readonly unknown[];
  /** With `kwargs`. */
  readonly options: ApplyOptions;
  /** The moment of the last sending, or of the entry's first being seen: an interval's first run comes one interval later. */
  readonly lastRunAtMs: number;
  readonly totalRunCount: number;
}

/** An entry as configured, before anything is known of its runs. */
export type ConfiguredEntry = Omit<Entry, "lastRunAtMs" | "totalRunCount">;

/**
 * The entries of `beat_schedule` that are switched on.
 *
 * @throws ScheduleError when a schedule is neither a number of seconds nor what `crontab(...)` returns, or an option is not one of
 *   `applyAsync`; every fault is named.
 */
export function readEntries(beatSchedule: Readonly<Record<string, BeatEntry>>): readonly ConfiguredEntry[] {
  const faults: string[] = [];
  const entries = Object.entries(beatSchedule)
    .filter(([, entry]) => entry.enabled)
    .map(([name, { task, schedule, relative, args, kwargs, options }]) => {
      const at = (path: string): string => `beat_schedule["${name}"].${path}`;
      faults.push(
        ...unknownOptions(options).map(
          (option) => `${at("options")} has no "${option}". It may have ${knownOptions.join(", ")}.`,
        ),
      );
      const known = Object.fromEntries(
        Object.entries(options).map(([option, value]) => [camelCase(option), value]),
      );
      return {
        name,
        task,
        schedule: toSchedule(at("schedule"), schedule, { relative, faults }),
        args,
        options: { ...known, kwargs },
      };
    });
  if (faults.length > 0) throw new ScheduleError(faults.join("\n"));
  return entries;
}

/** Those of `applyAsync` but for a task id, which would be the same each time, and `retry`: Beat tries until Redis is back. */
const knownOptions: readonly string[] = [
  ...SEND_OPTIONS,
  "countdown",
  "eta",
  "expires",
  "ignoreResult",
  "timeLimit",
  "softTimeLimit",
  "shadow",
  "headers",
  "link",
  "linkError",
  "argsRepr",
  "kwargsRepr",
  "replyTo",
] satisfies (keyof ApplyOptions)[];

function unknownOptions(options: Readonly<Record<string, unknown>>): readonly string[] {
  return Object.keys(options).filter((option) => !knownOptions.includes(camelCase(option)));
}

/** Schedules copied from Python say `ignore_result`. */
function camelCase(option: string): string {
  return option.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

function toSchedule(
  path: string,
  given: number | ScheduleObject,
  { relative, faults }: { relative: boolean; faults: string[] },
): Schedule {
  if (typeof given === "number") return new Interval(given, relative);
  // By shape and not by class, so that an app that was loaded through another copy of this library is understood.
  if (!("nextAfter" in given && "spec" in given)) {
    faults.push(
      `${path} is neither a number of seconds nor what crontab({ hour: 3, minute: 0 }) or schedule({ runEvery: 60 }) returns.`,
    );
  }
  return given as Schedule;
}
