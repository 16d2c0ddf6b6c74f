import { DecodeError } from "./errors.ts";
import { decodeTyped } from "./json-types.ts";

/** Whole numbers with fewer digits than this are exact in JavaScript. */
const MANY_DIGITS = 16;

/** Decides what becomes of a number or of a `__type__` envelope. @param text as it stands there. */
export type Keep = (text: string, value: unknown) => unknown;

/**
 * Parses JSON as Python does. The common case is left to `JSON.parse`.
 *
 * @param keep if given, is asked about every number and every envelope.
 * @throws DecodeError with the place of the fault.
 */
export function parseJson(text: string, maxDepth: number, keep?: Keep): unknown {
  if (exceedsDepth(text, maxDepth)) {
    throw new DecodeError(`The JSON is nested more than ${maxDepth} levels deep.`);
  }
  if (keep) return new Parser(text, keep).document();
  if (text.includes("__type__") || hasManyDigits(text)) return new Parser(text).document();
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    // Python's NaN and Infinity are no JSON: what fails is looked at once more.
    if (/NaN|Infinity/.test(text)) return new Parser(text).document();
    throw new DecodeError(`Not JSON: ${(cause as Error).message}`, { cause });
  }
}

/** Whether there is a number that `JSON.parse` might round. So many digits in a row cover one of every so many places. */
function hasManyDigits(text: string): boolean {
  for (let at = MANY_DIGITS - 1; at < text.length; at += MANY_DIGITS) {
    if (!isDigit(text, at)) continue;
    let first = at;
    while (isDigit(text, first - 1)) first -= 1;
    let last = at;
    while (isDigit(text, last + 1)) last += 1;
    if (last - first + 1 >= MANY_DIGITS) return true;
  }
  return false;
}

function isDigit(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code >= 0x30 && code <= 0x39;
}

/**
 * Whether brackets are nested deeper than allowed, so that hostile nesting is refused before anything is built from
 * it. A text with few brackets cannot be, which is known without looking at every character.
 */
function exceedsDepth(text: string, maxDepth: number): boolean {
  if (countUpTo(text, "[", maxDepth) + countUpTo(text, "{", maxDepth) <= maxDepth) return false;
  let depth = 0;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code === 0x22) index = endOfString(text, index);
    else if (code === 0x5b || code === 0x7b) {
      depth += 1;
      if (depth > maxDepth) return true;
    } else if (code === 0x5d || code === 0x7d) depth -= 1;
  }
  return false;
}

/** Occurrences, or one more than `limit`. */
function countUpTo(text: string, char: string, limit: number): number {
  let count = 0;
  for (let at = text.indexOf(char); at !== -1 && count <= limit; at = text.indexOf(char, at + 1)) count += 1;
  return count;
}

function endOfString(text: string, start: number): number {
  let index = start;
  do {
    index = text.indexOf('"', index + 1);
    if (index === -1) return text.length;
  } while (isEscaped(text, index));
  return index;
}

function isEscaped(text: string, quote: number): boolean {
  let backslashes = 0;
  while (text.charCodeAt(quote - 1 - backslashes) === 0x5c) backslashes += 1;
  return backslashes % 2 === 1;
}

const LITERALS: Readonly<Record<string, unknown>> = {
  true: true,
  false: false,
  null: null,
  NaN: Number.NaN,
  Infinity: Number.POSITIVE_INFINITY,
  "-Infinity": Number.NEGATIVE_INFINITY,
};

/** Recursive descent. Depth was checked before, so recursion is bounded. */
class Parser {
  readonly #text: string;
  readonly #keep: Keep | undefined;
  #at = 0;

  constructor(text: string, keep?: Keep) {
    this.#text = text;
    this.#keep = keep;
  }

  document(): unknown {
    const value = this.#value();
    this.#space();
    if (this.#at < this.#text.length) throw this.#fault("something after the end of the JSON");
    return value;
  }

  #value(): unknown {
    this.#space();
    const char = this.#text[this.#at];
    if (char === "{") return this.#object();
    if (char === "[") return this.#array();
    return char === '"' ? this.#string() : this.#word();
  }

  #object(): unknown {
    const start = this.#at;
    const result: Record<string, unknown> = {};
    this.#members("}", () => {
      this.#space();
      if (this.#text[this.#at] !== '"') throw this.#fault("a property name was expected");
      const key = this.#string();
      this.#space();
      this.#expect(":");
      define(result, key, this.#value());
    });
    const keys = Object.keys(result);
    const isTyped = keys.length === 2 && "__type__" in result && "__value__" in result;
    return isTyped ? this.#typed(result["__type__"], result["__value__"], start) : result;
  }

  #typed(type: unknown, value: unknown, start: number): unknown {
    if (this.#keep === undefined) return decodeTyped(type, value);
    const text = this.#text.slice(start, this.#at);
    return this.#keep(text, decodedOr({ __type__: type, __value__: value }));
  }

  #array(): unknown[] {
    const result: unknown[] = [];
    this.#members("]", () => result.push(this.#value()));
    return result;
  }

  #members(close: string, member: () => void): void {
    this.#at += 1;
    this.#space();
    if (this.#text[this.#at] === close) {
      this.#at += 1;
      return;
    }
    for (;;) {
      member();
      this.#space();
      if (this.#text[this.#at] === close) break;
      this.#expect(",");
    }
    this.#at += 1;
  }

  #string(): string {
    const start = this.#at;
    const end = endOfString(this.#text, start);
    if (end >= this.#text.length) throw this.#fault("a string that does not end");
    this.#at = end + 1;
    try {
      return JSON.parse(this.#text.slice(start, end + 1)) as string;
    } catch (cause) {
      throw new DecodeError(`Not JSON: bad string at position ${start}`, { cause });
    }
  }

  #word(): unknown {
    const word = /[^\s,\]}:"[{]*/y;
    word.lastIndex = this.#at;
    const text = word.exec(this.#text)?.[0] ?? "";
    if (Object.hasOwn(LITERALS, text)) {
      this.#at += text.length;
      return LITERALS[text];
    }
    if (!/^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/.test(text)) throw this.#fault("no value");
    this.#at += text.length;
    const value = parseNumber(text);
    return this.#keep ? this.#keep(text, value) : value;
  }

  #space(): void {
    while (" \t\n\r".includes(this.#text[this.#at] ?? "x")) this.#at += 1;
  }

  #expect(char: string): void {
    if (this.#text[this.#at] !== char) throw this.#fault(`"${char}" was expected`);
    this.#at += 1;
  }

  #fault(what: string): DecodeError {
    return new DecodeError(`Not JSON: ${what} at position ${this.#at}`);
  }
}

/** What only passes by may be of a type that nobody here knows. */
function decodedOr(envelope: { readonly __type__: unknown; readonly __value__: unknown }): unknown {
  try {
    return decodeTyped(envelope.__type__, envelope.__value__);
  } catch (error) {
    if (error instanceof DecodeError) return envelope;
    throw error;
  }
}

/** Python's integers have no limit: beyond 2^53 a `bigint` keeps every digit. */
function parseNumber(text: string): number | bigint {
  const value = Number(text);
  return /^-?\d+$/.test(text) && !Number.isSafeInteger(value) ? BigInt(text) : value;
}

/** An assignment to `__proto__` would change the object's prototype; this makes it a plain key. */
function define(target: Record<string, unknown>, key: string, value: unknown): void {
  if (key === "__proto__") {
    Object.defineProperty(target, key, { value, enumerable: true, writable: true, configurable: true });
  } else target[key] = value;
}
