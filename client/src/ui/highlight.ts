/** What a piece of code is, for its colour. */
type TokenKind = "plain" | "comment" | "string" | "number" | "keyword" | "call" | "type" | "flag";

export interface Token {
  readonly kind: TokenKind;
  readonly text: string;
}

interface Grammar {
  /** Sticky alternatives with a named group for each kind; words are classified after. */
  readonly pattern: RegExp;
  readonly keywords: ReadonlySet<string>;
}

const words = (text: string): ReadonlySet<string> => new Set(text.split(" "));

const STRING = /"(?:\\.|[^"\\\n])*"?|'(?:\\.|[^'\\\n])*'?/.source;
const NUMBER = /\b\d[\d_]*(?:\.\d+)?(?:e[+-]?\d+)?n?\b/.source;
const WORD = /[A-Za-z_$][\w$]*/.source;

const pattern = (comment: string, string: string, extra: string = ""): RegExp =>
  new RegExp(
    `(?<comment>${comment})|(?<string>${string})|(?<number>${NUMBER})${extra}|(?<word>${WORD})`,
    "g",
  );

const SCRIPT: Grammar = {
  pattern: pattern("//[^\\n]*|/\\*[\\s\\S]*?(?:\\*/|$)", `\`(?:\\\\.|[^\`\\\\])*\`?|${STRING}`),
  keywords: words(
    "as async await break case catch class const continue default delete do else enum export extends false finally " +
      "for from function if implements import in instanceof interface let new null of private public readonly return " +
      "satisfies static super switch this throw true try type typeof undefined var void while yield",
  ),
};
const PYTHON: Grammar = {
  pattern: pattern("#[^\\n]*", `"""[\\s\\S]*?(?:"""|$)|'''[\\s\\S]*?(?:'''|$)|${STRING}`),
  keywords: words(
    "False None True and as assert async await break class continue def del elif else except finally for from " +
      "global if import in is lambda nonlocal not or pass raise return self try while with yield",
  ),
};
const SHELL: Grammar = {
  pattern: pattern("(?<=^|\\s)#[^\\n]*", STRING, "|(?<flag>(?<=\\s)--?[A-Za-z][\\w-]*)"),
  keywords: words("for in do done if then else fi while case esac wait export"),
};
const DATA: Grammar = { pattern: pattern("#[^\\n]*", STRING), keywords: words("true false null") };

const GRAMMARS: Readonly<Record<string, Grammar>> = {
  ts: SCRIPT,
  tsx: SCRIPT,
  js: SCRIPT,
  mjs: SCRIPT,
  typescript: SCRIPT,
  javascript: SCRIPT,
  py: PYTHON,
  python: PYTHON,
  sh: SHELL,
  bash: SHELL,
  shell: SHELL,
  json: DATA,
  yaml: DATA,
};

/** The language of a file by its ending, in the names that `tokenize` knows. */
export function languageOf(path: string): string {
  return path.slice(path.lastIndexOf(".") + 1).toLowerCase();
}

/**
 * Cuts code into coloured pieces whose texts add up to the code again. It reads words, not grammar: enough for a
 * lesson's snippets and for the moment before the real editor has loaded.
 */
export function tokenize(code: string, language: string): Token[] {
  const grammar = GRAMMARS[language];
  if (grammar === undefined) return [{ kind: "plain", text: code }];
  const tokens: Token[] = [];
  let end = 0;
  for (const match of code.matchAll(grammar.pattern)) {
    if (match.index > end) tokens.push({ kind: "plain", text: code.slice(end, match.index) });
    end = match.index + match[0].length;
    tokens.push({ kind: kindOf(match, grammar, code[end]), text: match[0] });
  }
  if (end < code.length) tokens.push({ kind: "plain", text: code.slice(end) });
  return tokens;
}

function kindOf(match: RegExpExecArray, grammar: Grammar, after: string | undefined): TokenKind {
  const groups = match.groups ?? {};
  if (groups["comment"] !== undefined) return "comment";
  if (groups["string"] !== undefined) return "string";
  if (groups["number"] !== undefined) return "number";
  if (groups["flag"] !== undefined) return "flag";
  if (grammar.keywords.has(match[0])) return "keyword";
  if (grammar === SHELL || grammar === DATA) return "plain";
  if (after === "(") return "call";
  return /^[A-Z][a-z]/.test(match[0]) ? "type" : "plain";
}
