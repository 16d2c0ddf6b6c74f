import { DAY_MS, HOUR_MS, MINUTE_MS, type TimeZone } from "./time-zone.ts";

/**
 * When an interval that is rounded to the clock ends: to the minute for intervals of a minute and more, to the hour or to midnight
 * for longer ones, to the second below. `86400` relative is every midnight, `7200` relative every second full hour after the last run.
 *
 * @returns epoch milliseconds, always after `startMs`.
 * @see celery 5.7.0 utils/time.py, `remaining` with `relative=True`
 */
export function relativeEnd(startMs: number, intervalMs: number, zone: TimeZone): number {
  const end =
    intervalMs >= DAY_MS
      ? dayEnd(startMs, intervalMs, zone)
      : shortEnd(startMs, intervalMs, zone, resolutionOf(intervalMs));
  // An interval of less than a second, rounded down, would end where it began.
  return end > startMs ? end : startMs + intervalMs;
}

function resolutionOf(intervalMs: number): number {
  if (intervalMs >= HOUR_MS) return HOUR_MS;
  return intervalMs >= MINUTE_MS ? MINUTE_MS : 1000;
}

/** Whole days are days of the calendar: 23 or 25 hours long when the clocks change. */
function dayEnd(startMs: number, intervalMs: number, zone: TimeZone): number {
  const wall = zone.wallAt(startMs) + intervalMs;
  const ahead = zone.instantsOf(floor(wall, DAY_MS)).filter((instant) => instant > startMs);
  return ahead.length > 0 ? Math.min(...ahead) : zone.firstInstantOf(wall);
}

function shortEnd(startMs: number, intervalMs: number, zone: TimeZone, resolution: number): number {
  const endMs = startMs + intervalMs;
  const endWall = zone.wallAt(endMs);
  const candidates = zone.instantsOf(floor(endWall, resolution));
  const rounded = latestUntil(endMs, candidates);
  if (rounded > startMs || resolution < MINUTE_MS) return rounded;
  // Clocks that go back by less than the interval can round to before the start: then the next full hour or minute counts.
  const later = [
    ...candidates,
    ...zone.instantsOf(floor(endWall + resolution, resolution)),
    ...zone.instantsOf(floor(zone.wallAt(startMs) + intervalMs, resolution)),
  ].filter((instant) => instant > startMs);
  return later.length === 0 ? endMs : latestUntil(endMs, later);
}

/** The last of them that is not after `endMs`, else the first of all. */
function latestUntil(endMs: number, instants: readonly number[]): number {
  const before = instants.filter((instant) => instant <= endMs);
  return before.length > 0 ? Math.max(...before) : Math.min(...instants);
}

function floor(wall: number, resolution: number): number {
  return Math.floor(wall / resolution) * resolution;
}
