import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { LessonView as Lesson, LessonBlock } from "server/protocol";
import { type BlockGroup, groupBlocks, runBlocks } from "../state/blocks.ts";
import { findLesson } from "../state/course.ts";
import { lessonProgress } from "../state/progress.ts";
import { usePage } from "../ui/page-context.ts";
import { ChecksList } from "./checks-list.tsx";
import { CodeView } from "./code-block.tsx";
import { EditCard } from "./edit-card.tsx";
import { Hint } from "./hint.tsx";
import { Html } from "./html-block.tsx";
import { InlineCheck } from "./inline-check.tsx";
import { LessonEnd } from "./lesson-end.tsx";
import { followLink, scrollToAnchor } from "./links.ts";
import { PredictCard } from "./predict-card.tsx";
import { QuizCard } from "./quiz-card.tsx";
import { StepCard } from "./step-card.tsx";

/** The lesson's text with its steps, questions and checks. */
export function LessonView({ lesson }: { lesson: Lesson }): JSX.Element {
  const page = usePage();
  const scroller = useRef<HTMLDivElement>(null);
  const route = page.store.route.value;
  const anchor = route.page === "lesson" && route.slug === lesson.slug ? route.anchor : null;
  useEffect(() => {
    if (anchor !== null) return scrollToAnchor(anchor);
    const { place, doneAt } = lessonProgress(page.store.progress.peek(), lesson.slug);
    const last = place === null || doneAt !== null ? null : document.getElementById(place);
    if (last === null) scroller.current?.scrollTo({ top: 0 });
    else last.scrollIntoView({ block: "start" });
  }, [lesson.slug, anchor]);
  const isSerif = page.store.settings.value.serif;
  return (
    <div
      class="lesson-scroll"
      ref={scroller}
      data-region-focus
      tabIndex={-1}
      onClick={(event) => followLink(event, page)}
    >
      <article class={`lesson ${isSerif ? "lesson-serif" : ""}`}>
        <LessonHead lesson={lesson} />
        {groupBlocks(lesson.blocks).map((group, index) => (
          <Group key={groupKey(group, index)} group={group} lesson={lesson} />
        ))}
        <ChecksList lesson={lesson} />
        <LessonEnd lesson={lesson} />
      </article>
    </div>
  );
}

function LessonHead({ lesson }: { lesson: Lesson }): JSX.Element {
  const { store } = usePage();
  const place = store.course.value ? findLesson(store.course.value, lesson.slug) : undefined;
  const of = place === undefined ? "" : ` of ${place.total}`;
  return (
    <header class="lesson-head">
      <p class="eyebrow numbers">
        Lesson {lesson.number}
        {of} · {lesson.minutes} min
      </p>
      <h1>{lesson.title}</h1>
      <p class="summary">{lesson.summary}</p>
    </header>
  );
}

function Group({ group, lesson }: { group: BlockGroup; lesson: Lesson }): JSX.Element {
  if (group.kind === "single") return <Block block={group.block} lesson={lesson} />;
  const { action, checks } = group;
  if (action.kind === "edit") return <EditCard block={action} checks={checks} />;
  return <StepCard block={action} checks={checks} isFirst={runBlocks(lesson)[0]?.id === action.id} />;
}

function Block({ block, lesson }: { block: LessonBlock; lesson: Lesson }): JSX.Element {
  switch (block.kind) {
    case "html":
      return <Html html={block.html} />;
    case "code":
      return <CodeView block={block} />;
    case "hint":
      return <Hint block={block} lesson={lesson} />;
    case "quiz":
      return <QuizCard block={block} slug={lesson.slug} />;
    case "predict":
      return <PredictCard block={block} slug={lesson.slug} />;
    case "check":
      return (
        <div class="card">
          <InlineCheck block={block} />
        </div>
      );
    case "edit":
      return <EditCard block={block} checks={[]} />;
    case "run":
      return <StepCard block={block} checks={[]} isFirst={false} />;
  }
}

/** Blocks with an id keep their place when a lesson is edited while it is open; text is keyed by position. */
function groupKey(group: BlockGroup, index: number): string {
  const block = group.kind === "action" ? group.action : group.block;
  return "id" in block ? `${block.kind}-${block.id}` : `at-${index}`;
}
