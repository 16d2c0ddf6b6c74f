import { evaluateNode } from "./evaluate.ts";
import type { Node } from "./expression.ts";
import type { Facts, Json } from "./facts.ts";
import { parseTokens } from "./parse.ts";
import { ExpressionError, tokenize } from "./tokens.ts";

/** A sentence with `{expression}` parts, as in a check's `else`. `{{` stands for a brace. */
export interface Sentence {
  readonly parts: readonly (string | Node)[];
}

const MAX_SENTENCE = 2000;
/** Longest text that one `{expression}` puts into a sentence. */
const MAX_VALUE = 200;

/** @throws ExpressionError with the column in the whole sentence. */
export function parseSentence(text: string): Sentence {
  if (text.length > MAX_SENTENCE) {
    throw new ExpressionError(`longer than ${MAX_SENTENCE} characters`, MAX_SENTENCE);
  }
  const parts: (string | Node)[] = [];
  let at = 0;
  while (at < text.length) {
    const brace = text.indexOf("{", at);
    parts.push(text.slice(at, brace === -1 ? text.length : brace));
    if (brace === -1) break;
    at = text[brace + 1] === "{" ? escapedBrace(parts, brace) : expressionPart(parts, text, brace);
  }
  return { parts };
}

function escapedBrace(parts: (string | Node)[], brace: number): number {
  parts.push("{");
  return brace + 2;
}

function expressionPart(parts: (string | Node)[], text: string, brace: number): number {
  const tokens = tokenize(text, brace + 1, true);
  const end = tokens.at(-1)?.at ?? text.length;
  if (end >= text.length) throw new ExpressionError('the "{" has no "}"; write "{{" for a brace', brace);
  parts.push(parseTokens(tokens));
  return end + 1;
}

/** The sentence with its parts filled in. Plain text: it has to be shown as text. */
export function writeSentence(sentence: Sentence, facts: Facts): string {
  return sentence.parts
    .map((part) => (typeof part === "string" ? part : inWords(evaluateNode(part, facts))))
    .join("");
}

function inWords(value: Json): string {
  if (value === null) return "nothing";
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value === "number") return String(Math.round(value * 100) / 100);
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text.length > MAX_VALUE ? `${text.slice(0, MAX_VALUE)}…` : text;
}
