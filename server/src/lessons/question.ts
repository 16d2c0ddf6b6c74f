import type { Token } from "markdown-it";
import type { PredictBlock, QuizBlock } from "../protocol/index.ts";
import { type MarkdownDocument, metaOf, plainText } from "./markdown.ts";

/** `### Quiz: …` or `### Predict (<step id>): …` with its list and its answer. */
export interface Question {
  readonly question: string;
  /** Id of the step that locks a prediction; null for a quiz. */
  readonly locks: string | null;
}

/** What a heading asks, or undefined for an ordinary heading. */
export function readQuestion(inline: Token | undefined): Question | undefined {
  const text = plainText(inline).trim();
  const quiz = /^Quiz:\s*(.+)$/.exec(text);
  if (quiz !== null) return { question: quiz[1] ?? "", locks: null };
  const predict = /^Predict\s*\(([^)]*)\):\s*(.+)$/.exec(text);
  return predict === null ? undefined : { question: predict[2] ?? "", locks: (predict[1] ?? "").trim() };
}

/** Whether a heading was meant as a question but is not written as one. */
export function looksLikeQuestion(inline: Token | undefined): boolean {
  return /^(?:Quiz|Predict)\b/i.test(plainText(inline).trim());
}

type Option = QuizBlock["options"][number];

/**
 * Options from the tokens of a bullet list whose items begin with `A.`, `B.` …
 *
 * @returns the message of the first mistake as a string.
 */
export function readOptions(list: readonly Token[], document: MarkdownDocument): readonly Option[] | string {
  const items = itemsOf(list);
  const options: Option[] = [];
  for (const [index, item] of items.entries()) {
    const letter = String.fromCharCode("A".charCodeAt(0) + index);
    const [text] = item;
    if (text?.type !== "inline" || item.length > 1) return `option ${letter} is not one line of text`;
    if (!takePrefix(text, new RegExp(`^${letter}[.)]\\s+`)))
      return `option ${index + 1} does not begin with "${letter}. "`;
    options.push({ letter, html: document.render([text]) });
  }
  return options.length < 2 ? "a question needs two options or more" : options;
}

/** The tokens of each item of a list, without paragraph marks. */
function itemsOf(list: readonly Token[]): readonly (readonly Token[])[] {
  const items: Token[][] = [];
  for (const token of list.slice(1, -1)) {
    if (token.type === "list_item_open" && token.level === 1) items.push([]);
    else if (!["list_item_close", "paragraph_open", "paragraph_close"].includes(token.type))
      items.at(-1)?.push(token);
  }
  return items;
}

function takePrefix(inline: Token, prefix: RegExp): boolean {
  const first = inline.children?.[0];
  if (first?.type !== "text" || !prefix.test(first.content)) return false;
  first.content = first.content.replace(prefix, "");
  return true;
}

/**
 * The bold letter that an answer begins with, and the answer without it.
 *
 * @returns the message of the mistake as a string.
 */
export function readAnswer(
  tokens: readonly Token[],
  options: readonly Option[],
  document: MarkdownDocument,
): { readonly answer: string; readonly html: string } | string {
  const [, inline] = tokens;
  const marks = inline?.children ?? [];
  const at = marks.findIndex((child) => child.type === "strong_open");
  const isFirst = at !== -1 && marks.slice(0, at).every((child) => child.content === "");
  const answer = /^([A-Z])[.)]?$/.exec(isFirst ? (marks[at + 1]?.content ?? "") : "")?.[1];
  if (answer === undefined || inline === undefined)
    return "the answer begins with its bold letter, like **B.**";
  if (!options.some((option) => option.letter === answer))
    return `the answer ${answer} is not one of the options`;
  inline.children = trimStart(marks.slice(at + 3));
  return { answer, html: document.render(tokens) };
}

function trimStart(children: Token[]): Token[] {
  const [first] = children;
  if (first?.type === "text") first.content = first.content.trimStart();
  return children;
}

export function questionBlock(
  id: string,
  { question, locks }: Question,
  options: readonly Option[],
  { answer, html }: { readonly answer: string; readonly html: string },
): QuizBlock | PredictBlock {
  const common = { id, question, options, answer, html };
  return locks === null ? { kind: "quiz", ...common } : { kind: "predict", ...common, locks };
}

export function isAnswer(token: Token | undefined): boolean {
  return metaOf(token).details?.toLowerCase() === "answer";
}
