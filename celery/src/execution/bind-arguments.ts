import type { Parameter, TaskSignature } from "./parameters.ts";

/** What a task is called with. */
export interface CallArguments {
  readonly args: readonly unknown[];
  readonly kwargs: Readonly<Record<string, unknown>>;
}

/**
 * The positional arguments for a call with positional and keyword arguments, by Python's rules: a keyword fills the parameter of
 * its name, the others go to the parameter that takes them. A parameter that is left out is `undefined`, so that its default counts.
 *
 * @param signature null when it is not known: then the keywords come as one object after the other arguments.
 * @throws TypeError in Python's words for a missing, doubled, unexpected or superfluous argument.
 */
export function bindArguments(
  name: string,
  signature: TaskSignature | null,
  call: CallArguments,
): readonly unknown[] {
  const { args, kwargs } = call;
  const keys = Object.keys(kwargs);
  if (signature === null) return keys.length === 0 ? args : [...args, kwargs];
  if (keys.length === 0 && fits(signature, args.length)) return args;
  const { parameters, rest, keywords } = signature;
  const takes = parameters.length + (keywords === null ? 0 : 1);
  if (args.length > takes && !rest) throw tooMany(name, signature, args.length);
  const left = new Map(Object.entries(kwargs));
  const bound = parameters.map((parameter, index) => {
    const isDoubled = index < args.length && left.has(parameter.name);
    if (isDoubled) throw new TypeError(`${name}() got multiple values for argument ${quote(parameter.name)}`);
    if (index < args.length) return args[index];
    const value = left.get(parameter.name);
    left.delete(parameter.name);
    return value;
  });
  const missing = parameters.filter(
    ({ name: own, optional }, index) => index >= args.length && !optional && !Object.hasOwn(kwargs, own),
  );
  if (left.size > 0 && !takesMore(signature, args.length)) throw unexpected(name, [...left.keys()][0] ?? "");
  if (missing.length > 0) throw missingArguments(name, missing);
  return [...bound, ...remaining(signature, args, left)];
}

/** The common case: nothing to map, nothing missing. */
function fits({ parameters, rest, keywords }: TaskSignature, count: number): boolean {
  if (keywords !== null && !keywords.optional && count === parameters.length) return false;
  if (count === parameters.length || (rest && count > parameters.length)) return true;
  if (count > parameters.length) return keywords !== null && count === parameters.length + 1;
  return parameters.slice(count).every(({ optional }) => optional) && (keywords?.optional ?? true);
}

function takesMore({ parameters, rest, keywords }: TaskSignature, count: number): boolean {
  return rest || (keywords !== null && count <= parameters.length);
}

/** What comes after the named parameters: further arguments, and the keywords that are nobody's as one object. */
function remaining(
  { parameters, rest, keywords }: TaskSignature,
  args: readonly unknown[],
  left: ReadonlyMap<string, unknown>,
): readonly unknown[] {
  const further = args.slice(parameters.length);
  if (keywords !== null && further.length === 0) {
    return left.size === 0 && keywords.optional ? [] : [Object.fromEntries(left)];
  }
  return rest && left.size > 0 ? [...further, Object.fromEntries(left)] : further;
}

function tooMany(name: string, { parameters }: TaskSignature, given: number): TypeError {
  const optional = parameters.filter((parameter) => parameter.optional).length;
  const least = parameters.length - optional;
  const takes = optional === 0 ? String(parameters.length) : `from ${least} to ${parameters.length}`;
  const noun = parameters.length === 1 && optional === 0 ? "argument" : "arguments";
  return new TypeError(
    `${name}() takes ${takes} positional ${noun} but ${given} ${given === 1 ? "was" : "were"} given`,
  );
}

function unexpected(name: string, keyword: string): TypeError {
  return new TypeError(`${name}() got an unexpected keyword argument ${quote(keyword)}`);
}

function missingArguments(name: string, missing: readonly Parameter[]): TypeError {
  const names = missing.map((parameter) => quote(parameter.name));
  const noun = names.length === 1 ? "argument" : "arguments";
  return new TypeError(`${name}() missing ${names.length} required positional ${noun}: ${listPython(names)}`);
}

/** `'a'`, `'a' and 'b'`, `'a', 'b', and 'c'`. @see CPython Python/ceval.c, `format_missing` */
function listPython(names: readonly string[]): string {
  if (names.length < 3) return names.join(" and ");
  return `${names.slice(0, -1).join(", ")}, and ${names.at(-1)}`;
}

function quote(name: string): string {
  return `'${name}'`;
}
