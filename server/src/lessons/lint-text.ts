import type { Token } from "markdown-it";
import { plainText } from "./markdown.ts";
import type { LessonSource } from "./parse-lesson.ts";
import type { Report } from "./report.ts";

export interface TextToLint {
  readonly source: LessonSource;
  readonly tokens: readonly Token[];
  readonly lineOffset: number;
  readonly minutes: number | undefined;
}

/** Words that most people read in a minute. */
const WORDS_PER_MINUTE = 200;

/** Rules about the writing: headings in order, plain quotes in code, a time that allows for the reading. */
export function lintText(text: TextToLint, report: Report): void {
  lintHeadings(text, report);
  lintFences(text, report);
  lintTime(text, report);
}

function lintHeadings({ tokens, lineOffset }: TextToLint, report: Report): void {
  let level = 1;
  for (const token of tokens.filter((each) => each.type === "heading_open")) {
    const next = Number(token.tag.slice(1));
    const line = lineOffset + (token.map?.[0] ?? 0) + 1;
    if (next === 1) report(line, "headings begin with ##: the lesson's title is in the front matter");
    else if (next > level + 1)
      report(line, `a heading of level ${next} can not follow one of level ${level}`);
    level = Math.max(next, 2);
  }
}

const BAD_IN_CODE: readonly (readonly [RegExp, string])[] = [
  [/[\u2018\u2019\u201a\u201b]/, "a curly apostrophe"],
  [/[\u201c\u201d\u201e\u201f]/, "a curly quote"],
  [/\u00a0/, "a non-breaking space"],
  [/\u200b|\u200c|\u200d|\u2060|\ufeff/, "an invisible character"],
];

/** What word processors do to code: it looks right and does not run. */
function lintFences({ tokens, lineOffset }: TextToLint, report: Report): void {
  for (const token of tokens.filter((each) => each.type === "fence")) {
    const lines = [token.info, ...token.content.split("\n")];
    for (const [index, line] of lines.entries()) {
      const found = BAD_IN_CODE.find(([pattern]) => pattern.test(line))?.[1];
      if (found !== undefined)
        report(lineOffset + (token.map?.[0] ?? 0) + 1 + index, `${found} in a code block`);
    }
  }
}

function lintTime({ tokens, minutes }: TextToLint, report: Report): void {
  const words = tokens
    .filter((token) => token.type === "inline")
    .reduce((sum, token) => sum + plainText(token).split(/\s+/).length, 0);
  const reading = Math.ceil(words / WORDS_PER_MINUTE);
  if (minutes !== undefined && reading > minutes) {
    report(1, `time: ${minutes}m is less than the ${reading} minutes that reading ${words} words takes`);
  }
}
