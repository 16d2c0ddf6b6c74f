import type { PaneId, RunBlock, StepState } from "server/protocol";
import { runBlocks } from "./blocks.ts";
import { findAddedLines } from "./diff-lines.ts";
import { countRed } from "./hints.ts";
import type { Question, Reply } from "./link.ts";
import { followRoute, type OpenLessonDeps, whenOpened } from "./open-lesson.ts";
import { PANE_TITLES, runningCommand } from "./pane-words.ts";
import { advanceProgress, type ProgressEvent } from "./progress.ts";
import { lessonHref, type Route } from "./route.ts";
import type { Settings } from "./settings.ts";
import { busyQuestion } from "./step-words.ts";
import { announce, askLearner, dropNotice, putNotice, putRefusal, type Shown, type Store } from "./store.ts";

/** Gone by itself when the server is back. */
const OFFLINE_NOTICE = "page.offline";

/** What the learner can do. Views call these and nothing else. */
export interface Actions {
  openLesson(slug: string, anchor?: string | null): void;
  /** The address bar changed by itself: at the start, and by Back and Forward. */
  follow(route: Route): void;
  runStep(id: string): Promise<void>;
  /** Runs the step that a learner would run next. */
  runNext(): Promise<void>;
  applyEdit(id: string): Promise<void>;
  checkNow(): Promise<void>;
  resetFile(path: string): Promise<void>;
  resetLesson(): Promise<void>;
  restartWorker(): Promise<void>;
  startRedis(): Promise<void>;
  interrupt(pane: PaneId): void;
  /** @returns false when there is no connection: the view shows that the keys went nowhere. */
  input(pane: PaneId, text: string): boolean;
  resize(pane: PaneId, cols: number, rows: number): void;
  acknowledge(pane: PaneId, bytes: number): void;
  typed(path: string, text: string): void;
  saveNow(): Promise<void>;
  resolveConflict(path: string, choice: "keep-mine" | "take-disk"): void;
  showFile(target: Shown): void;
  record(event: ProgressEvent): void;
  change(settings: Partial<Settings>): void;
  /** The server is (again) there: what was refused for want of it is over, what was typed is saved. */
  connected(): void;
  retryNow(): void;
  /** The pane's screen and scrollback as plain text. @throws Error when the server does not answer. */
  readPane(pane: PaneId): Promise<string>;
}

export interface ActionsDeps extends OpenLessonDeps {
  /** Puts an address into the address bar as a new entry. */
  readonly navigate: (href: string) => void;
  readonly readPane: (pane: PaneId) => Promise<string>;
  /** Epoch milliseconds. */
  readonly now: () => number;
}

export function openActions(deps: ActionsDeps): Actions {
  const { store, link, saver } = deps;
  return {
    ...lessonActions(deps),
    ...systemActions(deps),
    typed: (path, text) => saver.typed(path, text),
    saveNow: async () => saver.flush(),
    resolveConflict: (path, choice) => saver.resolve(path, choice),
    showFile(target) {
      if (store.buffers.value.has(target.path)) store.activeFile.value = target.path;
      store.shown.value = target;
      if (store.viewport.value === "narrow") store.narrowTab.value = "code";
    },
    record(event) {
      store.progress.value = advanceProgress(store.progress.value, event);
    },
    change(settings) {
      store.settings.value = { ...store.settings.value, ...settings };
    },
    connected() {
      dropNotice(store, OFFLINE_NOTICE);
      store.refusals.value = new Map();
      void saver.flush();
    },
    retryNow: () => link.retryNow(),
    readPane: async (pane) => deps.readPane(pane),
  };
}

function lessonActions(
  deps: ActionsDeps,
): Pick<
  Actions,
  "openLesson" | "follow" | "runStep" | "runNext" | "applyEdit" | "checkNow" | "resetFile" | "resetLesson"
> {
  const { store, link } = deps;
  const runStep = async (id: string): Promise<void> => run(deps, id);
  const follow = (route: Route): void => {
    void followRoute(deps, route).then((reply) => {
      // Without a connection the banner says enough, and the lesson opens when it is back.
      if (reply !== undefined && (reply.ok || reply.code !== "offline")) report(store, "open-lesson", reply);
    });
  };
  return {
    openLesson(slug, anchor = null) {
      deps.navigate(lessonHref(slug, anchor));
      follow({ page: "lesson", slug, file: null, anchor });
    },
    follow,
    runStep,
    async runNext() {
      const id = store.nextStepId.value;
      if (id !== undefined) await runStep(id);
    },
    applyEdit: async (id) => applyEdit(deps, id),
    async checkNow() {
      await asked(deps, "check-now", { type: "check-now" });
      store.hintWatch.value = countRed(store.hintWatch.value);
      const { green, total } = store.checkProgress.value;
      announce(store, `${green} of ${total} checks are green.`);
    },
    async resetFile(path) {
      const isSure = await askLearner(store, {
        title: `Reset ${path}?`,
        text: "The lesson's starting version comes back. Your version is kept in .workspace/.history.",
        yes: `Reset ${path}`,
        isDangerous: true,
      });
      if (isSure) await takeDiskAfter(deps, link.ask({ type: "reset", scope: "file", path }), [path]);
    },
    resetLesson: async () => resetLesson(deps),
  };
}

function systemActions({
  store,
  link,
  saver,
}: ActionsDeps): Pick<
  Actions,
  "restartWorker" | "startRedis" | "interrupt" | "input" | "resize" | "acknowledge"
> {
  return {
    async restartWorker() {
      await saver.flush();
      await asked({ store, link }, "restart-worker", { type: "restart-worker" });
    },
    async startRedis() {
      await asked({ store, link }, "start-redis", { type: "start-redis" });
    },
    interrupt(pane) {
      if (!link.tell({ type: "interrupt", pane })) announce(store, "Not connected: nothing was stopped.");
    },
    input: (pane, text) => link.input(pane, new TextEncoder().encode(text)),
    resize(pane, cols, rows) {
      // A shell that has ended or is being left has no use for a size; the next one is told when it comes.
      const isLeft = pane !== "broker" && store.opening.value !== null;
      if (isLeft || store.panes.value[pane].phase === "closed") return;
      link.tell({ type: "resize", pane, cols, rows });
    },
    acknowledge(pane, bytes) {
      link.tell({ type: "ack", pane, bytes });
    },
  };
}

async function run(deps: ActionsDeps, id: string): Promise<void> {
  const { store, link, saver } = deps;
  const block = store.lesson.value && runBlocks(store.lesson.value).find((candidate) => candidate.id === id);
  if (!block || !(await isConfirmed(deps, block))) return;
  putRefusal(store, id, undefined);
  remember(store, id);
  store.settings.value = { ...store.settings.value, hasRunAStep: true };
  store.currentPane.value = block.pane;
  if (!(await isLessonReady(store, id))) return;
  await saver.flush();
  const reply = await link.ask({ type: "run", step: id });
  if (reply.ok) return;
  if (reply.code === "busy" && (await isTakeoverAgreed(deps, block))) {
    const forced = await link.ask({ type: "run", step: id, force: true });
    if (!forced.ok) putRefusal(store, id, forced.message);
  } else if (reply.code !== "busy") putRefusal(store, id, reply.message);
}

/** A click made while the lesson's shells are still being prepared waits for them, unless the learner goes elsewhere. */
async function isLessonReady(store: Store, id: string): Promise<boolean> {
  if (store.opening.value === null) return true;
  const slug = store.lesson.value?.slug;
  const waiting: StepState = { phase: "queued", because: "waiting for the lesson's shells" };
  store.steps.value = { ...store.steps.value, [id]: waiting };
  await whenOpened(store);
  return slug !== undefined && store.active.value === slug;
}

/** A learner who comes back goes on here. */
function remember(store: Store, block: string): void {
  const slug = store.lesson.value?.slug;
  if (slug === undefined) return;
  store.progress.value = advanceProgress(store.progress.value, { type: "went-to", slug, block });
}

async function isConfirmed({ store }: ActionsDeps, block: RunBlock): Promise<boolean> {
  if (block.confirm === null) return true;
  return askLearner(store, {
    title: `Run in ${block.pane}?`,
    text: block.confirm,
    preview: block.command,
    yes: "Run it",
  });
}

async function isTakeoverAgreed({ store }: ActionsDeps, block: RunBlock): Promise<boolean> {
  return askLearner(store, {
    title: `${PANE_TITLES[block.pane]} is busy`,
    text: busyQuestion(block.pane, runningCommand(store.panes.value[block.pane])),
    preview: block.command,
    yes: "Stop and run",
    no: "Leave it running",
  });
}

async function applyEdit({ store, link, saver }: ActionsDeps, id: string): Promise<void> {
  const edit = store.lesson.value?.blocks.find((block) => block.kind === "edit" && block.id === id);
  if (edit?.kind !== "edit") return;
  remember(store, id);
  await saver.flush();
  const reply = await link.ask({ type: "apply-edit", edit: id });
  putRefusal(store, id, reply.ok ? undefined : reply.message);
  if (!reply.ok) return;
  store.activeFile.value = edit.file;
  const lines = findAddedLines(store.buffers.value.get(edit.file)?.text ?? "", edit.diff);
  if (lines !== undefined) store.shown.value = { path: edit.file, ...lines, focus: false };
  announce(store, `Applied to ${edit.file}.`);
}

async function resetLesson(deps: ActionsDeps): Promise<void> {
  const { store, link } = deps;
  const lesson = store.lesson.value;
  if (lesson === null) return;
  const isSure = await askLearner(store, {
    title: "Start this lesson over?",
    text:
      "Programs in the worker and producer panes stop, the lesson's files and queues start fresh, " +
      "and every check is red again. Your versions of the files are kept in .workspace/.history.",
    yes: "Start over",
    isDangerous: true,
  });
  if (!isSure) return;
  const reply = link.ask({ type: "reset", scope: "lesson" });
  await takeDiskAfter(deps, reply, lesson.files);
  if (!(await reply).ok) return;
  store.refusals.value = new Map();
  const event = { type: "reset", slug: lesson.slug, at: deps.now() } as const;
  store.progress.value = advanceProgress(store.progress.value, event);
}

/** After a reset that the learner agreed to, what they had typed and not saved is no conflict. */
async function takeDiskAfter(
  deps: ActionsDeps,
  asking: Promise<Reply>,
  paths: readonly string[],
): Promise<void> {
  const reply = await asking;
  if (!report(deps.store, "reset", reply)) return;
  for (const path of paths) deps.saver.resolve(path, "take-disk");
}

/** Asks the server; a refusal becomes a notice until the next try. */
async function asked(
  { store, link }: Pick<ActionsDeps, "store" | "link">,
  id: string,
  question: Question,
): Promise<boolean> {
  return report(store, id, await link.ask(question));
}

function report(store: Store, id: string, reply: Reply): boolean {
  const isOffline = !reply.ok && reply.code === "offline";
  const notice = isOffline ? OFFLINE_NOTICE : `page.${id}`;
  if (reply.ok) dropNotice(store, notice);
  else putNotice(store, { id: notice, level: "error", text: reply.message });
  return reply.ok;
}
