import type { JSX } from "preact";
import type { CourseLesson } from "../state/course.ts";
import { lessonProgress } from "../state/progress.ts";
import { lessonHref } from "../state/route.ts";
import { Dialog } from "../ui/dialog.tsx";
import { Mark, type MarkTone } from "../ui/mark.tsx";
import { usePage } from "../ui/page-context.ts";

/** All lessons by part; those to come are named and cannot be opened. */
export function LessonMenu(): JSX.Element {
  const { store } = usePage();
  const course = store.course.value;
  const close = (): void => {
    store.dialog.value = null;
  };
  return (
    <Dialog title="Lessons" shape="sheet" onClose={close}>
      <nav aria-label="Lessons of the course">
        {course === null ? <p>The list has not arrived yet.</p> : null}
        {course?.parts.map((part) => (
          <div key={part.title} class="menu-part">
            <h3>{part.title}</h3>
            <ol>
              {part.lessons.map((lesson) => (
                <li key={lesson.slug}>
                  <Item lesson={lesson} />
                </li>
              ))}
            </ol>
          </div>
        ))}
      </nav>
    </Dialog>
  );
}

function Item({ lesson }: { lesson: CourseLesson }): JSX.Element {
  const { store, actions } = usePage();
  const { openedAt, doneAt } = lessonProgress(store.progress.value, lesson.slug);
  const isCurrent = store.lesson.value?.slug === lesson.slug;
  if (!lesson.ready) {
    return (
      <span class="menu-lesson" aria-disabled="true">
        <span class="menu-number numbers">{lesson.number}</span>
        <span class="menu-title">{lesson.title}</span>
        <span class="menu-state">to come</span>
      </span>
    );
  }
  const state = doneAt !== null ? "done" : openedAt !== null ? "begun" : "";
  const tone: MarkTone = doneAt !== null ? "ok" : "queued";
  return (
    <a
      class="menu-lesson"
      href={lessonHref(lesson.slug)}
      aria-current={isCurrent ? "page" : undefined}
      onClick={(event) => {
        if (event.ctrlKey || event.metaKey || event.shiftKey) return;
        event.preventDefault();
        actions.openLesson(lesson.slug);
      }}
    >
      <span class="menu-number numbers">{lesson.number}</span>
      <span class="menu-title">
        {lesson.title}
        <span class="menu-summary">{lesson.summary}</span>
      </span>
      <span class="menu-state numbers" data-state={state}>
        {state === "" ? lesson.minutes === null ? "" : `${lesson.minutes} min` : <Mark tone={tone} />}
        {state}
      </span>
    </a>
  );
}
