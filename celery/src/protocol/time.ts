/**
 * Times on the wire are Python's `isoformat`: `2026-11-21T10:03:22.345678+00:00`. We keep milliseconds, and write
 * UTC with its offset.
 */
export function isoFromMs(ms: number): string {
  const text = new Date(ms).toISOString();
  const point = text.length - ".000Z".length;
  const whole = text.slice(0, point);
  return text.endsWith(".000Z") ? `${whole}+00:00` : `${whole}${text.slice(point, -1)}000+00:00`;
}

/** The years that Python's `datetime` has, and so the wire: 1 to 9999. False for what is no number, too. */
export function isTime(ms: number): boolean {
  return ms >= -62_135_596_800_000 && ms < 253_402_300_800_000;
}

const ISO =
  /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):?(\d{2})(?::?(\d{2})(?:[.,](\d{1,9}))?)?)?(Z|[+-]\d{2}:?(?:\d{2})?)?$/i;

/**
 * Milliseconds since the epoch, or `undefined` for what is not ISO 8601.
 *
 * @param timezone read a time without offset there; UTC when not given.
 */
export function msFromIso(text: string, timezone = "UTC"): number | undefined {
  const match = ISO.exec(text.trim());
  if (match === null) return undefined;
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map((part) => Number(part ?? 0));
  const ms = Math.floor(Number(`0.${match[7] ?? "0"}`) * 1000 + 1e-9);
  const wall = Date.UTC(year ?? 0, (month ?? 1) - 1, day, hour, minute, second, ms);
  if (!isSameDay(wall, month, day)) return undefined;
  const offset = match[8];
  return offset === undefined ? wall - offsetAtWall(wall, timezone) : wall - parseOffset(offset);
}

/** `Date.UTC` rolls the 31st of February over; a date that does not exist is not a date. */
function isSameDay(wall: number, month: number | undefined, day: number | undefined): boolean {
  const date = new Date(wall);
  return date.getUTCMonth() + 1 === month && date.getUTCDate() === day;
}

function parseOffset(text: string): number {
  if (text === "Z" || text === "z") return 0;
  const digits = text.slice(1).replace(":", "").padEnd(4, "0");
  const minutes = Number(digits.slice(0, 2)) * 60 + Number(digits.slice(2, 4));
  return (text.startsWith("-") ? -minutes : minutes) * 60_000;
}

/** What a zone's clock shows minus UTC, for a wall-clock reading. Right but for the hour that DST repeats. */
function offsetAtWall(wall: number, timezone: string): number {
  if (timezone === "UTC") return 0;
  const guess = wall - zoneOffset(wall, timezone);
  return zoneOffset(guess, timezone);
}

/** Milliseconds that the zone is ahead of UTC at a moment. */
function zoneOffset(epochMs: number, timezone: string): number {
  const parts = new Intl.DateTimeFormat("en-US", {
    timeZone: timezone,
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    second: "numeric",
  }).formatToParts(epochMs);
  const of = (type: string): number => Number(parts.find((part) => part.type === type)?.value ?? 0);
  const wall = Date.UTC(of("year"), of("month") - 1, of("day"), of("hour"), of("minute"), of("second"));
  return wall - Math.floor(epochMs / 1000) * 1000;
}
