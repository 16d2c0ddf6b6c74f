import { ScheduleError } from "./schedule-error.ts";

export const MINUTE_MS = 60_000;
export const HOUR_MS = 3_600_000;
export const DAY_MS = 86_400_000;

/**
 * The clocks of one IANA time zone. A *wall* time is what such a clock shows, as the milliseconds that would show the same
 * in UTC: arithmetic on it is calendar arithmetic, free of summer time.
 */
export interface TimeZone {
  readonly name: string;
  /** How far the clocks are ahead of UTC at a moment, in milliseconds. */
  offsetAt(epochMs: number): number;
  wallAt(epochMs: number): number;
  /**
   * When the clocks first show `wall`. A time that is skipped in spring counts as if the clocks had not been set
   * yet, which is what Python's `zoneinfo` does.
   */
  firstInstantOf(wall: number): number;
  /** Every moment at which the clocks show `wall`, in order: two in autumn's repeated hour. One for a skipped time, as above. */
  instantsOf(wall: number): readonly number[];
  /** The second at which the offset changes between two moments; the caller knows that it does. */
  offsetChangeBetween(fromMs: number, toMs: number): number;
}

/** @throws ScheduleError for a name that is not in the IANA database. */
export function openTimeZone(name: string): TimeZone {
  const offsetAt = offsetsOf(name);
  return {
    name,
    offsetAt,
    wallAt: (epochMs) => epochMs + offsetAt(epochMs),
    firstInstantOf: (wall) => instantsOf(wall, offsetAt)[0] as number,
    instantsOf: (wall) => instantsOf(wall, offsetAt),
    offsetChangeBetween: (fromMs, toMs) => offsetChangeBetween(fromMs, toMs, offsetAt),
  };
}

type Offsets = (epochMs: number) => number;

function offsetsOf(timeZone: string): Offsets {
  if (timeZone.toUpperCase() === "UTC") return () => 0;
  const formatter = formatterFor(timeZone);
  return (epochMs) => {
    const shown = new Map(formatter.formatToParts(epochMs).map(({ type, value }) => [type, Number(value)]));
    const part = (type: Intl.DateTimeFormatPartTypes): number => shown.get(type) ?? 0;
    const wall = Date.UTC(
      part("year"),
      part("month") - 1,
      part("day"),
      part("hour"),
      part("minute"),
      part("second"),
    );
    return wall - Math.floor(epochMs / 1000) * 1000;
  };
}

function formatterFor(timeZone: string): Intl.DateTimeFormat {
  const number = "numeric";
  const fields = {
    year: number,
    month: number,
    day: number,
    hour: number,
    minute: number,
    second: number,
  } as const;
  try {
    return new Intl.DateTimeFormat("en-US", { timeZone, calendar: "gregory", hourCycle: "h23", ...fields });
  } catch (error) {
    const advice = 'Write a name of the IANA database such as "Europe/Berlin" or "UTC".';
    throw new ScheduleError(`timezone ${JSON.stringify(timeZone)} is not known. ${advice}`, { cause: error });
  }
}

function instantsOf(wall: number, offsetAt: Offsets): readonly number[] {
  const before = offsetAt(wall - DAY_MS);
  const after = offsetAt(wall + DAY_MS);
  if (before === after) return [wall - before];
  const shown = [before, after].map((offset) => ({ offset, at: wall - offset }));
  const real = shown.filter(({ offset, at }) => offsetAt(at) === offset).map(({ at }) => at);
  return real.length > 0 ? real : [wall - before];
}

function offsetChangeBetween(fromMs: number, toMs: number, offsetAt: Offsets): number {
  const offset = offsetAt(fromMs);
  let same = Math.floor(fromMs / 1000);
  let changed = Math.ceil(toMs / 1000);
  while (changed - same > 1) {
    const middle = Math.floor((same + changed) / 2);
    if (offsetAt(middle * 1000) === offset) same = middle;
    else changed = middle;
  }
  return changed * 1000;
}
