import { readdir, readFile } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { z } from "zod";
import type { CourseView } from "../protocol/index.ts";
import type { Course, Lesson, LessonProblem } from "./lesson.ts";
import { parseLesson } from "./parse-lesson.ts";
import { openReport } from "./report.ts";
import { parseYaml } from "./yaml.ts";

/** The slug is the folder's name: the place in the course, then words. */
const SLUG = /^\d\d-[a-z][a-z0-9-]*$/;

const entry = z
  .strictObject({
    slug: z.string().regex(SLUG, "expected place and name, like 03-my-lesson"),
    title: z.string().trim().min(1).optional(),
    summary: z.string().trim().min(1).optional(),
    minutes: z.int().min(1).max(120).optional(),
    ready: z.boolean().default(false),
  })
  .refine((lesson) => lesson.ready || (lesson.title !== undefined && lesson.summary !== undefined), {
    message: "a lesson to come needs a title and a summary; a ready one has them in its lesson.md",
  });

const schema = z.strictObject({
  title: z.string().trim().min(1),
  parts: z.array(z.strictObject({ title: z.string().trim().min(1), lessons: z.array(entry).min(1) })).min(1),
});

type Outline = z.infer<typeof schema>;
type Entry = z.infer<typeof entry>;
type PlannedLesson = Entry & { readonly number: number };

const COURSE_FILE = "course.yaml";
/** Larger starting files are refused: they go over the socket whole. */
const MAX_FILE_BYTES = 256 * 1024;

/**
 * Reads `course.yaml` and every ready lesson of a lessons folder. Never throws for what an author wrote: mistakes
 * are `problems`.
 */
export async function loadCourse(dir: string): Promise<Course> {
  const { report, problems } = openReport(COURSE_FILE);
  const text = await readFile(join(dir, COURSE_FILE), "utf8").catch(() => undefined);
  if (text === undefined) report(1, "the file is missing");
  const outline = text === undefined ? undefined : parseYaml(text, schema, report);
  if (outline === undefined) return { course: { title: "", parts: [] }, lessons: new Map(), problems };
  const planned = plan(outline);
  const slugs = new Set(planned.map((lesson) => lesson.slug));
  for (const { slug, number } of planned.filter(
    (lesson) => Number(lesson.slug.slice(0, 2)) !== lesson.number,
  )) {
    report(1, `"${slug}" is lesson ${number} of the course: the number in its slug says something else`);
  }
  const loaded = await Promise.all(
    planned.filter((lesson) => lesson.ready).map((lesson) => loadLesson(dir, lesson, slugs)),
  );
  const lessons = new Map(
    loaded.flatMap(({ lesson }) => (lesson ? [[lesson.view.slug, lesson] as const] : [])),
  );
  problems.push(...loaded.flatMap((each) => each.problems), ...(await strayFolders(dir, planned)));
  return { course: viewOf(outline, planned, lessons), lessons, problems };
}

function plan(outline: Outline): readonly PlannedLesson[] {
  return outline.parts
    .flatMap((part) => part.lessons)
    .map((lesson, index) => ({ ...lesson, number: index + 1 }));
}

interface LoadedLesson {
  readonly lesson: Lesson | undefined;
  readonly problems: readonly LessonProblem[];
}

async function loadLesson(
  root: string,
  planned: PlannedLesson,
  slugs: ReadonlySet<string>,
): Promise<LoadedLesson> {
  const { slug, number } = planned;
  const file = `${slug}/lesson.md`;
  const { report, problems } = openReport(file);
  const text = await readFile(join(root, file), "utf8").catch(() => undefined);
  if (text === undefined) report(1, `the file is missing; ${COURSE_FILE} says that this lesson is ready`);
  if (text === undefined) return { lesson: undefined, problems };
  const dir = join(root, slug);
  const files = await readFiles(join(dir, "files"), (path, message) => {
    problems.push({ file: `${slug}/files/${path}`, line: 1, message });
  });
  const parsed = parseLesson({ slug, number, dir, file, text, files, slugs });
  problems.push(...parsed.problems);
  if (parsed.lesson !== undefined) compare(planned, parsed.lesson, (message) => report(1, message));
  return { lesson: parsed.lesson, problems };
}

/** What the outline repeats of a lesson has to be the same. */
function compare(planned: PlannedLesson, { view }: Lesson, say: (message: string) => void): void {
  for (const key of ["title", "summary", "minutes"] as const) {
    if (planned[key] !== undefined && planned[key] !== view[key]) {
      say(`${key} is "${view[key]}" here and "${planned[key]}" in ${COURSE_FILE}`);
    }
  }
}

/** Every file under `dir` by its path with `/`. */
async function readFiles(
  dir: string,
  refuse: (path: string, message: string) => void,
): Promise<ReadonlyMap<string, string>> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true }).catch(() => []);
  const files = new Map<string, string>();
  for (const found of entries.filter((each) => !each.isDirectory())) {
    const path = relative(dir, join(found.parentPath, found.name)).split(sep).join("/");
    const bytes = found.isFile() ? await readFile(join(dir, path)) : undefined;
    if (bytes === undefined) refuse(path, "only plain files can be starting files");
    else if (bytes.length > MAX_FILE_BYTES) refuse(path, `larger than ${MAX_FILE_BYTES / 1024} KB`);
    else if (!/^[\w./-]+$/.test(path)) refuse(path, "file names are of letters, digits, - . and _");
    else files.set(path, bytes.toString("utf8"));
  }
  return new Map([...files].toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** Folders of lessons that the outline does not know would never be seen. */
async function strayFolders(
  dir: string,
  planned: readonly PlannedLesson[],
): Promise<readonly LessonProblem[]> {
  const ready = new Set(planned.filter((lesson) => lesson.ready).map((lesson) => lesson.slug));
  const entries = await readdir(dir, { withFileTypes: true });
  const message = `no ready lesson of ${COURSE_FILE} has this folder as its slug`;
  return entries
    .filter((each) => each.isDirectory() && /^\d\d-/.test(each.name) && !ready.has(each.name))
    .map((each) => ({ file: `${each.name}/lesson.md`, line: 1, message }));
}

function viewOf(
  outline: Outline,
  planned: readonly PlannedLesson[],
  lessons: ReadonlyMap<string, Lesson>,
): CourseView {
  const bySlug = new Map(planned.map((lesson) => [lesson.slug, lesson]));
  return {
    title: outline.title,
    parts: outline.parts.map((part) => ({
      title: part.title,
      lessons: part.lessons.map(({ slug, title, summary, minutes, ready }) => {
        const view = lessons.get(slug)?.view;
        return {
          number: bySlug.get(slug)?.number ?? 0,
          slug,
          title: view?.title ?? title ?? slug,
          summary: view?.summary ?? summary ?? "",
          minutes: view?.minutes ?? minutes ?? null,
          ready: ready && view !== undefined,
        };
      }),
    })),
  };
}
