import { type FSWatcher, watch } from "node:fs";
import { loadCourse } from "./course.ts";
import type { Course } from "./lesson.ts";

/** Editors write in several strokes; what comes within this time is one change. */
const SETTLE_MS = 100;

/**
 * Loads the course again whenever something in the lessons folder changed, for authors.
 *
 * @param onChange is called with the newest course; never twice at a time.
 * @returns ends the watching.
 */
export function watchCourse(dir: string, onChange: (course: Course) => void): () => void {
  let timer: NodeJS.Timeout | undefined;
  let watcher: FSWatcher | undefined;
  let closed = false;
  const reload = async (): Promise<void> => {
    const course = await loadCourse(dir);
    if (!closed) onChange(course);
  };
  const soon = (): void => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      // A file that vanishes while it is read is a change of its own: the next event reads again.
      reload().catch(soon);
    }, SETTLE_MS);
  };
  try {
    watcher = watch(dir, { recursive: true }, soon);
    watcher.on("error", () => watcher?.close());
  } catch {
    // Without watching (no inotify instances left, a network folder) authors restart the server.
  }
  return () => {
    closed = true;
    clearTimeout(timer);
    watcher?.close();
  };
}
