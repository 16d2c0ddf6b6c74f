import type { CourseView, LessonView } from "server/protocol";
import { expect, test } from "vitest";
import { aServer, aStore } from "../../test/rig.ts";
import { type Actions, openActions } from "./actions.ts";
import type { Question, Reply } from "./link.ts";
import { receive } from "./receive.ts";
import { openSaver } from "./saver.ts";
import type { Store } from "./store.ts";

const lesson: LessonView = {
  slug: "03-delay",
  number: 3,
  title: "Delay",
  summary: "",
  minutes: 10,
  open: "tasks.ts",
  files: ["tasks.ts"],
  blocks: [
    { kind: "run", id: "start", pane: "worker", command: "celery worker", label: null, confirm: null },
    {
      kind: "run",
      id: "wipe",
      pane: "broker",
      command: "redis-cli FLUSHALL",
      label: null,
      confirm: "Empty Redis?",
    },
    { kind: "edit", id: "multiply", file: "tasks.ts", diff: "+x", solution: false },
  ],
};

const course: CourseView = {
  title: "Course",
  parts: [
    {
      title: "See it",
      lessons: [
        { number: 3, slug: "03-delay", title: "Delay", summary: "", minutes: 10, ready: true },
        { number: 4, slug: "04-redis", title: "Redis", summary: "", minutes: null, ready: false },
      ],
    },
  ],
};

interface Rig {
  readonly store: Store;
  readonly actions: Actions;
  readonly asked: readonly Question[];
  readonly addresses: string[];
}

/** The page's actions over a server whose replies the test gives; after the last one it answers ok. */
function aRig(...replies: Reply[]): Rig {
  const store = aStore();
  const addresses: string[] = [];
  const { link, asked } = aServer(() => replies.shift() ?? { ok: true });
  const saver = openSaver({ store, link, hash: async (text) => `#${text}`, after: () => () => {} });
  const actions = openActions({
    store,
    link,
    saver,
    navigate: (href) => addresses.push(href),
    readLesson: async () => undefined,
    readPane: async () => "",
    now: () => 5_000,
  });
  store.course.value = course;
  const file = { path: "tasks.ts", text: "a", hash: "#a", edited: false };
  receive(store, { type: "lesson", lesson, files: [file] }, 1);
  return { store, actions, asked, addresses };
}

/** Answers the dialog on the screen. */
function answer(store: Store, isYes: boolean): void {
  const dialog = store.dialog.value;
  if (dialog?.kind !== "question") throw new Error("No question is open.");
  store.dialog.value = null;
  dialog.answer(isYes);
}

const busy: Reply = { ok: false, code: "busy", message: "The worker pane is running celery." };

test("given unsaved typing, when a step runs, then the file is saved first", async () => {
  const { actions, asked, store } = aRig();
  actions.typed("tasks.ts", "ab");

  await actions.runStep("start");

  expect(asked).toEqual([
    { type: "save", path: "tasks.ts", text: "ab", base: "#a" },
    { type: "run", step: "start" },
  ]);
  expect(store.settings.value.hasRunAStep).toBe(true);
});

test("given a busy pane, when the learner agrees to stop it, then the step is forced", async () => {
  const { store, actions, asked } = aRig(busy);

  const running = actions.runStep("start");
  await expect.poll(() => store.dialog.value?.kind).toBe("question");
  answer(store, true);
  await running;

  expect(asked.at(-1)).toEqual({ type: "run", step: "start", force: true });
});

test("given a busy pane, when the learner leaves it running, then nothing else is asked and nothing is red", async () => {
  const { store, actions, asked } = aRig(busy);

  const running = actions.runStep("start");
  await expect.poll(() => store.dialog.value?.kind).toBe("question");
  answer(store, false);
  await running;

  expect(asked).toHaveLength(1);
  expect(store.refusals.value.size).toBe(0);
});

test("given a step that asks first, when the answer is no, then it is not run", async () => {
  const { store, actions, asked } = aRig();

  const running = actions.runStep("wipe");
  answer(store, false);
  await running;

  expect(asked).toEqual([]);
});

test("given a refused step, when it is refused, then the reason stands at the step until the next try", async () => {
  const { store, actions } = aRig({ ok: false, code: "redis-down", message: "Start Redis first." });

  await actions.runStep("start");
  expect(store.refusals.value.get("start")).toBe("Start Redis first.");

  await actions.runStep("start");
  expect(store.refusals.value.has("start")).toBe(false);
});

test("given an edit, when it is applied, then its file is shown and it is read out", async () => {
  const { store, actions, asked } = aRig();
  store.activeFile.value = null;

  await actions.applyEdit("multiply");

  expect(asked).toEqual([{ type: "apply-edit", edit: "multiply" }]);
  expect(store.activeFile.value).toBe("tasks.ts");
  expect(store.news.value).toEqual(["Applied to tasks.ts."]);
});

test("given a lesson to come, when its address is followed, then the server is not asked for it", () => {
  const { store, actions, asked } = aRig();

  actions.follow({ page: "lesson", slug: "04-redis", file: null, anchor: null });

  expect(asked).toEqual([]);
  expect(store.route.value).toMatchObject({ slug: "04-redis" });
});

test("given a lesson that the server cannot open, when it is opened, then the page says so and waits no longer", async () => {
  const { store, actions, addresses } = aRig({ ok: false, code: "failed", message: "No room on the disk." });
  store.active.value = null;

  actions.openLesson("03-delay");
  expect(store.opening.value).toBe("03-delay");
  await expect.poll(() => store.opening.value).toBeNull();

  expect(addresses).toEqual(["/l/03-delay"]);
  expect(store.notices.value.map((notice) => notice.text)).toEqual(["No room on the disk."]);
});

test("given a lesson with answers, when it is started over, then files on disk win and answers are gone", async () => {
  const { store, actions, asked } = aRig();
  actions.record({ type: "predicted", slug: "03-delay", block: "p", letter: "A" });
  actions.typed("tasks.ts", "mine");
  receive(
    store,
    { type: "file", file: { path: "tasks.ts", text: "start", hash: "#start", edited: false } },
    1,
  );

  const resetting = actions.resetLesson();
  answer(store, true);
  await resetting;

  expect(asked).toEqual([{ type: "reset", scope: "lesson" }]);
  expect(store.buffers.value.get("tasks.ts")?.text).toBe("start");
  expect(store.progress.value.lessons["03-delay"]?.answers).toEqual({});
});

test("given a worker that cannot be restarted, when it is tried again, then the reason shows until it works", async () => {
  const { store, actions } = aRig({ ok: false, code: "failed", message: "No worker ran." });

  await actions.restartWorker();
  expect(store.notices.value).toEqual([
    { id: "page.restart-worker", level: "error", text: "No worker ran." },
  ]);

  await actions.restartWorker();
  expect(store.notices.value).toEqual([]);
});

test("given things refused for want of a connection, when the server is back, then they are forgotten and typing is saved", async () => {
  const offline: Reply = { ok: false, code: "offline", message: "Not connected." };
  const { store, actions, asked } = aRig(offline, offline);
  await actions.restartWorker();
  await actions.runStep("start");
  actions.typed("tasks.ts", "ab");

  actions.connected();

  expect(store.notices.value).toEqual([]);
  expect(store.refusals.value.size).toBe(0);
  await expect.poll(() => asked.at(-1)?.type).toBe("save");
});
