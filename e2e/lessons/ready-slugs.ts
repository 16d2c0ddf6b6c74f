import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { parse } from "yaml";

interface Outline {
  readonly parts: readonly {
    readonly lessons: readonly { readonly slug: string; readonly ready?: boolean }[];
  }[];
}

/** Slugs of the course's ready lessons, as its author wrote them down. */
export function readySlugs(): readonly string[] {
  const file = resolve(import.meta.dirname, "../../lessons/course.yaml");
  const outline = parse(readFileSync(file, "utf8")) as Outline;
  return outline.parts.flatMap((part) =>
    part.lessons.filter((lesson) => lesson.ready).map((lesson) => lesson.slug),
  );
}
