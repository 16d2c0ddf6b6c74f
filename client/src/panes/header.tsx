import type { JSX } from "preact";
import { findLesson, nearestReady } from "../state/course.ts";
import { type PaneStatus, systemStatus } from "../state/pane-words.ts";
import { Icon } from "../ui/icons.tsx";
import { Mark } from "../ui/mark.tsx";
import { usePage } from "../ui/page-context.ts";
import { MoreMenu } from "./more-menu.tsx";
import { ThemeButton } from "./theme-button.tsx";

export function Header(): JSX.Element {
  const { store } = usePage();
  return (
    <header class="header">
      <button
        type="button"
        class="icon-button"
        aria-label="Lessons"
        title="Lessons"
        onClick={() => {
          store.dialog.value = { kind: "lessons" };
        }}
      >
        <Icon name="menu" />
      </button>
      <span class="brand">Celery Playground</span>
      <Place />
      <span class="header-space" />
      <System />
      {store.viewport.value === "middle" ? <DrawerButton /> : null}
      <ThemeButton />
      <button
        type="button"
        class="icon-button"
        aria-label="Keyboard shortcuts"
        title="Keyboard shortcuts (?)"
        onClick={() => {
          store.dialog.value = { kind: "keys" };
        }}
      >
        <Icon name="keys" />
      </button>
      <MoreMenu />
    </header>
  );
}

function Place(): JSX.Element | null {
  const { store, actions } = usePage();
  const course = store.course.value;
  const route = store.route.value;
  const slug = route.page === "lesson" ? route.slug : store.lesson.value?.slug;
  const place = course && slug !== undefined ? findLesson(course, slug) : undefined;
  if (!course || place === undefined) return null;
  const { lesson, part, total } = place;
  const step = (direction: 1 | -1): JSX.Element => {
    const target = nearestReady(course, lesson.slug, direction);
    const word = direction === 1 ? "Next lesson" : "Previous lesson";
    const label = target === undefined ? word : `${word}: ${target.title}`;
    return (
      <button
        type="button"
        class="icon-button"
        aria-label={label}
        title={label}
        disabled={target === undefined}
        onClick={() => target && actions.openLesson(target.slug)}
      >
        <Icon name={direction === 1 ? "next" : "previous"} />
      </button>
    );
  };
  return (
    <div class="place">
      <span class="place-part">{part}</span>
      <span class="place-title">
        {lesson.number}. {lesson.title}
      </span>
      <span class="place-steps">
        {step(-1)}
        <span class="numbers">
          {lesson.number}/{total}
        </span>
        {step(1)}
      </span>
    </div>
  );
}

function System(): JSX.Element {
  const { store } = usePage();
  const { redis, workers } = systemStatus(store.redis.value, store.queue.value);
  return (
    <div class="system">
      <Status status={redis} title={store.redis.value?.url ?? "Redis"} />
      <Status
        status={workers}
        title={store.queue.value.workers.map((worker) => worker.hostname).join(", ")}
      />
    </div>
  );
}

function Status({ status, title }: { status: PaneStatus; title: string }): JSX.Element {
  return (
    <span class="system-status numbers" data-tone={status.tone} title={title}>
      <Mark tone={status.tone === "active" ? "on" : status.tone} />
      <span class="system-words">{status.words}</span>
    </span>
  );
}

function DrawerButton(): JSX.Element {
  const { store, actions } = usePage();
  const isOpen = store.settings.value.drawerOpen;
  return (
    <button
      type="button"
      class="icon-button"
      aria-label="Show the lesson"
      title={isOpen ? "Hide the lesson" : "Show the lesson"}
      aria-pressed={isOpen}
      onClick={() => actions.change({ drawerOpen: !isOpen })}
    >
      <Icon name="lesson" />
    </button>
  );
}
