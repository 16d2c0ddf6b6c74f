import { type Document, isMap, isScalar, LineCounter, parseDocument } from "yaml";
import type { z } from "zod";
import type { Report } from "./report.ts";

/**
 * Parses YAML and checks it against a schema.
 *
 * @param strings takes every plain value as text, so that `no` and `1e3` stay what was written.
 * @returns undefined after at least one report; lines count from 1 in `text`.
 */
export function parseYaml<T>(
  text: string,
  type: z.ZodType<T>,
  report: Report,
  strings = false,
): T | undefined {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, ...(strings ? { schema: "failsafe" } : {}) });
  for (const error of document.errors) report(error.linePos?.[0].line ?? 1, explain(error.message));
  if (document.errors.length > 0) return undefined;
  const result = type.safeParse(document.toJS() ?? {});
  if (result.success) return result.data;
  for (const issue of result.error.issues) {
    report(lineOf(document, issue.path[0], lines), describe(issue));
  }
  return undefined;
}

function explain(message: string): string {
  const [first = ""] = message.split("\n");
  const hint = first.startsWith("Nested mappings") ? ' (put a value that holds ": " in single quotes)' : "";
  return `YAML: ${first.replace(/ at line \d+.*$/, "")}${hint}`;
}

/** The line of a top-level key, from 1; 1 where there is no such key. */
export function lineOfKey(text: string, key: string): number {
  const lines = new LineCounter();
  return lineOf(parseDocument(text, { lineCounter: lines }), key, lines);
}

function lineOf(document: Document, key: PropertyKey | undefined, lines: LineCounter): number {
  if (!isMap(document.contents)) return 1;
  const pair = document.contents.items.find((item) => isScalar(item.key) && item.key.value === key);
  const offset = isScalar(pair?.key) ? pair.key.range?.[0] : undefined;
  return offset === undefined ? 1 : lines.linePos(offset).line;
}

function describe(issue: z.core.$ZodIssue): string {
  if (issue.code === "unrecognized_keys")
    return `unknown key ${issue.keys.map((key) => `"${key}"`).join(", ")}`;
  const isMissing = issue.code === "invalid_type" && /received undefined/.test(issue.message);
  const where = issue.path.join(".");
  if (isMissing) return `"${where}" is missing`;
  return where === "" ? issue.message : `"${where}": ${issue.message}`;
}
