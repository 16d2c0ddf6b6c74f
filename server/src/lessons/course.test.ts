import { EventEmitter, once } from "node:events";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { loadCourse } from "./course.ts";
import type { Course } from "./lesson.ts";
import { watchCourse } from "./watch-course.ts";

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "course-"));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

async function write(files: Readonly<Record<string, string>>): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(dir, path)), { recursive: true });
    await writeFile(join(dir, path), text);
  }
}

const COURSE = `
title: Queues
parts:
  - title: See it
    lessons:
      - { slug: 01-first, ready: true }
      - { slug: 02-second, title: Second, summary: To come., minutes: 20 }
`;
const LESSON = "---\ntitle: First\nsummary: The first.\ntime: 5m\n---\n\nHello.\n";

test("given a course, when it is loaded, then ready lessons are there and the others are listed as to come", async () => {
  await write({ "course.yaml": COURSE, "01-first/lesson.md": LESSON, "01-first/files/data/a.tsv": "x\ty\n" });
  const { course, lessons, problems } = await loadCourse(dir);
  expect(problems).toEqual([]);
  expect(course).toEqual({
    title: "Queues",
    parts: [
      {
        title: "See it",
        lessons: [
          { number: 1, slug: "01-first", title: "First", summary: "The first.", minutes: 5, ready: true },
          { number: 2, slug: "02-second", title: "Second", summary: "To come.", minutes: 20, ready: false },
        ],
      },
    ],
  });
  expect(lessons.get("01-first")?.files).toEqual(new Map([["data/a.tsv", "x\ty\n"]]));
});

test.each([
  ["is missing", {}, "course.yaml:1: the file is missing"],
  ["is no YAML", { "course.yaml": "a: [" }, "course.yaml:1: YAML: "],
  [
    "has a slug without its place",
    { "course.yaml": COURSE.replace("01-first", "first") },
    "expected place and name, like 03-my-lesson",
  ],
  [
    "has a slug of another place",
    { "course.yaml": COURSE.replace("02-second", "03-second") },
    '"03-second" is lesson 2 of the course',
  ],
  [
    "lacks the title of a lesson to come",
    { "course.yaml": COURSE.replace("title: Second, ", "") },
    "needs a title and a summary",
  ],
  [
    "has a ready lesson without a file",
    { "course.yaml": COURSE },
    "01-first/lesson.md:1: the file is missing",
  ],
  [
    "says another title than the lesson",
    { "course.yaml": COURSE.replace("01-first,", "01-first, title: Other,"), "01-first/lesson.md": LESSON },
    '01-first/lesson.md:1: title is "First" here and "Other" in course.yaml',
  ],
  [
    "does not know a folder",
    { "course.yaml": COURSE, "01-first/lesson.md": LESSON, "09-lost/lesson.md": LESSON },
    "09-lost/lesson.md:1: no ready lesson",
  ],
  [
    "has a starting file that is too large",
    { "course.yaml": COURSE, "01-first/lesson.md": LESSON, "01-first/files/big.txt": "x".repeat(300_000) },
    "01-first/files/big.txt:1: larger than 256 KB",
  ],
])("given a course that %s, when it is loaded, then a problem says so", async (_, files, message) => {
  await write(files as Record<string, string>);
  const { problems } = await loadCourse(dir);
  expect(problems.map((each) => `${each.file}:${each.line}: ${each.message}`).join("\n")).toContain(message);
});

test("given a starting file that is a link, when the course is loaded, then it is refused and not read", async () => {
  await write({ "course.yaml": COURSE, "01-first/lesson.md": LESSON, "01-first/files/a.ts": "" });
  await symlink("/etc/passwd", join(dir, "01-first/files/passwd"));
  const { lessons, problems } = await loadCourse(dir);
  expect(problems.map((each) => each.message)).toEqual(["only plain files can be starting files"]);
  expect([...(lessons.get("01-first")?.files.keys() ?? [])]).toEqual(["a.ts"]);
});

test("given a watched course, when a lesson is written anew, then the newest course is told", async () => {
  await write({ "course.yaml": COURSE, "01-first/lesson.md": LESSON });
  const told = new EventEmitter<{ changed: [course: Course] }>();
  const stop = watchCourse(dir, (course) => told.emit("changed", course));
  const changed = once(told, "changed");
  await write({ "01-first/lesson.md": LESSON.replace("title: First", "title: Erste") });
  const [newest] = (await changed) as [Course];
  stop();
  expect(newest.course.parts[0]?.lessons[0]?.title).toBe("Erste");
});
