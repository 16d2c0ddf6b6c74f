/** What a learner has done, kept in the browser. The server keeps files and checks; this is the rest. */
export interface Progress {
  readonly version: 1;
  /** Slug of the lesson opened last. */
  readonly last: string | null;
  readonly lessons: Readonly<Record<string, LessonProgress>>;
}

/** Times are epoch milliseconds. */
export interface LessonProgress {
  readonly openedAt: number | null;
  readonly doneAt: number | null;
  /** Answers to quizzes and predictions, by block id. */
  readonly answers: Readonly<Record<string, Answer>>;
  /** Ids of the hints that were opened. */
  readonly hints: readonly string[];
  /** Id of the step or edit used last: where to go on. */
  readonly place: string | null;
}

export interface Answer {
  /** Letter of the option; null when a prediction was skipped. */
  readonly picked: string | null;
  /** How many times a quiz was answered wrong. */
  readonly wrong: number;
  /** A quiz that was answered right, or a prediction whose step has run: no more changes. */
  readonly settled: boolean;
}

export const NO_PROGRESS: Progress = { version: 1, last: null, lessons: {} };
const NO_LESSON: LessonProgress = { openedAt: null, doneAt: null, answers: {}, hints: [], place: null };
const NO_ANSWER: Answer = { picked: null, wrong: 0, settled: false };

export type ProgressEvent =
  | { readonly type: "opened"; readonly slug: string; readonly at: number }
  | { readonly type: "done"; readonly slug: string; readonly at: number }
  | { readonly type: "predicted"; readonly slug: string; readonly block: string; readonly letter: string }
  /** The step that the prediction is about has started. */
  | { readonly type: "locked"; readonly slug: string; readonly block: string }
  | {
      readonly type: "answered";
      readonly slug: string;
      readonly block: string;
      readonly letter: string;
      readonly right: boolean;
    }
  | { readonly type: "went-to"; readonly slug: string; readonly block: string }
  | { readonly type: "hint-opened"; readonly slug: string; readonly block: string }
  /** The lesson starts over; that it was done once stays true. */
  | { readonly type: "reset"; readonly slug: string; readonly at: number };

/** The next state, or the same object when the event changes nothing. */
export function advanceProgress(progress: Progress, event: ProgressEvent): Progress {
  const lesson = lessonProgress(progress, event.slug);
  const next = advanceLesson(lesson, event);
  const last = event.type === "opened" ? event.slug : progress.last;
  if (next === lesson && last === progress.last) return progress;
  return { ...progress, last, lessons: { ...progress.lessons, [event.slug]: next } };
}

export function lessonProgress(progress: Progress, slug: string): LessonProgress {
  return progress.lessons[slug] ?? NO_LESSON;
}

export function answerTo(progress: Progress, slug: string, block: string): Answer {
  return lessonProgress(progress, slug).answers[block] ?? NO_ANSWER;
}

export function lessonsDone(progress: Progress): number {
  return Object.values(progress.lessons).filter((lesson) => lesson.doneAt !== null).length;
}

function advanceLesson(lesson: LessonProgress, event: ProgressEvent): LessonProgress {
  switch (event.type) {
    case "opened":
      return lesson.openedAt === null ? { ...lesson, openedAt: event.at } : lesson;
    case "done":
      return lesson.doneAt === null ? { ...lesson, doneAt: event.at } : lesson;
    case "predicted":
      return changeAnswer(lesson, event.block, (old) =>
        old.settled ? old : { ...old, picked: event.letter },
      );
    case "locked":
      return changeAnswer(lesson, event.block, (old) => (old.settled ? old : { ...old, settled: true }));
    case "answered":
      return changeAnswer(lesson, event.block, (old) => answered(old, event.letter, event.right));
    case "went-to":
      return lesson.place === event.block ? lesson : { ...lesson, place: event.block };
    case "hint-opened":
      return lesson.hints.includes(event.block)
        ? lesson
        : { ...lesson, hints: [...lesson.hints, event.block] };
    case "reset":
      return { ...NO_LESSON, openedAt: event.at, doneAt: lesson.doneAt };
  }
}

function answered(old: Answer, letter: string, right: boolean): Answer {
  if (old.settled) return old;
  return { picked: letter, wrong: old.wrong + (right ? 0 : 1), settled: right };
}

function changeAnswer(
  lesson: LessonProgress,
  block: string,
  change: (old: Answer) => Answer,
): LessonProgress {
  const old = lesson.answers[block] ?? NO_ANSWER;
  const next = change(old);
  return next === old ? lesson : { ...lesson, answers: { ...lesson.answers, [block]: next } };
}
