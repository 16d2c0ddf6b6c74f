import type { CheckState, FileView, LessonBlock, LessonView } from "server/protocol";
import { expect, test } from "vitest";
import { advanceBuffer } from "./file-buffer.ts";
import { answerTo, lessonProgress, NO_PROGRESS } from "./progress.ts";
import { receive } from "./receive.ts";
import { DEFAULT_SETTINGS } from "./settings.ts";
import { openStore, type Store } from "./store.ts";

const blocks: readonly LessonBlock[] = [
  {
    kind: "predict",
    id: "guess",
    question: "?",
    options: [{ letter: "A", html: "a" }],
    answer: "A",
    html: "",
    locks: "send",
  },
  { kind: "run", id: "send", pane: "producer", command: "tsx send.ts", label: null, confirm: null },
  { kind: "check", id: "sent", title: "One was sent", required: true, withinSeconds: 0 },
];

const aLesson = (slug: string): LessonView => ({
  slug,
  number: 3,
  title: "Delay",
  summary: "",
  minutes: 10,
  open: "tasks.ts",
  files: ["tasks.ts", "app.ts"],
  blocks,
});

const aFile = (path: string, text: string): FileView => ({ path, text, hash: `#${text}`, edited: false });
const files = [aFile("tasks.ts", "a"), aFile("app.ts", "b")];
const red: CheckState = { id: "sent", state: "red", message: "Send one." };
const green: CheckState = { id: "sent", state: "green", message: "Sent." };

const aStore = (): Store =>
  openStore({
    route: { page: "home" },
    progress: NO_PROGRESS,
    settings: DEFAULT_SETTINGS,
    viewport: "narrow",
  });

const inLesson = (slug = "03-delay"): Store => {
  const store = aStore();
  receive(store, { type: "lesson", lesson: aLesson(slug), files }, 1_000);
  return store;
};

test("given no lesson, when one comes, then its file is open and its opening is remembered", () => {
  const store = inLesson();

  expect(store.activeFile.value).toBe("tasks.ts");
  expect([...store.buffers.value.keys()]).toEqual(["tasks.ts", "app.ts"]);
  expect(store.currentPane.value).toBe("producer");
  expect(lessonProgress(store.progress.value, "03-delay").openedAt).toBe(1_000);
});

test("given a lesson being opened, when an older one still arrives, then it is ignored", () => {
  const store = aStore();
  store.opening.value = "07-forget";

  receive(store, { type: "lesson", lesson: aLesson("03-delay"), files }, 1);
  expect(store.lesson.value).toBeNull();

  receive(store, { type: "lesson", lesson: aLesson("07-forget"), files }, 1);
  expect(store.lesson.value?.slug).toBe("07-forget");
});

test("given something unsaved, when the same lesson comes again, then it is kept", () => {
  const store = inLesson();
  const buffer = store.buffers.value.get("tasks.ts");
  if (buffer === undefined) throw new Error("no buffer");
  store.buffers.value = new Map([["tasks.ts", advanceBuffer(buffer, { type: "typed", text: "mine" })]]);
  store.activeFile.value = "app.ts";

  receive(store, { type: "lesson", lesson: aLesson("03-delay"), files }, 2);

  expect(store.buffers.value.get("tasks.ts")?.text).toBe("mine");
  expect(store.activeFile.value).toBe("app.ts");
});

test("given a prediction, when its step starts, then it is locked and its pane is the large one", () => {
  const store = inLesson();
  store.currentPane.value = "broker";

  receive(store, { type: "steps", steps: { send: { phase: "queued", because: "shell" } } }, 1);
  expect(answerTo(store.progress.value, "03-delay", "guess").settled).toBe(false);

  receive(store, { type: "steps", steps: { send: { phase: "running", since: 1 } } }, 1);
  expect(answerTo(store.progress.value, "03-delay", "guess").settled).toBe(true);
  expect(store.currentPane.value).toBe("producer");
});

test("given a running step, when it ends, then it is read out once and counts as a try at the current check", () => {
  const store = inLesson();
  receive(store, { type: "checks", checks: [red] }, 1);
  receive(store, { type: "steps", steps: { send: { phase: "running", since: 1 } } }, 1);

  const done = { send: { phase: "done", exit: 0, seconds: 1 } } as const;
  receive(store, { type: "steps", steps: done }, 2);
  receive(store, { type: "steps", steps: done }, 3);

  expect(store.news.value).toEqual(["Finished with exit 0: tsx send.ts"]);
  expect(store.hintWatch.value).toEqual({ check: "sent", since: 1, reds: 1 });
});

test("given the last required check, when it turns green, then the lesson is done and it is read out", () => {
  const store = inLesson();
  receive(store, { type: "checks", checks: [red] }, 1);

  receive(store, { type: "checks", checks: [green] }, 9_000);

  expect(store.news.value).toEqual(["Check passed: One was sent"]);
  expect(store.checkProgress.value).toEqual({ green: 1, total: 1, complete: true });
  expect(lessonProgress(store.progress.value, "03-delay").doneAt).toBe(9_000);
});

test("given checks that are green when the page opens, when they come, then nothing is read out", () => {
  const store = inLesson();

  receive(store, { type: "checks", checks: [green] }, 1);

  expect(store.news.value).toEqual([]);
});

test("given another lesson, when it comes, then nothing of the one before is left", () => {
  const store = inLesson();
  receive(store, { type: "checks", checks: [green] }, 1);
  receive(store, { type: "steps", steps: { send: { phase: "done", exit: 0, seconds: 1 } } }, 1);

  receive(store, { type: "lesson", lesson: aLesson("07-forget"), files: [] }, 2);

  expect(store.checks.value.size).toBe(0);
  expect(store.steps.value).toEqual({});
});

test("given a notice, when one of the same id comes, then it takes its place, and when it is over it goes", () => {
  const store = aStore();
  receive(store, { type: "notice", id: "redis", level: "error", text: "Gone." }, 1);
  receive(store, { type: "notice", id: "redis", level: "info", text: "Back." }, 1);
  expect(store.notices.value).toEqual([{ id: "redis", level: "info", text: "Back." }]);

  receive(store, { type: "notice-gone", id: "redis" }, 1);
  expect(store.notices.value).toEqual([]);
});

test("given skipped lines, when the pane starts its next command, then the count starts over", () => {
  const store = aStore();
  receive(store, { type: "skipped", pane: "worker", lines: 300 }, 1);
  receive(store, { type: "skipped", pane: "worker", lines: 200 }, 1);
  expect(store.skipped.value.worker).toBe(500);

  receive(
    store,
    { type: "pane", pane: "worker", state: { phase: "busy", epoch: 1, command: "yes", since: 1 } },
    1,
  );
  expect(store.skipped.value.worker).toBe(0);
});

test("given a narrow page on the lesson, when panes and code change, then their tabs are marked", () => {
  const store = inLesson();

  receive(
    store,
    { type: "pane", pane: "worker", state: { phase: "idle", epoch: 1, exit: 0, seconds: 1 } },
    1,
  );
  receive(store, { type: "file", file: aFile("tasks.ts", "changed") }, 1);

  expect([...store.changedTabs.value].sort()).toEqual(["code", "terminals"]);
  expect(store.buffers.value.get("tasks.ts")?.text).toBe("changed");
});
