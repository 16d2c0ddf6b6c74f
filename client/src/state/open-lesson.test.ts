import type { CheckState, CourseView, LessonView } from "server/protocol";
import { expect, test } from "vitest";
import { aServer, aStore } from "../../test/rig.ts";
import type { Question, Reply } from "./link.ts";
import { followRoute, isLessonHere, type OpenLessonDeps, whenOpened } from "./open-lesson.ts";
import { lessonProgress } from "./progress.ts";
import { receive } from "./receive.ts";
import type { Route } from "./route.ts";
import { openSaver } from "./saver.ts";
import type { Store } from "./store.ts";

const aLesson = (slug: string): LessonView => ({
  slug,
  number: 3,
  title: slug,
  summary: "",
  minutes: 10,
  open: "tasks.ts",
  files: ["tasks.ts"],
  blocks: [{ kind: "check", id: "online", title: "Online", required: true, withinSeconds: 0 }],
});

const to = (slug: string): Route => ({ page: "lesson", slug, file: null, anchor: null });
const file = { path: "tasks.ts", text: "a", hash: "#a", edited: false };
const green: CheckState = { id: "online", state: "green", message: "" };

interface Rig {
  readonly store: Store;
  readonly deps: OpenLessonDeps;
  readonly asked: readonly Question[];
  readonly reply: (reply: Reply) => void;
}

function aRig(): Rig {
  const store = aStore();
  const { link, asked, reply } = aServer();
  const saver = openSaver({ store, link, hash: async (text) => `#${text}`, after: () => () => {} });
  const deps = { store, link, saver, readLesson: async (slug: string) => aLesson(slug) };
  return { store, deps, asked, reply };
}

test("given a lesson being opened, when its text arrives first, then it can be read while shells are on their way", async () => {
  const { store, deps, reply } = aRig();

  const following = followRoute(deps, to("07"));
  await expect.poll(() => store.lesson.value?.slug).toBe("07");
  expect(isLessonHere(store, "07")).toBe(false);
  expect(store.shownPanes.value.worker.phase).toBe("starting");

  receive(store, { type: "lesson", lesson: aLesson("07"), files: [file] }, 1);
  reply({ ok: true });
  await following;

  expect(isLessonHere(store, "07")).toBe(true);
  expect(store.buffers.value.get("tasks.ts")?.text).toBe("a");
});

test("given a lesson being opened, when checks of the one before still come, then they count for neither", async () => {
  const { store, deps } = aRig();
  receive(store, { type: "lesson", lesson: aLesson("03"), files: [file] }, 1);
  void followRoute(deps, to("07"));
  await expect.poll(() => store.lesson.value?.slug).toBe("07");

  receive(store, { type: "checks", checks: [green] }, 2);

  expect(store.checks.value.size).toBe(0);
  expect(lessonProgress(store.progress.value, "07").doneAt).toBeNull();
});

test("given unsaved typing, when another lesson is opened, then it is saved first and cannot land in the other's file", async () => {
  const { store, deps, asked, reply } = aRig();
  receive(store, { type: "lesson", lesson: aLesson("03"), files: [file] }, 1);
  deps.saver.typed("tasks.ts", "mine");

  void followRoute(deps, to("07"));
  expect(asked.map((question) => question.type)).toEqual(["save", "open-lesson"]);
  receive(store, { type: "lesson", lesson: aLesson("07"), files: [file] }, 2);
  reply({ ok: true });
  reply({ ok: true });
  await whenOpened(store);

  expect(store.buffers.value.get("tasks.ts")).toMatchObject({
    text: "a",
    baseHash: "#a",
    save: { phase: "saved" },
  });
});

test("given two lessons opened one after the other, when the first one arrives late, then the second stays", async () => {
  const { store, deps, reply } = aRig();
  void followRoute(deps, to("03"));
  void followRoute(deps, to("07"));

  receive(store, { type: "lesson", lesson: aLesson("03"), files: [file] }, 1);
  reply({ ok: true });
  receive(store, { type: "lesson", lesson: aLesson("07"), files: [file] }, 1);
  reply({ ok: true });
  await whenOpened(store);

  expect(store.active.value).toBe("07");
});

test("given a lesson that is here, when its address is followed again, then the server is not asked", async () => {
  const { store, deps, asked } = aRig();
  receive(store, { type: "lesson", lesson: aLesson("03"), files: [file] }, 1);

  expect(await followRoute(deps, to("03"))).toBeUndefined();
  expect(asked).toEqual([]);
});

test("given a lesson to come, when its address is followed, then nothing is waited for", async () => {
  const { store, deps, asked } = aRig();
  const lesson = { number: 4, slug: "04", title: "Redis", summary: "", minutes: null, ready: false };
  const course: CourseView = { title: "Course", parts: [{ title: "See it", lessons: [lesson] }] };
  store.course.value = course;
  store.opening.value = "04";

  await followRoute(deps, to("04"));

  expect(asked).toEqual([]);
  expect(store.opening.value).toBeNull();
});
