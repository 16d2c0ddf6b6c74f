/** Seconds in the units of a rate. @see celery 5.7.0 utils/time.py, `RATE_MODIFIER_MAP` */
const UNIT_SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600 };

/**
 * Starts per second of `"10/m"`, `"0.5/s"`, `"10"` or `10`; 0 is no limit.
 *
 * @throws RangeError, in Python's words where Python has them, for what is no rate.
 * @see celery 5.7.0 utils/time.py, `rate`
 */
export function ratePerSecond(limit: string | number | null): number {
  if (limit === null || limit === "") return 0;
  const [count, unit] = typeof limit === "number" ? [limit, "s"] : split(limit);
  const seconds = UNIT_SECONDS[unit];
  if (seconds === undefined) throw new RangeError(`there is no unit ${unit}, only s, m and h`);
  if (!Number.isFinite(count) || count < 0) throw new RangeError(`could not convert to float: '${limit}'`);
  return count / seconds;
}

export function isRate(limit: string | number): boolean {
  try {
    ratePerSecond(limit);
    return true;
  } catch {
    return false; // the question was just that
  }
}

function split(limit: string): [count: number, unit: string] {
  const [count = "", unit] = limit.split("/", 2);
  return [count.trim() === "" ? Number.NaN : Number(count), unit || "s"];
}
