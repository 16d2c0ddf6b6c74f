import { z } from "zod";
import { parseSeconds } from "./fence.ts";
import type { Report } from "./report.ts";
import { parseYaml } from "./yaml.ts";

const words = z.string().trim().min(1);
const path = z.string().regex(/^(?:files\/)?[\w./-]+$/, "expected a file of the lesson, like files/tasks.ts");

const schema = z.strictObject({
  title: words,
  summary: words,
  time: z.union([z.string(), z.number()]).transform((value, context) => {
    const seconds = parseSeconds(typeof value === "number" ? `${value}m` : value);
    if (seconds !== undefined && seconds % 60 === 0) return seconds / 60;
    context.addIssue({ code: "custom", message: "expected minutes, like 15m" });
    return z.NEVER;
  }),
  open: path.optional(),
  files: z.array(path).optional(),
});

export interface FrontMatter {
  readonly title: string;
  readonly summary: string;
  /** In minutes. */
  readonly time: number;
  readonly open?: string | undefined;
  readonly files?: readonly string[] | undefined;
}

export interface FrontMatterResult {
  readonly data: FrontMatter | undefined;
  readonly body: string;
  /** Lines of the file before the body. */
  readonly lineOffset: number;
}

/** Splits `---` front matter from the text and checks it; every mistake is reported, with its line. */
export function parseFrontMatter(text: string, report: Report): FrontMatterResult {
  const match = /^---\r?\n([\s\S]*?\r?\n)?---[ \t]*(?:\r?\n|$)/.exec(text);
  if (match === null) {
    report(1, "a lesson begins with front matter between two lines ---");
    return { data: undefined, body: text, lineOffset: 0 };
  }
  const data = parseYaml(match[1] ?? "", schema, (line, message) => report(line + 1, message));
  const lineOffset = match[0].split("\n").length - 1;
  return { data, body: text.slice(match[0].length), lineOffset };
}
