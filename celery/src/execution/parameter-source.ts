import type { Parameter } from "./parameters.ts";

/** `pattern` is `{ a, b }` or `[a, b]`; its name is empty. */
export interface DeclaredParameter extends Parameter {
  readonly kind: "name" | "pattern" | "rest";
}

/**
 * The parameters in a function's source text: functions, arrows and methods, `async` or not. Defaults may hold
 * anything that brackets, quotes, templates and comments tell apart.
 *
 * @returns null for what is not understood.
 */
export function readParameterList(source: string): readonly DeclaredParameter[] | null {
  if (/\{\s*\[native code\]\s*\}\s*$/.test(source) || /^class\b/.test(source)) return null;
  const arrow = /^(?:async\s+)?([\p{ID_Start}$_][\p{ID_Continue}$]*)\s*=>/u.exec(source);
  if (arrow) return [{ kind: "name", name: arrow[1] as string, optional: false }];
  const open = findOpening(source);
  if (open === -1) return null;
  const pieces = splitList(source, open + 1);
  if (pieces === null) return null;
  // A body that counts its own arguments takes more than it names.
  if (!source.includes("=>", pieces.end) && /\barguments\b/.test(source.slice(pieces.end))) return null;
  const declared = pieces.texts.map(describe);
  return declared.every((parameter) => parameter !== null) ? declared : null;
}

/** The bracket that opens the list; a computed method name and comments come before it. */
function findOpening(source: string): number {
  let at = 0;
  while (at < source.length) {
    const char = source[at] as string;
    if (char === "(") return at;
    if (char === "{" || char === "=") return -1;
    if (char === "[") at = skipTo(source, at + 1, "]");
    else at = skipToken(source, at);
    if (at === -1) return -1;
  }
  return -1;
}

function splitList(source: string, start: number): { texts: readonly string[]; end: number } | null {
  const texts: string[] = [];
  let from = start;
  let at = start;
  while (at < source.length) {
    const char = source[at] as string;
    if (char === ")" || char === ",") {
      texts.push(source.slice(from, at));
      from = at + 1;
      if (char === ")") return { texts: texts.filter((text) => stripComments(text) !== ""), end: at };
    }
    at = skipToken(source, at);
    if (at === -1) return null;
  }
  return null;
}

const CLOSING: Readonly<Record<string, string>> = { "(": ")", "[": "]", "{": "}" };

/** The place after the token at `at`: a string, a comment, a regular expression, a bracket with all in it, or one character. */
function skipToken(source: string, at: number): number {
  const char = source[at] as string;
  if (char === '"' || char === "'") return skipString(source, at + 1, char);
  if (char === "`") return skipTemplate(source, at + 1);
  if (char === "/") return skipSlash(source, at);
  const close = CLOSING[char];
  return close === undefined ? at + 1 : skipTo(source, at + 1, close);
}

/** The place after the bracket `close` that belongs to the one before `start`; -1 if there is none. */
function skipTo(source: string, start: number, close: string): number {
  let at = start;
  while (at !== -1 && at < source.length) {
    if (source[at] === close) return at + 1;
    at = skipToken(source, at);
  }
  return -1;
}

function skipString(source: string, start: number, quote: string): number {
  for (let at = start; at < source.length; at += 1) {
    if (source[at] === "\\") at += 1;
    else if (source[at] === quote) return at + 1;
  }
  return -1;
}

function skipTemplate(source: string, start: number): number {
  let at = start;
  while (at !== -1 && at < source.length) {
    if (source[at] === "`") return at + 1;
    if (source[at] === "\\") at += 2;
    else if (source[at] === "$" && source[at + 1] === "{") at = skipTo(source, at + 2, "}");
    else at += 1;
  }
  return -1;
}

/** A comment, a regular expression, or a division. */
function skipSlash(source: string, at: number): number {
  const next = source[at + 1];
  if (next === "/") return endOr(source.indexOf("\n", at), source);
  if (next === "*") return source.indexOf("*/", at) === -1 ? -1 : source.indexOf("*/", at + 2) + 2;
  const before = source.slice(0, at).trimEnd().at(-1) ?? "(";
  return "(,=:[!&|?{};+-*%<>~^".includes(before) ? skipRegExp(source, at + 1) : at + 1;
}

function skipRegExp(source: string, start: number): number {
  let isClass = false;
  for (let at = start; at < source.length; at += 1) {
    const char = source[at];
    if (char === "\\") at += 1;
    else if (char === "[") isClass = true;
    else if (char === "]") isClass = false;
    else if (char === "/" && !isClass) return at + 1;
  }
  return -1;
}

function endOr(found: number, source: string): number {
  return found === -1 ? source.length : found + 1;
}

function describe(text: string): DeclaredParameter | null {
  const bare = stripComments(text);
  if (bare.startsWith("...")) return { kind: "rest", name: bare.slice(3).trim(), optional: true };
  if (bare.startsWith("{") || bare.startsWith("[")) {
    const end = skipToken(bare, 0);
    return { kind: "pattern", name: "", optional: bare.slice(end).trim().startsWith("=") };
  }
  const match = /^([\p{ID_Start}$_][\p{ID_Continue}$]*)\s*(=)?/u.exec(bare);
  return match && { kind: "name", name: match[1] as string, optional: match[2] !== undefined };
}

function stripComments(text: string): string {
  return text.replace(/^(?:\s+|\/\*[^]*?\*\/|\/\/.*(?:\n|$))+/, "").trim();
}
