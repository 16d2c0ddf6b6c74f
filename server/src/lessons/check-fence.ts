import { z } from "zod";
import type { Expression } from "../checks/expression.ts";
import { parseExpression } from "../checks/parse.ts";
import { parseSentence } from "../checks/sentence.ts";
import { ExpressionError } from "../checks/tokens.ts";
import type { CheckBlock } from "../protocol/index.ts";
import { parseSeconds } from "./fence.ts";
import type { CheckSpec } from "./lesson.ts";
import type { Report } from "./report.ts";
import { type Fence, readId, reportUnknown } from "./step-fence.ts";
import { lineOfKey, parseYaml } from "./yaml.ts";

const DEFAULT_WITHIN_SECONDS = 10;
const text = z.string().trim().min(1);

const schema = z.strictObject({
  title: text,
  that: text,
  ...field("then", text.optional()),
  else: text.optional(),
  within: text.optional(),
  required: z.enum(["true", "false"]).optional(),
});

/** Reads a fence with `check=`; `after` is the id of the step before it. */
export function readCheck(fence: Fence, after: string | null, report: Report): CheckSpec | undefined {
  const say = (message: string): void => report(fence.line, message);
  reportUnknown(fence.info.attributes, "check", ["check"], say);
  if (fence.info.lang !== "yaml") say(`a check's language is yaml, not "${fence.info.lang}"`);
  const id = readId(fence.info.attributes, "check", say);
  const inBody: Report = (line, message) => report(fence.line + line, message);
  const body = parseYaml(fence.content, schema, inBody, true);
  if (body === undefined || id === undefined) return undefined;
  reportComments(fence.content, inBody);
  const line = (key: string): number => lineOfKey(fence.content, key);
  const required = body.required !== "false";
  if (required && body.else === undefined)
    inBody(1, `the check "${id}" needs an "else" that says what to do`);
  const that = readExpression(body.that, (message) => inBody(line("that"), message));
  for (const key of ["then", "else"] as const) {
    readSentence(key, body[key], (message) => inBody(line(key), message));
  }
  if (that === undefined) return undefined;
  return {
    id,
    title: body.title,
    that,
    because: body.then ?? null,
    otherwise: body.else ?? "Not seen yet.",
    withinSeconds: readWithin(body.within, (message) => inBody(line("within"), message)),
    required,
    after,
  };
}

export function checkBlock(check: CheckSpec): CheckBlock {
  const { id, title, required, withinSeconds } = check;
  return { kind: "check", id, title, required, withinSeconds };
}

/** Written this way because an object literal with a `then` is taken for a promise; in the code it is `because`. */
function field<K extends string, T>(key: K, type: T): Record<K, T> {
  return { [key]: type } as Record<K, T>;
}

type Say = (message: string) => void;

function readExpression(source: string, say: Say): Expression | undefined {
  try {
    return parseExpression(source);
  } catch (error) {
    say(`that: ${atColumn(error)}`);
    return undefined;
  }
}

function readSentence(key: string, sentence: string | undefined, say: Say): void {
  try {
    if (sentence !== undefined) parseSentence(sentence);
  } catch (error) {
    say(`${key}: ${atColumn(error)}`);
  }
}

function atColumn(error: unknown): string {
  if (!(error instanceof ExpressionError)) throw error;
  return `${error.message} (column ${error.column + 1})`;
}

function readWithin(text: string | undefined, say: Say): number {
  if (text === undefined) return DEFAULT_WITHIN_SECONDS;
  const seconds = parseSeconds(text);
  if (seconds === undefined) say(`within: "${text}" is no time like 10s`);
  return seconds ?? DEFAULT_WITHIN_SECONDS;
}

/** YAML drops everything after " #" without a word, and with it half a sentence. */
function reportComments(content: string, report: Report): void {
  for (const [index, line] of content.split("\n").entries()) {
    if (/^\s*(?:then|else|title|that):\s+[^"'|>\s].*\s#/.test(line)) {
      report(index + 1, 'YAML reads " #" as a comment: put the whole text in quotes');
    }
  }
}
