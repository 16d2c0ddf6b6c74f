import { InvalidArgument } from "../protocol/errors.ts";
import { readParameterList } from "./parameter-source.ts";

/** One parameter of a task's function. */
export interface Parameter {
  readonly name: string;
  /** It has a default value, or is declared as optional. */
  readonly optional: boolean;
}

/** What a task's function takes, as far as its source tells. A bound task's `self` is not among it. */
export interface TaskSignature {
  readonly parameters: readonly Parameter[];
  /** `...args`: any number of further arguments. */
  readonly rest: boolean;
  /**
   * Takes keyword arguments that no parameter is named after, as one object: a destructured last parameter, or one
   * named `kwargs` or `options`. It is not among `parameters`.
   */
  readonly keywords: Parameter | null;
}

/** Names of a last parameter that gets the remaining keyword arguments as one object. */
const KEYWORD_NAMES: ReadonlySet<string> = new Set(["kwargs", "options"]);

/**
 * Reads the names of a function's parameters from its source. TypeScript's `y?: number` leaves no trace there: only a
 * default value makes a parameter optional.
 *
 * @returns null when the source does not tell (native and bound functions, what no parser of this size can read).
 */
export function readSignature(run: (...args: never[]) => unknown, bind: boolean): TaskSignature | null {
  const declared = readParameterList(Function.prototype.toString.call(run));
  if (declared === null) return null;
  const list = bind ? declared.slice(1) : declared;
  const last = list.at(-1);
  const rest = last?.kind === "rest";
  const plain = rest ? list.slice(0, -1) : list;
  const final = rest ? undefined : last;
  const isKeywords = final !== undefined && (final.kind === "pattern" || KEYWORD_NAMES.has(final.name));
  const own = isKeywords ? plain.slice(0, -1) : plain;
  // A destructured parameter before others has no name to be called by.
  if (own.some(({ kind }) => kind !== "name")) return null;
  return { parameters: own.map(toParameter), rest, keywords: isKeywords ? toParameter(final) : null };
}

/**
 * The signature that the task option `parameters` declares: names in order, `"y?"` for one that may be left out, `"...rest"` and
 * `"**kwargs"` for what takes the others.
 *
 * @throws InvalidArgument for a name that is none.
 */
export function declareSignature(task: string, names: readonly string[]): TaskSignature {
  const rest = names.some((name) => name.startsWith("..."));
  const keywords = names.find((name) => name.startsWith("**"));
  const plain = names.filter((name) => !name.startsWith("...") && !name.startsWith("**"));
  for (const name of plain) {
    if (/^[\p{ID_Start}$_][\p{ID_Continue}$]*\??$/u.test(name)) continue;
    throw new InvalidArgument(`app.task("${task}", …): ${JSON.stringify(name)} in parameters is not a name.`);
  }
  return {
    parameters: plain.map((name) => ({ name: name.replace("?", ""), optional: name.endsWith("?") })),
    rest,
    keywords: keywords === undefined ? null : { name: keywords.slice(2), optional: false },
  };
}

function toParameter({ name, optional }: Parameter): Parameter {
  return { name, optional };
}
