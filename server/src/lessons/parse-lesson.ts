import type { LessonView } from "../protocol/index.ts";
import { type FrontMatter, parseFrontMatter } from "./front-matter.ts";
import type { Lesson, LessonProblem } from "./lesson.ts";
import { lintBlocks } from "./lint-blocks.ts";
import { lintText } from "./lint-text.ts";
import { parseMarkdown, type RelativeLink } from "./markdown.ts";
import { type Body, readBody } from "./read-blocks.ts";
import { openReport, type Report } from "./report.ts";

export interface LessonSource {
  readonly slug: string;
  /** Place in the course, from 1. */
  readonly number: number;
  readonly dir: string;
  /** `03-delay-gives-a-receipt/lesson.md`, for messages. */
  readonly file: string;
  readonly text: string;
  /** Starting files by their path under `files/`. */
  readonly files: ReadonlyMap<string, string>;
  /** Slugs that links may lead to. */
  readonly slugs: ReadonlySet<string>;
}

export interface ParsedLesson {
  /** Undefined only where the front matter can not be read. */
  readonly lesson: Lesson | undefined;
  readonly problems: readonly LessonProblem[];
}

/** A `RelativeLink` and where it stands. */
export interface PlacedLink {
  readonly line: number;
  readonly link: RelativeLink;
}

/** Parses and lints one lesson. Pure: files come in with the source. */
export function parseLesson(source: LessonSource): ParsedLesson {
  const { report, problems } = openReport(source.file);
  const { data, body: text, lineOffset } = parseFrontMatter(source.text, report);
  const links: PlacedLink[] = [];
  const document = parseMarkdown(text, {
    lineOffset,
    problem: report,
    link: (line, link) => links.push({ line, link }),
  });
  const body = readBody(document, { lineOffset, files: source.files, report });
  lintText({ source, tokens: document.tokens, lineOffset, minutes: data?.time }, report);
  lintBlocks({ source, body, links, tokens: document.tokens, lineOffset }, report);
  const lesson = data === undefined ? undefined : makeLesson(source, data, body, report);
  return { lesson, problems: problems.toSorted((a, b) => a.line - b.line) };
}

function makeLesson(source: LessonSource, data: FrontMatter, body: Body, report: Report): Lesson {
  const { slug, number, dir, files } = source;
  const open = data.open?.replace(/^files\//, "") ?? null;
  const tabs = data.files?.map((path) => path.replace(/^files\//, "")) ?? defaultTabs(files, open);
  for (const path of new Set([...tabs, ...(open === null ? [] : [open])])) {
    if (!body.filesAtEnd.has(path)) report(1, `front matter: files/${path} does not exist`);
  }
  if (open !== null && !tabs.includes(open)) report(1, `front matter: "open" names no file of "files"`);
  const view: LessonView = {
    slug,
    number,
    title: data.title,
    summary: data.summary,
    minutes: data.time,
    open,
    files: tabs,
    blocks: body.blocks.map((placed) => placed.block),
  };
  return { view, dir, files, steps: body.steps, edits: body.edits, checks: body.checks };
}

/** All files by name, the one that opens first in front. */
function defaultTabs(files: ReadonlyMap<string, string>, open: string | null): readonly string[] {
  const rest = [...files.keys()].filter((path) => path !== open).toSorted();
  return open === null ? rest : [open, ...rest];
}
