import type { CourseView } from "server/protocol";

export type CourseLesson = CourseView["parts"][number]["lessons"][number];

export interface Neighbours {
  readonly part: string;
  readonly lesson: CourseLesson;
  readonly previous: CourseLesson | undefined;
  readonly next: CourseLesson | undefined;
  /** Number of lessons in the course, those to come included. */
  readonly total: number;
}

export function allLessons(course: CourseView): CourseLesson[] {
  return course.parts.flatMap((part) => part.lessons);
}

/** The lesson's place in the course; `undefined` for a slug that the course does not list. */
export function findLesson(course: CourseView, slug: string): Neighbours | undefined {
  const lessons = allLessons(course);
  const at = lessons.findIndex((lesson) => lesson.slug === slug);
  const lesson = lessons[at];
  if (lesson === undefined) return undefined;
  const part = course.parts.find((candidate) => candidate.lessons.includes(lesson))?.title ?? "";
  return { part, lesson, previous: lessons[at - 1], next: lessons[at + 1], total: lessons.length };
}

/** The nearest lesson in that direction that can be opened; lessons to come are passed over. */
export function nearestReady(course: CourseView, slug: string, step: 1 | -1): CourseLesson | undefined {
  const lessons = allLessons(course);
  const at = lessons.findIndex((lesson) => lesson.slug === slug);
  const ahead = step === 1 ? lessons.slice(at + 1) : lessons.slice(0, Math.max(0, at)).reverse();
  return ahead.find((lesson) => lesson.ready);
}

/** Where `/` leads: the last lesson if it can still be opened, else the first one that can. */
export function homeLesson(course: CourseView, last: string | null): string | undefined {
  const ready = allLessons(course).filter((lesson) => lesson.ready);
  return (ready.find((lesson) => lesson.slug === last) ?? ready[0])?.slug;
}
