import { formatPythonString } from "../protocol/python-repr.ts";
import { ControlError } from "./panel.ts";

/**
 * Whether a rate limit can be read: `"10/m"`, `"2/h"`, `"0.5/s"`, a number per second, or null for none.
 *
 * @returns what Celery's answer says is wrong with the number, or undefined.
 * @throws ControlError for a unit that there is not, as Celery's KeyError.
 * @see celery 5.7.0 utils/time.py, `rate`
 */
export function checkRate(limit: string | number | null): string | undefined {
  if (typeof limit !== "string") return undefined;
  const slash = limit.indexOf("/");
  const number = slash < 0 ? limit : limit.slice(0, slash);
  const unit = slash < 0 ? "" : limit.slice(slash + 1);
  // Python looks up the unit before it reads the number.
  if (!["", "s", "m", "h"].includes(unit)) throw new ControlError(`KeyError(${formatPythonString(unit)})`);
  if (number.trim() !== "" && Number.isFinite(Number(number))) return undefined;
  const text = `could not convert string to float: ${formatPythonString(number)}`;
  return `ValueError(${formatPythonString(text)})`;
}
