/**
 * Options of a signature, under Celery's names: what `apply_async` takes, plus every stamp under its own name. Order of keys is
 * order of setting, as in Python.
 */
export interface SigOptions {
  task_id?: string;
  root_id?: string | null;
  parent_id?: string | null;
  reply_to?: string;
  group_id?: string | null;
  group_index?: number | null;
  /** Body of the chord that this task is a part of. */
  chord?: Sig | null;
  /** What comes after this task, reversed: the last element is next. */
  chain?: readonly Sig[] | null;
  link?: Sig | Sig[] | null;
  link_error?: Sig | Sig[] | null;
  stamped_headers?: readonly string[] | null;
  countdown?: number | null;
  eta?: unknown;
  replaced_task_nesting?: number;
  [name: string]: unknown;
}

/**
 * A signature as it travels: Celery's dict, key by key. Everything in this folder works on these plain objects, so that what came
 * from Python and what was made here is the same thing; `Signature` is the face that users see.
 *
 * @see celery 5.7.0 canvas.py, `Signature`
 */
export interface Sig {
  task: string;
  args: readonly unknown[];
  kwargs: Record<string, unknown>;
  options: SigOptions;
  subtask_type: string | null;
  immutable: boolean;
}

export interface ChainSig extends Sig {
  kwargs: { tasks: Sig[] };
}

export interface GroupSig extends Sig {
  kwargs: { tasks: Sig[] };
}

export interface ChordSig extends Sig {
  /** The header becomes a group when it is frozen. `kwargs` go to the header's tasks. */
  kwargs: { kwargs: Record<string, unknown>; header: Sig[] | GroupSig; body: Sig | null };
}

export type ManyFields = Partial<Omit<Sig, "task">>;

export function makeSig(task: string, fields: ManyFields = {}): Sig {
  return {
    task,
    args: fields.args ?? [],
    kwargs: fields.kwargs ?? {},
    options: fields.options ?? {},
    subtask_type: fields.subtask_type ?? null,
    immutable: fields.immutable ?? false,
  };
}

export function makeChain(tasks: Sig[], options: SigOptions = {}): ChainSig {
  return makeSig("celery.chain", { kwargs: { tasks }, options, subtask_type: "chain" }) as ChainSig;
}

export function makeGroup(tasks: Sig[], options: SigOptions = {}): GroupSig {
  return makeSig("celery.group", { kwargs: { tasks }, options, subtask_type: "group" }) as GroupSig;
}

export function makeChord(
  header: Sig[] | Sig,
  body: Sig | null,
  fields: ManyFields & { readonly headerKwargs?: Record<string, unknown> } = {},
): ChordSig {
  const { headerKwargs = {}, ...rest } = fields;
  const kwargs = { kwargs: headerKwargs, header: headerTasks(header), body };
  return makeSig("celery.chord", { ...rest, kwargs, subtask_type: "chord" }) as ChordSig;
}

/** `celery.map` and `celery.starmap`: one message that runs the task once per item. */
export function makeMap(
  kind: "xmap" | "xstarmap",
  task: Sig,
  it: readonly unknown[],
  options: SigOptions = {},
): Sig {
  const name = kind === "xmap" ? "celery.map" : "celery.starmap";
  return makeSig(name, { kwargs: { task, it }, options, subtask_type: null, immutable: true });
}

export function makeChunks(task: Sig, it: readonly unknown[], n: number, options: SigOptions = {}): Sig {
  return makeSig("celery.chunks", { kwargs: { task, it, n }, options, subtask_type: null, immutable: true });
}

/** @see celery 5.7.0 canvas.py, `_maybe_group`: tasks given one by one are copied, those of a group are not. */
function headerTasks(header: Sig[] | Sig): Sig[] {
  if (Array.isArray(header)) return header.map((task) => cloneSig(task));
  if (isGroup(header) || isChain(header)) return header.kwargs.tasks;
  return [header];
}

function isSig(value: unknown): value is Sig {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const { task, options } = value as Partial<Sig>;
  return typeof task === "string" && typeof options === "object" && options !== null;
}

export function isChain(sig: Sig): sig is ChainSig {
  return sig.subtask_type === "chain";
}

export function isGroup(sig: Sig): sig is GroupSig {
  return sig.subtask_type === "group";
}

export function isChord(sig: Sig): sig is ChordSig {
  return sig.subtask_type === "chord";
}

/** By name, not by type: Celery leaves the type out. */
export function isChunks(sig: Sig): boolean {
  return sig.task === "celery.chunks";
}

export function isEmptyGroup(sig: Sig): boolean {
  return isGroup(sig) && sig.kwargs.tasks.length === 0;
}

/** A group of one is that one. */
export function unrollGroup(group: GroupSig): Sig {
  return group.kwargs.tasks.length === 1 ? (group.kwargs.tasks[0] as Sig) : group;
}

export function listOf<T>(value: T | readonly T[] | null | undefined): readonly T[] {
  if (value === null || value === undefined) return [];
  return Array.isArray(value) ? (value as readonly T[]) : [value as T];
}

/** @see celery 5.7.0 canvas.py, `Signature.append_to_list_option` */
export function appendToOption(sig: Sig, key: "link" | "link_error", value: Sig): void {
  const items = [...listOf(sig.options[key])];
  sig.options[key] = items;
  if (!items.some((item) => sameJson(item, value))) items.push(value);
}

export function extendOption(sig: Sig, key: "link" | "link_error", values: readonly Sig[]): void {
  sig.options[key] = [...listOf(sig.options[key]), ...values];
}

/** Python compares dicts by what is in them. */
function sameJson(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (a instanceof Date && b instanceof Date) return a.getTime() === b.getTime();
  const keys = Object.keys(a);
  if (keys.length !== Object.keys(b).length || Array.isArray(a) !== Array.isArray(b)) return false;
  return keys.every(
    (key) => Object.hasOwn(b, key) && sameJson((a as Sig["kwargs"])[key], (b as Sig["kwargs"])[key]),
  );
}

/** Options that must not change once set: whoever waits for the task knows it by them. */
const FIXED_OPTIONS: readonly string[] = ["group_id", "stamped_headers"];

/** `options` over the signature's own; `null` counts as not given. */
export function mergeOptions(own: SigOptions, options: SigOptions): SigOptions {
  const fixed = new Set([...FIXED_OPTIONS, ...(own.stamped_headers ?? [])]);
  const merged: SigOptions = { ...own };
  for (const [key, value] of Object.entries(options)) {
    if (!fixed.has(key) || !Object.hasOwn(own, key)) merged[key] = value;
  }
  return merged;
}

/**
 * Arguments of a parent are put first, unless the signature is immutable.
 * @see celery 5.7.0 canvas.py, `Signature._merge`
 */
export function mergeArgs(
  sig: Sig,
  args: readonly unknown[],
  kwargs: Readonly<Record<string, unknown>> = {},
): Pick<Sig, "args" | "kwargs"> {
  if (sig.immutable) return { args: sig.args, kwargs: sig.kwargs };
  return {
    args: args.length > 0 ? [...args, ...sig.args] : sig.args,
    kwargs: Object.keys(kwargs).length > 0 ? { ...sig.kwargs, ...kwargs } : sig.kwargs,
  };
}

/**
 * A copy that can be frozen, linked and stamped without changing the original. The tasks of a group stay shared, as in Celery.
 * @see celery 5.7.0 canvas.py, `Signature.clone`
 */
export function cloneSig(
  sig: Sig,
  args: readonly unknown[] = [],
  kwargs: Readonly<Record<string, unknown>> = {},
  options: SigOptions = {},
): Sig {
  const merged = mergeArgs(sig, args, kwargs);
  const copied: Sig = {
    ...sig,
    ...merged,
    kwargs: merged.kwargs === sig.kwargs ? { ...sig.kwargs } : merged.kwargs,
    options: copyOptions(mergeOptions(sig.options, options)),
  };
  return normalise(copied);
}

/** What `from_dict` of each kind keeps. */
function normalise(sig: Sig): Sig {
  const { options } = sig;
  if (isChain(sig))
    return makeChain(
      sig.kwargs.tasks.map((task) => cloneSig(task)),
      options,
    );
  if (isGroup(sig)) return makeGroup([...sig.kwargs.tasks], options);
  if (isChord(sig)) {
    const { kwargs, header, body } = sig.kwargs;
    const copy = makeChord(header, body && cloneSig(body), { ...sig, headerKwargs: kwargs });
    copy.task = sig.task;
    return copy;
  }
  return sig;
}

/** Signatures among the options are copied with options of their own; other values are never changed. */
function copyOptions(options: SigOptions): SigOptions {
  return Object.fromEntries(Object.entries(options).map(([key, value]) => [key, copyValue(value)]));
}

function copyValue(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(copyValue);
  return isSig(value) ? { ...value, options: copyOptions(value.options) } : value;
}
