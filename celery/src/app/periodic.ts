import { InvalidArgument } from "../protocol/errors.ts";
import { formatPython } from "../protocol/python-repr.ts";
import type { ApplyOptions, SignatureLike } from "./call-options.ts";
import type { Conf } from "./conf.ts";
import type { BeatEntryInput, ScheduleObject } from "./conf-values.ts";
import type { AnyTask } from "./types.ts";

/** How a periodic task is called; all but `name`, `args` and `relative` as in `applyAsync`. */
export interface PeriodicOptions extends ApplyOptions {
  /** The entry's name in the schedule. Default: the call as text, `tasks.add(2, 2)`. */
  readonly name?: string;
  /** Of a signature: put before its own. */
  readonly args?: readonly unknown[];
  readonly relative?: boolean;
}

/** What may be sent again and again: a task, a signature (`add.s(2, 2)`), or a task's name. */
export type PeriodicTarget = AnyTask | SignatureLike | string;

/** A signature's own fields, as they are on the wire. */
interface Fields {
  readonly task: string;
  readonly args: readonly unknown[];
  readonly kwargs: Readonly<Record<string, unknown>>;
  readonly options: Readonly<Record<string, unknown>>;
  readonly immutable: boolean;
}

/**
 * Adds an entry to `conf.beat_schedule`.
 *
 * @returns the entry's name.
 * @throws InvalidArgument for what Beat cannot send, and for a second entry of the same name that was not named on purpose.
 * @see celery 5.7.0 app/base.py, `Celery.add_periodic_task`, which lets an unnamed entry replace its twin with a warning
 */
export function addPeriodicTask(
  conf: Conf,
  schedule: number | ScheduleObject,
  target: PeriodicTarget,
  { name, args = [], kwargs = {}, relative = false, ...options }: PeriodicOptions = {},
): string {
  const fields = cloneWith(fieldsOf(target), args, kwargs);
  const key = name ?? describe(fields);
  if (name === undefined && Object.hasOwn(conf.beat_schedule, key)) {
    throw new InvalidArgument(
      `There is a periodic task ${key} already, and this one would replace it. Give one of them a name: addPeriodicTask(…, { name: "…" }).`,
    );
  }
  const entry: BeatEntryInput = {
    task: fields.task,
    schedule,
    relative,
    args: fields.args,
    kwargs: fields.kwargs,
    options: { ...fields.options, ...options },
  };
  conf.update({ beat_schedule: { ...conf.beat_schedule, [key]: entry } });
  return key;
}

function fieldsOf(target: PeriodicTarget): Fields {
  if (typeof target === "string") return named(target);
  // A task is a function with a name.
  if (typeof target === "function") return named((target as { readonly name: string }).name);
  const wire = (
    "toJSON" in target && typeof target.toJSON === "function" ? target.toJSON() : target
  ) as Record<string, unknown>;
  if (typeof wire["task"] !== "string" || wire["task"] === "")
    throw new InvalidArgument(
      "addPeriodicTask(schedule, …) needs a task, its name, or a signature such as add.s(2, 2).",
    );
  if (typeof wire["subtask_type"] === "string")
    throw new InvalidArgument(
      `Beat sends single tasks, no ${wire["subtask_type"]}: define a task that starts it, and schedule that one.`,
    );
  return { ...named(wire["task"]), ...(wire as Partial<Fields>) };
}

function named(task: string): Fields {
  return { task, args: [], kwargs: {}, options: {}, immutable: false };
}

/** What is added to an immutable signature is left out, as everywhere. */
function cloneWith(
  fields: Fields,
  args: readonly unknown[],
  kwargs: Readonly<Record<string, unknown>>,
): Fields {
  if (fields.immutable) return fields;
  return { ...fields, args: [...args, ...fields.args], kwargs: { ...fields.kwargs, ...kwargs } };
}

function describe({ task, args, kwargs }: Fields): string {
  const named = Object.entries(kwargs).map(([key, value]) => `${key}=${formatPython(value)}`);
  return `${task}(${[...args.map((value) => formatPython(value)), ...named].join(", ")})`;
}
