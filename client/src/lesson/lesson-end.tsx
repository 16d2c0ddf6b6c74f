import type { JSX } from "preact";
import type { CourseView, LessonView } from "server/protocol";
import { type CourseLesson, findLesson, nearestReady } from "../state/course.ts";
import { lessonProgress } from "../state/progress.ts";
import { lessonHref } from "../state/route.ts";
import type { Store } from "../state/store.ts";
import { count, durationWords } from "../state/words.ts";
import { Mark } from "../ui/mark.tsx";
import { usePage } from "../ui/page-context.ts";

/** A lesson left open over lunch says nothing about the learner's pace. */
const LONGEST_TOLD_SECONDS = 2 * 3600;
/** Nor does one that another browser had finished. */
const SHORTEST_TOLD_SECONDS = 5;

/** What was done, in one sentence with numbers, and the way on. */
export function LessonEnd({ lesson }: { lesson: LessonView }): JSX.Element {
  const { store } = usePage();
  const course = store.course.value;
  const isComplete = store.checkProgress.value.complete;
  return (
    <div class="lesson-end">
      {isComplete ? (
        <p class="completion">
          <Mark tone="ok" />
          {completionSentence(store, lesson)}
        </p>
      ) : null}
      {course === null ? null : <Neighbours course={course} slug={lesson.slug} isComplete={isComplete} />}
    </div>
  );
}

function Neighbours(props: { course: CourseView; slug: string; isComplete: boolean }): JSX.Element | null {
  const { course, slug, isComplete } = props;
  const place = findLesson(course, slug);
  if (place === undefined) return null;
  const next = nearestReady(course, slug, 1);
  const skipped = next === undefined ? 0 : next.number - place.lesson.number - 1;
  return (
    <nav class="neighbours" aria-label="Previous and next lesson">
      <NeighbourLink lesson={nearestReady(course, slug, -1)} word="Previous lesson" class="button" />
      <NeighbourLink
        lesson={next}
        word="Next lesson"
        class={`button neighbour-next ${isComplete ? "button-primary" : ""}`}
      />
      {skipped > 0 ? (
        <p class="neighbours-note">
          {count(skipped, "lesson")} in between {skipped === 1 ? "is" : "are"} still to come.
        </p>
      ) : null}
    </nav>
  );
}

function NeighbourLink(props: {
  lesson: CourseLesson | undefined;
  word: string;
  class: string;
}): JSX.Element | null {
  const { lesson } = props;
  const { actions } = usePage();
  if (lesson === undefined) return null;
  const open = (event: MouseEvent): void => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    actions.openLesson(lesson.slug);
  };
  return (
    <a class={props.class} href={lessonHref(lesson.slug)} onClick={open}>
      <span class="neighbour-word">{props.word}</span>
      <span>
        {lesson.number}. {lesson.title}
      </span>
    </a>
  );
}

function completionSentence(store: Store, lesson: LessonView): string {
  const { green, total } = store.checkProgress.value;
  const { success, failure, retry } = store.queue.value.results;
  const parts = [`${green} of ${total} checks`];
  if (success + failure > 0) parts.push(`${count(success + failure, "task")} run`);
  if (failure > 0) parts.push(`${failure} failed`);
  if (retry > 0) parts.push(count(retry, "retry", "retries"));
  const { openedAt, doneAt } = lessonProgress(store.progress.value, lesson.slug);
  const seconds = openedAt === null || doneAt === null ? 0 : (doneAt - openedAt) / 1000;
  const time =
    seconds > SHORTEST_TOLD_SECONDS && seconds < LONGEST_TOLD_SECONDS ? `, in ${durationWords(seconds)}` : "";
  return `Lesson ${lesson.number} is done: ${parts.join(", ")}${time}.`;
}
