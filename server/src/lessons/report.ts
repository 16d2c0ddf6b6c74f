import type { LessonProblem } from "./lesson.ts";

/** Notes a problem of the file at hand; lines count from 1. */
export type Report = (line: number, message: string) => void;

/** Collects problems of one file. */
export function openReport(file: string): { readonly report: Report; readonly problems: LessonProblem[] } {
  const problems: LessonProblem[] = [];
  return { problems, report: (line, message) => problems.push({ file, line, message }) };
}
