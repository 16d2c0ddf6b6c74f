import type { LessonSource } from "../src/lessons/parse-lesson.ts";

export const TASKS = `import { app } from "./app.ts";

export const add = app.task("tasks.add", (x: number, y: number) => {
  return x + y;
});
`;

/** A lesson to parse, for tests: this body under a sound front matter, with `files/tasks.ts` and `files/app.ts`. */
export function aLesson(body: string, change: Partial<LessonSource> = {}): LessonSource {
  return {
    slug: "03-test",
    number: 3,
    dir: "/lessons/03-test",
    file: "03-test/lesson.md",
    text: `---\ntitle: A test\nsummary: For tests only.\ntime: 5m\nopen: files/tasks.ts\n---\n${body}`,
    files: new Map([
      ["app.ts", "export const app = 1;\n"],
      ["tasks.ts", TASKS],
    ]),
    slugs: new Set(["03-test", "02-other"]),
    ...change,
  };
}

/** Lines of the front matter of `aLesson`. */
export const FRONT_MATTER_LINES = 6;
