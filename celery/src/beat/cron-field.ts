import { ScheduleError } from "./schedule-error.ts";

/** What a crontab field may be: a number, a pattern such as `"*\/15"` or `"mon-fri"`, or a list of numbers. */
export type CronSpec = number | string | Iterable<number>;

/** The values a field can take, both ends included. */
export interface FieldRange {
  readonly name: string;
  readonly min: number;
  readonly max: number;
  /** Added to the error for a number out of range. */
  readonly hint?: string;
}

const monthNames = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const dayNames = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

/**
 * Expands one field to the sorted numbers it matches.
 *
 * Text is a comma list of `*`, `*\/n`, `n`, `a-b` and `a-b/n`; a range whose end lies before its start wraps, and
 * `*\/n` counts from the field's lowest value. Names of days and months count by their first three letters, as in Celery.
 *
 * @throws ScheduleError naming the field and quoting what it could not read.
 * @see celery 5.7.0 schedules.py, `crontab_parser` and `crontab._expand_cronspec`
 */
export function expandField(spec: CronSpec, range: FieldRange): readonly number[] {
  const values = typeof spec === "string" ? parseText(spec, range) : listed(spec, range);
  for (const value of values) checkRange(value, range);
  if (values.length === 0)
    throw new ScheduleError(`crontab ${range.name} is an empty list: it would never run.`);
  return [...new Set(values)].sort((a, b) => a - b);
}

function listed(spec: number | Iterable<number>, range: FieldRange): number[] {
  if (typeof spec === "number") return [spec];
  if (typeof spec === "object" && spec !== null && Symbol.iterator in spec) return [...spec];
  throw new ScheduleError(
    `crontab ${range.name} must be a number, a pattern or a list of numbers, not ${JSON.stringify(spec)}.`,
  );
}

function parseText(text: string, range: FieldRange): number[] {
  return text.split(",").flatMap((part) => parsePart(part.trim(), range));
}

function parsePart(part: string, range: FieldRange): number[] {
  if (part === "") throw new ScheduleError(`crontab ${range.name} has an empty part: check the commas.`);
  const match = /^(?:(?<star>\*)|(?<from>\w+)(?:-(?<to>\w+))?)(?<steps>\/(?<step>\w*))?$/.exec(part);
  const groups = match?.groups;
  if (!groups) throw unreadable(part, range);
  const { star, from, to, steps, step } = groups;
  // "5/2" is refused as in Celery: a step needs a range or a star to walk along.
  if (steps !== undefined && star === undefined && to === undefined) throw unreadable(part, range);
  const first = star === undefined ? toNumber(from ?? "", range) : range.min;
  const last = star === undefined ? toNumber(to ?? from ?? "", range) : range.max;
  const run = numbersBetween(first, last, range);
  return steps === undefined ? run : everyNth(run, step ?? "", part, range);
}

function numbersBetween(first: number, last: number, range: FieldRange): number[] {
  const count = last >= first ? last - first + 1 : range.max - first + 1 + (last - range.min + 1);
  const size = range.max - range.min + 1;
  return Array.from({ length: count }, (_, i) => ((first - range.min + i) % size) + range.min);
}

function everyNth(run: readonly number[], step: string, part: string, range: FieldRange): number[] {
  const n = /^\d+$/.test(step) ? Number(step) : 0;
  if (n < 1)
    throw new ScheduleError(
      `crontab ${range.name} "${part}" needs a whole number of at least 1 after the "/".`,
    );
  return run.filter((_, i) => i % n === 0);
}

function toNumber(text: string, range: FieldRange): number {
  if (/^\d+$/.test(text)) {
    checkRange(Number(text), range);
    return Number(text);
  }
  const short = text.slice(0, 3).toLowerCase();
  const month = monthNames.indexOf(short);
  const value = month >= 0 ? month + 1 : dayNames.indexOf(short);
  if (value < 0) throw unreadable(text, range);
  checkRange(value, range);
  return value;
}

function checkRange(value: number, range: FieldRange): void {
  if (Number.isInteger(value) && value >= range.min && value <= range.max) return;
  const hint = range.hint === undefined ? "" : ` ${range.hint}`;
  throw new ScheduleError(
    `Invalid crontab ${range.name}. Valid range is ${range.min}-${range.max}. '${String(value)}' was found.${hint}`,
  );
}

function unreadable(text: string, range: FieldRange): ScheduleError {
  return new ScheduleError(
    `crontab ${range.name} cannot be read: "${text}". Write a number, "*", "*/15", "1-5", "mon-fri", "8-18/2" or a comma list of these.`,
  );
}
