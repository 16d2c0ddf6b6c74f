import type { LessonView } from "server/protocol";
import { findLesson } from "./course.ts";
import type { Link, Reply } from "./link.ts";
import { showAhead } from "./receive.ts";
import type { Route } from "./route.ts";
import type { Saver } from "./saver.ts";
import type { Store } from "./store.ts";

export interface OpenLessonDeps {
  readonly store: Store;
  readonly link: Link;
  readonly saver: Saver;
  /** The lesson's text over plain HTTP, long before its shells are ready; `undefined` when it cannot be had. */
  readonly readLesson: (slug: string) => Promise<LessonView | undefined>;
}

/** The lesson is on the screen with its files and shells, and no other one is on its way. */
export function isLessonHere(store: Store, slug: string): boolean {
  return store.active.value === slug && store.opening.value === null;
}

/**
 * Shows what the address asks for. A lesson can be read at once; its files, shells and checks follow when the server has
 * made it the active one.
 *
 * @returns the server's reply, or `undefined` when there was nothing to ask.
 */
export async function followRoute(deps: OpenLessonDeps, route: Route): Promise<Reply | undefined> {
  const { store, link, saver } = deps;
  store.dialog.value = null;
  store.route.value = route;
  if (route.page !== "lesson" || !isReady(store, route.slug)) {
    store.opening.value = null;
    return undefined;
  }
  const { slug } = route;
  if (isLessonHere(store, slug)) return undefined;
  // What was typed belongs to the lesson that is being left: it goes out first.
  void saver.flush();
  store.opening.value = slug;
  void readAhead(deps, slug);
  const reply = await link.ask({ type: "open-lesson", lesson: slug });
  if (store.opening.value === slug) store.opening.value = null;
  return reply;
}

/** Puts the text of the lesson that is being opened on the screen. */
export async function readAhead(
  { store, readLesson }: Pick<OpenLessonDeps, "store" | "readLesson">,
  slug: string,
): Promise<void> {
  if (store.lesson.value?.slug === slug) return;
  const lesson = await readLesson(slug);
  const isWanted = store.opening.value === slug && store.lesson.value?.slug !== slug;
  if (lesson !== undefined && isWanted) showAhead(store, lesson);
}

/** Settles when no lesson is being opened. */
export async function whenOpened(store: Store): Promise<void> {
  if (store.opening.value === null) return;
  return new Promise((fulfil) => {
    const stop = store.opening.subscribe((slug) => {
      if (slug !== null) return;
      fulfil();
      queueMicrotask(() => stop());
    });
  });
}

/** Lessons to come and unknown names have a page of their own; the server is not asked for them. */
function isReady(store: Store, slug: string): boolean {
  const course = store.course.value;
  return course === null || findLesson(course, slug)?.lesson.ready === true;
}
