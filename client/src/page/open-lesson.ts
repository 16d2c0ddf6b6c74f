import { effect } from "@preact/signals";
import type { Api } from "../net/api.ts";
import type { Actions } from "../state/actions.ts";
import { homeLesson } from "../state/course.ts";
import { isLessonHere, readAhead } from "../state/open-lesson.ts";
import { lessonHref, parseRoute } from "../state/route.ts";
import type { Store, Welcome } from "../state/store.ts";

/**
 * Brings the lesson of the address on the screen: its text as soon as it can be read, then, when the socket is up, its
 * files, shells and checks.
 */
export function openLessonOfAddress(store: Store, api: Api, actions: Actions): void {
  // Whatever lesson the server has open: this page is about its own, or will find out which at home.
  const expected = expectedLesson(store);
  store.opening.value = expected;
  if (expected !== null && expected !== "") {
    void readAhead({ store, readLesson: async (slug) => api.lesson(slug) }, expected);
  }
  followConnection(store, api, actions);
  window.addEventListener("popstate", () => actions.follow(parseRoute(location)));
  showFileOfAddress(store, actions);
}

/** Slug of the lesson that the address leads to; "" while that is not known, null where it leads to none. */
function expectedLesson(store: Store): string | null {
  const route = store.route.value;
  if (route.page === "unknown") return null;
  return route.page === "lesson" ? route.slug : (store.progress.value.last ?? "");
}

function followConnection(store: Store, api: Api, actions: Actions): void {
  let greeted: Welcome | null = null;
  effect(() => {
    if (store.course.value === null) void loadCourse(store, api, store.connection.value.phase);
  });
  effect(() => {
    const welcome = store.welcome.value;
    const course = store.course.value;
    if (welcome === null || course === null || welcome === greeted) return;
    const isFirst = greeted === null;
    greeted = welcome;
    queueMicrotask(() => settle(store, actions, welcome, isFirst));
  });
}

async function loadCourse(store: Store, api: Api, phase: string): Promise<void> {
  if (phase === "waiting" || phase === "refused") return;
  const course = await api.course().catch(() => undefined); // Asked again when the socket is up.
  if (course !== undefined && store.course.value === null) store.course.value = course;
}

/**
 * At the start this page's address decides. After a reconnect it follows what another tab has opened meanwhile, unless
 * it was still waiting for a lesson of its own.
 */
function settle(store: Store, actions: Actions, welcome: Welcome, isFirst: boolean): void {
  const route = store.route.value;
  const isInStep = route.page === "lesson" && isLessonHere(store, route.slug);
  if (!isFirst && isInStep && welcome.lesson !== null) return;
  if (route.page !== "home") return actions.follow(route);
  const course = store.course.value;
  const slug = course === null ? undefined : homeLesson(course, store.progress.value.last);
  if (slug === undefined) {
    store.opening.value = null;
    return;
  }
  history.replaceState(null, "", lessonHref(slug));
  actions.follow({ page: "lesson", slug, file: null, anchor: null });
}

/** `?file=tasks.ts#L8` shows the lines once the file is here, and once for each address. */
function showFileOfAddress(store: Store, actions: Actions): void {
  let shown: unknown;
  effect(() => {
    const route = store.route.value;
    if (route.page !== "lesson" || route.file === null || route.file === shown) return;
    if (!store.buffers.value.has(route.file.path)) return;
    const { file } = route;
    shown = file;
    queueMicrotask(() => actions.showFile({ ...file, focus: false }));
  });
}
