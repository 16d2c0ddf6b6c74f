import { structuredPatch } from "diff";
import type { EditState } from "../protocol/index.ts";
import type { EditSpec } from "./lesson.ts";

/** One place of a diff: the lines that are there, and those that shall be. */
interface Hunk {
  readonly before: readonly string[];
  readonly after: readonly string[];
}

/** How many context lines at either end a learner may have changed. */
const FUZZ = 2;

/**
 * The text after an edit, or undefined where the edit does not fit: a place is missing or there are several like it.
 * Text without a final newline gets one.
 */
export function applyEdit(text: string, edit: EditSpec): string | undefined {
  if (edit.region !== null) return replaceRegion(text, edit.region, edit.replacement ?? "");
  let lines: readonly string[] | undefined = linesOf(text);
  for (const hunk of parseDiff(edit.diff)) {
    if (lines === undefined) return undefined;
    lines = applyHunk(lines, hunk);
  }
  return lines === undefined ? undefined : joinLines(lines);
}

/** Whether an edit is in a text already, could be applied, or neither. */
export function editState(text: string, edit: EditSpec): EditState {
  const isApplied =
    edit.region === null
      ? parseDiff(edit.diff).every((hunk) => isIn(linesOf(text), hunk))
      : replaceRegion(text, edit.region, edit.replacement ?? "") === joinLines(linesOf(text));
  if (isApplied) return "applied";
  return applyEdit(text, edit) === undefined ? "conflict" : "open";
}

/** How many places of the text a diff's first unplaceable part fits: 1 is right, 0 and more are mistakes. */
export function placesOf(text: string, diff: string): number {
  const counts = parseDiff(diff).map((hunk) => find(linesOf(text), hunk.before).length);
  return counts.find((count) => count !== 1) ?? 1;
}

/**
 * The diff of replacing a region, for showing it.
 *
 * @returns undefined when the text has no such region.
 */
export function regionDiff(text: string, region: string, replacement: string): string | undefined {
  const after = replaceRegion(text, region, replacement);
  if (after === undefined) return undefined;
  const { hunks } = structuredPatch("", "", joinLines(linesOf(text)), after, "", "", { context: 2 });
  return hunks.map((hunk) => hunk.lines.join("\n")).join("\n@@\n");
}

/** Splits at `@@` lines; a line without a mark counts as context, because editors strip lone spaces. */
function parseDiff(diff: string): readonly Hunk[] {
  const hunks: { before: string[]; after: string[] }[] = [{ before: [], after: [] }];
  for (const line of linesOf(diff)) {
    const mark = line.charAt(0);
    const hunk = hunks.at(-1);
    if (line.startsWith("@@")) hunks.push({ before: [], after: [] });
    else {
      if (mark !== "+") hunk?.before.push(line.slice(1));
      if (mark !== "-") hunk?.after.push(line.slice(1));
    }
  }
  return hunks.filter((hunk) => hunk.before.length + hunk.after.length > 0);
}

function applyHunk(lines: readonly string[], hunk: Hunk): readonly string[] | undefined {
  if (hunk.before.length === 0) return lines.length === 0 ? hunk.after : undefined;
  for (let fuzz = 0; fuzz <= FUZZ; fuzz += 1) {
    const loose = loosen(hunk, fuzz);
    if (loose === undefined) return undefined;
    const [at, another] = find(lines, loose.before);
    if (another !== undefined) return undefined;
    if (at !== undefined) {
      return [...lines.slice(0, at), ...loose.after, ...lines.slice(at + loose.before.length)];
    }
  }
  return undefined;
}

/** The hunk without `fuzz` lines of context at each end; undefined once that would leave nothing to find it by. */
function loosen(hunk: Hunk, fuzz: number): Hunk | undefined {
  const head = Math.min(fuzz, sharedAtStart(hunk.before, hunk.after));
  const tail = Math.min(fuzz, sharedAtStart(hunk.before.toReversed(), hunk.after.toReversed()));
  const before = hunk.before.slice(head, hunk.before.length - tail);
  if (before.every((line) => line.trim() === "")) return undefined;
  return { before, after: hunk.after.slice(head, hunk.after.length - tail) };
}

function sharedAtStart(a: readonly string[], b: readonly string[]): number {
  const end = a.findIndex((line, at) => line !== b[at]);
  return end === -1 ? a.length : end;
}

function isIn(lines: readonly string[], hunk: Hunk): boolean {
  if (hunk.after.length === 0) return find(lines, hunk.before).length === 0;
  return find(lines, hunk.after).length > 0;
}

/** Where a block of lines stands; spaces at line ends do not count. */
function find(lines: readonly string[], block: readonly string[]): readonly number[] {
  const found: number[] = [];
  for (let at = 0; at + block.length <= lines.length; at += 1) {
    if (block.every((line, offset) => lines[at + offset]?.trimEnd() === line.trimEnd())) found.push(at);
  }
  return found;
}

function replaceRegion(text: string, region: string, replacement: string): string | undefined {
  const lines = linesOf(text);
  const start = lines.findIndex((line) => isMarker(line, "#region", region));
  const length = lines.slice(start + 1).findIndex((line) => /^\s*(?:\/\/|#)\s*#endregion\b/.test(line));
  if (start === -1 || length === -1) return undefined;
  return joinLines([
    ...lines.slice(0, start + 1),
    ...linesOf(replacement),
    ...lines.slice(start + 1 + length),
  ]);
}

function isMarker(line: string, marker: string, name: string): boolean {
  const words = line.trim().split(/\s+/);
  const at = words.indexOf(marker);
  return at >= 0 && words[at + 1] === name;
}

function linesOf(text: string): readonly string[] {
  if (text === "") return [];
  const lines = text.replaceAll("\r\n", "\n").split("\n");
  return lines.at(-1) === "" ? lines.slice(0, -1) : lines;
}

function joinLines(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join("");
}
