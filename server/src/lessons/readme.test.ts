import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect, test } from "vitest";
import { aLesson } from "../../test/lesson-source.ts";
import { roots } from "../checks/vocabulary.ts";
import { parseLesson } from "./parse-lesson.ts";

const README = readFileSync(resolve(import.meta.dirname, "../../../lessons/README.md"), "utf8");

const TASKS = `import { app } from "./app.ts";

/** Two numbers. */
export const add = app.task("tasks.add", async (x: number, y: number) => {
  return x + y;
});
`;

test("given the example of the authors' page, when it is parsed, then it is a lesson without a mistake", () => {
  const example = /^````markdown\n([\s\S]*?)^````$/m.exec(README)?.[1] ?? "";
  const files = new Map([
    ["tasks.ts", TASKS],
    ["send.ts", "1\n"],
  ]);
  const { lesson, problems } = parseLesson(aLesson("", { text: example, files }));
  expect(problems).toEqual([]);
  expect(new Set(lesson?.view.blocks.map((block) => block.kind))).toEqual(
    new Set(["html", "run", "check", "edit", "predict", "hint", "quiz"]),
  );
});

test("given the check language, when an author looks it up, then every word of it is there", () => {
  const missing = [...roots.keys()].filter((word) => !README.includes(`\`${word}`));
  expect(missing).toEqual([]);
});
