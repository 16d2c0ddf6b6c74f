import type { Token } from "markdown-it";
import { patternsOf, referencesOf } from "../checks/vocabulary.ts";
import { hasNestedRepeat, lintCommand, lintPattern } from "./lint-command.ts";
import { plainText } from "./markdown.ts";
import type { LessonSource, PlacedLink } from "./parse-lesson.ts";
import type { Body, PlacedBlock } from "./read-blocks.ts";
import type { Report } from "./report.ts";

export interface BlocksToLint {
  readonly source: LessonSource;
  readonly body: Body;
  readonly links: readonly PlacedLink[];
  readonly tokens: readonly Token[];
  readonly lineOffset: number;
}

/** Rules about how the parts of a lesson fit together. */
export function lintBlocks(lesson: BlocksToLint, report: Report): void {
  lintIds(lesson.body.blocks, report);
  lintLinks(lesson, report);
  lintNumberedSections(lesson, report);
  for (const { line, block } of lesson.body.blocks) {
    if (block.kind === "run") lintStep(block.id, line, lesson.body, report);
    if (block.kind === "check") lintCheck(block.id, line, lesson.body, report);
    if (block.kind === "predict") lintPrediction(block.locks, line, lesson.body, report);
  }
}

function lintIds(blocks: readonly PlacedBlock[], report: Report): void {
  const seen = new Map<string, number>();
  for (const { line, block } of blocks) {
    if (!("id" in block)) continue;
    const first = seen.get(block.id);
    if (first !== undefined) report(line, `the id "${block.id}" is taken since line ${first}`);
    else seen.set(block.id, line);
  }
}

function lintLinks({ source, body, links, tokens }: BlocksToLint, report: Report): void {
  const ids = new Set([
    ...tokens.filter((token) => token.type === "heading_open").map((token) => token.attrGet("id")),
    ...body.blocks.map(({ block }) => ("id" in block ? block.id : null)),
  ]);
  for (const { line, link } of links) {
    if (link.kind === "anchor" && !ids.has(link.id))
      report(line, `no heading or block has the id "${link.id}"`);
    if (link.kind === "lesson" && !source.slugs.has(link.slug))
      report(line, `no lesson is called "${link.slug}"`);
    if (link.kind === "file") lintFileLink(source, link, (message) => report(line, message));
  }
}

function lintFileLink(
  source: LessonSource,
  link: Extract<PlacedLink["link"], { kind: "file" }>,
  say: (message: string) => void,
): void {
  const text = source.files.get(link.path);
  if (text === undefined) return say(`files/${link.path} does not exist`);
  const lines = text.replace(/\n$/, "").split("\n").length;
  if (
    link.from !== null &&
    link.to !== null &&
    (link.from > lines || link.to > lines || link.to < link.from)
  ) {
    const range = link.from === link.to ? `L${link.from}` : `L${link.from}-L${link.to}`;
    say(`files/${link.path}#${range} is not within its ${lines} lines`);
  }
}

/** A section that is numbered asks for something to do. */
function lintNumberedSections({ body, tokens, lineOffset }: BlocksToLint, report: Report): void {
  const sections = tokens.flatMap((token, index) =>
    token.tag === "h2" && token.nesting === 1
      ? [{ line: lineOffset + (token.map?.[0] ?? 0) + 1, title: plainText(tokens[index + 1]) }]
      : [],
  );
  for (const [index, { line, title }] of sections.entries()) {
    const end = sections[index + 1]?.line ?? Number.POSITIVE_INFINITY;
    const inside = body.blocks.filter((placed) => placed.line > line && placed.line < end);
    const isDoing = inside.some(({ block }) => block.kind !== "html" && block.kind !== "code");
    if (/^\d+\./.test(title) && !isDoing) report(line, `"${title}" has no step, edit or check`);
  }
}

function lintStep(id: string, line: number, body: Body, report: Report): void {
  const index = body.steps.findIndex((each) => each.id === id);
  const step = body.steps[index];
  if (step === undefined) return;
  const say = (message: string): void => report(line, message);
  lintCommand(step, say);
  for (const name of ["until", "expect"] as const) lintPattern(name, step[name], step.command, say);
  const isAfterEarlier = body.steps.slice(0, index).some((each) => each.id === step.after);
  if (step.after !== null && !isAfterEarlier) say(`after=${step.after} names no earlier step`);
}

function lintCheck(id: string, line: number, body: Body, report: Report): void {
  const check = body.checks.find((each) => each.id === id);
  if (check === undefined) return;
  if (patternsOf(check.that.root).some(({ source }) => hasNestedRepeat(source))) {
    report(line, "that: a pattern repeats a repeat, like (a+)+, which can take for ever");
  }
  for (const { kind, name } of referencesOf(check.that.root)) {
    const isKnown = kind === "step" ? body.steps.some((step) => step.id === name) : body.filesAtEnd.has(name);
    if (!isKnown) report(line, `that: no ${kind} of this lesson is called "${name}"`);
  }
}

function lintPrediction(locks: string, line: number, body: Body, report: Report): void {
  const step = body.blocks.find(({ block }) => block.kind === "run" && block.id === locks);
  if (step === undefined) report(line, `Predict (${locks}): no step has this id`);
  else if (step.line < line) report(line, `Predict (${locks}): the step stands before the question`);
}
