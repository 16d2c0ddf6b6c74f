import type { JSX } from "preact";
import { allLessons } from "../state/course.ts";
import { lessonHref } from "../state/route.ts";
import { usePage } from "../ui/page-context.ts";
import { LessonView } from "./lesson-view.tsx";

/** The region named `Lesson`: the text, or what to say while there is none, over the line that tells how far one is. */
export function LessonRegion(): JSX.Element {
  const { store } = usePage();
  return (
    <section class="region lesson-region" aria-label="Lesson" id="region-lesson" tabIndex={-1}>
      <LessonContent />
      {store.lesson.value === null ? null : <ProgressLine />}
    </section>
  );
}

function LessonContent(): JSX.Element {
  const { store } = usePage();
  const route = store.route.value;
  const course = store.course.value;
  if (route.page === "unknown") return <NoSuchPage what={`There is nothing at ${route.path}.`} />;
  const lesson = store.lesson.value;
  if (lesson !== null && (route.page === "home" || route.slug === lesson.slug))
    return <LessonView lesson={lesson} />;
  const listed =
    route.page === "lesson" && course ? allLessons(course).find((it) => it.slug === route.slug) : null;
  if (listed === undefined && route.page === "lesson") {
    return <NoSuchPage what={`The course has no lesson named “${route.slug}”.`} />;
  }
  if (listed && !listed.ready) {
    return <NoSuchPage what={`Lesson ${listed.number}, “${listed.title}”, is still to come.`} />;
  }
  return (
    <p class="lesson-wait">{lesson === null ? "Opening the lesson…" : "Preparing its files and shells…"}</p>
  );
}

function NoSuchPage({ what }: { what: string }): JSX.Element {
  const { store, actions } = usePage();
  const course = store.course.value;
  const lessons = course === null ? [] : allLessons(course).filter((lesson) => lesson.ready);
  return (
    <div class="lesson-scroll">
      <article class="lesson">
        <h1>No lesson here</h1>
        <div class="prose">
          <p>{what} These can be opened:</p>
          <ul>
            {lessons.map((lesson) => (
              <li key={lesson.slug}>
                <a
                  href={lessonHref(lesson.slug)}
                  onClick={(event) => {
                    event.preventDefault();
                    actions.openLesson(lesson.slug);
                  }}
                >
                  {lesson.number}. {lesson.title}
                </a>
              </li>
            ))}
          </ul>
        </div>
      </article>
    </div>
  );
}

/** How far the lesson is, always in sight; it leads to the list of checks. */
function ProgressLine(): JSX.Element | null {
  const { store } = usePage();
  const { green, total } = store.checkProgress.value;
  if (total === 0) return null;
  return (
    <div class="progress-line">
      <div
        class="progress-track"
        role="progressbar"
        aria-label="Checks of this lesson"
        aria-valuenow={green}
        aria-valuemin={0}
        aria-valuemax={total}
      >
        <div class="progress-fill" style={{ transform: `scaleX(${green / total})` }} />
      </div>
      <a class="numbers" href="#checks">
        {green} of {total} checks
      </a>
    </div>
  );
}
