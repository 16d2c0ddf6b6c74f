/** What is wrong with an expression; `column` counts from 0 in the text that was given. */
export class ExpressionError extends Error {
  readonly column: number;
  constructor(message: string, column: number) {
    super(message);
    this.column = column;
  }
}

export type Token =
  | { readonly kind: "number"; readonly at: number; readonly value: number }
  | { readonly kind: "string"; readonly at: number; readonly value: string }
  | { readonly kind: "regex"; readonly at: number; readonly value: RegExp }
  | { readonly kind: "name"; readonly at: number; readonly value: string }
  | { readonly kind: "symbol"; readonly at: number; readonly value: string }
  | { readonly kind: "end"; readonly at: number };

const SYMBOLS = ["==", "!=", "<=", ">=", "<", ">", "+", "-", "*", "/", "(", ")", "[", "]", ",", "."];

/** What people write who know another language, and what it is called here. */
const FOREIGN: readonly (readonly [string, string])[] = [
  ["===", "=="],
  ["!==", "!="],
  ["&&", "and"],
  ["||", "or"],
  ["!", "not"],
  ["=", "=="],
];

/**
 * The tokens of `source` from `start` on, the last one of kind `end`.
 *
 * @param stopAtBrace ends at the first `}` outside of strings and patterns, for `{expression}` in a sentence.
 * @throws ExpressionError
 */
export function tokenize(source: string, start = 0, stopAtBrace = false): readonly Token[] {
  const tokens: Token[] = [];
  let at = start;
  for (;;) {
    while (/\s/.test(source.charAt(at))) at += 1;
    if (at >= source.length || (stopAtBrace && source[at] === "}")) break;
    const [token, end] = readToken(source, at, startsPattern(tokens.at(-1)));
    tokens.push(token);
    at = end;
  }
  tokens.push({ kind: "end", at });
  return tokens;
}

type Read = readonly [token: Token, end: number];

function readToken(source: string, at: number, patternAllowed: boolean): Read {
  const char = source.charAt(at);
  if (/[0-9]/.test(char)) return readNumber(source, at);
  if (/[A-Za-z_]/.test(char)) return readName(source, at);
  if (char === '"' || char === "'") return readString(source, at, char);
  if (char === "/" && patternAllowed) return readRegex(source, at);
  return readSymbol(source, at);
}

/** A `/` begins a pattern where a value may begin, else it divides. */
function startsPattern(previous: Token | undefined): boolean {
  if (previous === undefined) return true;
  return previous.kind === "symbol" && !["]", ")"].includes(previous.value);
}

function readNumber(source: string, at: number): Read {
  const text = /^[0-9]+(\.[0-9]+)?/.exec(source.slice(at, at + 40))?.[0] ?? "";
  if (/[A-Za-z_]/.test(source.charAt(at + text.length))) {
    throw new ExpressionError(
      `a number ends with digits, not "${source.charAt(at + text.length)}"`,
      at + text.length,
    );
  }
  return [{ kind: "number", at, value: Number(text) }, at + text.length];
}

function readName(source: string, at: number): Read {
  let end = at;
  while (/[A-Za-z0-9_]/.test(source.charAt(end))) end += 1;
  return [{ kind: "name", at, value: source.slice(at, end) }, end];
}

function readString(source: string, at: number, quote: string): Read {
  let value = "";
  for (let end = at + 1; end < source.length; end += 1) {
    const char = source.charAt(end);
    if (char === quote) return [{ kind: "string", at, value }, end + 1];
    if (char === "\\") end += 1;
    value += char === "\\" ? unescape(source.charAt(end)) : char;
  }
  throw new ExpressionError(`the string that starts here has no closing ${quote}`, at);
}

function unescape(char: string): string {
  return char === "n" ? "\n" : char === "t" ? "\t" : char;
}

function readRegex(source: string, at: number): Read {
  let inClass = false;
  for (let end = at + 1; end < source.length; end += 1) {
    const char = source.charAt(end);
    if (char === "\\") end += 1;
    else if (char === "[") inClass = true;
    else if (char === "]") inClass = false;
    else if (char === "/" && !inClass) return compileRegex(source, at, end);
  }
  throw new ExpressionError("the pattern that starts here has no closing /", at);
}

function compileRegex(source: string, at: number, slash: number): Read {
  const flags = /^[a-z]*/.exec(source.slice(slash + 1))?.[0] ?? "";
  if (!/^i?$/.test(flags)) throw new ExpressionError("a pattern takes no flag but i", slash + 1);
  try {
    return [
      { kind: "regex", at, value: new RegExp(source.slice(at + 1, slash), flags) },
      slash + 1 + flags.length,
    ];
  } catch (error) {
    throw new ExpressionError((error as Error).message, at);
  }
}

function readSymbol(source: string, at: number): Read {
  const foreign = FOREIGN.find(([symbol]) => source.startsWith(symbol, at));
  const symbol = SYMBOLS.find((each) => source.startsWith(each, at));
  if (foreign !== undefined && foreign[0].length > (symbol?.length ?? 0)) {
    throw new ExpressionError(`write "${foreign[1]}" instead of "${foreign[0]}"`, at);
  }
  if (symbol === undefined) throw new ExpressionError(`"${source.charAt(at)}" means nothing in a check`, at);
  return [{ kind: "symbol", at, value: symbol }, at + symbol.length];
}
