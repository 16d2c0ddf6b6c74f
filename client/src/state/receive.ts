import { batch } from "@preact/signals";
import type {
  CheckState,
  FileView,
  LessonView,
  PaneId,
  PaneState,
  ServerMessage,
  StepState,
} from "server/protocol";
import {
  checkBlocks,
  currentCheck,
  hasEnded,
  hasStarted,
  runBlocks,
  type Steps,
  stepState,
} from "./blocks.ts";
import { advanceBuffer, type FileBuffer, openBuffer } from "./file-buffer.ts";
import { countRed, watchCheck } from "./hints.ts";
import { PANE_TITLES } from "./pane-words.ts";
import { advanceProgress } from "./progress.ts";
import { checkNews, stepNews } from "./step-words.ts";
import { announce, dropNotice, markChanged, putNotice, type Store } from "./store.ts";

/** Everything but answers to requests and pongs, which the link keeps to itself. */
export type StateMessage = Exclude<ServerMessage, { type: "done" | "error" | "pong" }>;

/**
 * Takes one message of the server into the store. State messages are whole, so the newest one wins.
 *
 * @param now epoch milliseconds.
 */
export function receive(store: Store, message: StateMessage, now: number): void {
  batch(() => receiveOne(store, message, now));
}

function receiveOne(store: Store, message: StateMessage, now: number): void {
  switch (message.type) {
    case "welcome":
      store.welcome.value = message;
      return;
    case "lesson":
      return receiveLesson(store, message.lesson, message.files, now);
    case "redis":
      store.redis.value = message.redis;
      return;
    case "pane":
      return receivePane(store, message.pane, message.state);
    case "skipped":
      return countSkipped(store, message.pane, message.lines);
    case "steps":
    case "edits":
    case "checks":
      return isOfOurLesson(store) ? receiveStates(store, message, now) : undefined;
    case "queue":
      store.queue.value = message.queue;
      return markChanged(store, "queue");
    case "file":
      return receiveFile(store, message.file);
    case "notice":
      return putNotice(store, { id: message.id, level: message.level, text: message.text });
    case "notice-gone":
      return dropNotice(store, message.id);
  }
}

/** A lesson that is not the one being opened is old news: another tab's, or the one before. */
function receiveLesson(store: Store, lesson: LessonView, files: readonly FileView[], now: number): void {
  const wanted = store.opening.value;
  if (wanted !== null && wanted !== lesson.slug) return;
  const isOther = store.active.value !== lesson.slug;
  store.lesson.value = lesson;
  store.active.value = lesson.slug;
  store.buffers.value = isOther ? openBuffers(files) : mergeFiles(store.buffers.value, files);
  store.progress.value = advanceProgress(store.progress.value, {
    type: "opened",
    slug: lesson.slug,
    at: now,
  });
  if (isOther) startLesson(store, lesson);
  if (!lesson.files.includes(store.activeFile.value ?? "")) {
    store.activeFile.value = lesson.open ?? lesson.files[0] ?? null;
  }
}

/** Until the lesson that was asked for has come, states are still about the one before. */
function isOfOurLesson(store: Store): boolean {
  return store.opening.value === null || store.opening.value === store.active.value;
}

type LessonStates = Extract<StateMessage, { type: "steps" | "edits" | "checks" }>;

function receiveStates(store: Store, message: LessonStates, now: number): void {
  if (message.type === "steps") receiveSteps(store, message.steps);
  else if (message.type === "edits") store.edits.value = message.edits;
  else receiveChecks(store, message.checks, now);
}

/** Shows a lesson's text before the server has made it the active one: to read, not yet to do. */
export function showAhead(store: Store, lesson: LessonView): void {
  batch(() => {
    store.lesson.value = lesson;
    store.active.value = null;
    store.buffers.value = new Map();
    startLesson(store, lesson);
  });
}

function startLesson(store: Store, lesson: LessonView): void {
  store.steps.value = {};
  store.edits.value = {};
  store.checks.value = new Map();
  store.refusals.value = new Map();
  store.activeFile.value = lesson.open ?? lesson.files[0] ?? null;
  store.currentPane.value = runBlocks(lesson)[0]?.pane ?? "worker";
}

function openBuffers(files: readonly FileView[]): Map<string, FileBuffer> {
  return new Map(files.map((file) => [file.path, openBuffer(file)]));
}

function mergeFiles(
  buffers: ReadonlyMap<string, FileBuffer>,
  files: readonly FileView[],
): Map<string, FileBuffer> {
  const merged = files.map((file) => {
    const old = buffers.get(file.path);
    return old === undefined ? openBuffer(file) : advanceBuffer(old, { type: "disk", file });
  });
  return new Map(merged.map((buffer) => [buffer.path, buffer]));
}

function receiveFile(store: Store, file: FileView): void {
  const old = store.buffers.value.get(file.path);
  const next = old === undefined ? openBuffer(file) : advanceBuffer(old, { type: "disk", file });
  if (next === old) return;
  store.buffers.value = new Map([...store.buffers.value, [file.path, next]]);
  if (next.text !== old?.text) markChanged(store, "code");
}

function receivePane(store: Store, pane: PaneId, state: PaneState): void {
  const before = store.panes.value[pane];
  store.panes.value = { ...store.panes.value, [pane]: state };
  markChanged(store, "terminals");
  if (state.phase === "busy" && before.phase !== "busy")
    store.skipped.value = { ...store.skipped.value, [pane]: 0 };
  if (state.phase === "closed" && before.phase !== "closed") {
    announce(store, `The ${PANE_TITLES[pane]} shell has ended: ${state.reason}`);
  }
}

function countSkipped(store: Store, pane: PaneId, lines: number): void {
  store.skipped.value = { ...store.skipped.value, [pane]: (store.skipped.value[pane] ?? 0) + lines };
}

function receiveSteps(store: Store, steps: Steps): void {
  const before = store.steps.value;
  store.steps.value = steps;
  const lesson = store.lesson.value;
  if (lesson === null) return;
  for (const block of runBlocks(lesson)) {
    const old = stepState(before, block.id);
    const next = stepState(steps, block.id);
    announce(store, stepNews(block.command, old, next));
    if (old.phase !== next.phase && next.phase === "running") store.currentPane.value = block.pane;
    if (isEnd(old, next)) store.hintWatch.value = countRed(store.hintWatch.value);
  }
  lockPredictions(store, lesson);
}

function isEnd(old: StepState, next: StepState): boolean {
  return old.phase !== next.phase && hasEnded(next);
}

function lockPredictions(store: Store, lesson: LessonView): void {
  for (const block of lesson.blocks) {
    if (block.kind !== "predict" || !hasStarted(stepState(store.steps.value, block.locks))) continue;
    const event = { type: "locked", slug: lesson.slug, block: block.id } as const;
    store.progress.value = advanceProgress(store.progress.value, event);
  }
}

function receiveChecks(store: Store, checks: readonly CheckState[], now: number): void {
  const before = store.checks.value;
  store.checks.value = new Map(checks.map((check) => [check.id, check]));
  const lesson = store.lesson.value;
  if (lesson === null) return;
  for (const block of checkBlocks(lesson)) {
    const after = store.checks.value.get(block.id);
    if (after !== undefined)
      announce(store, checkNews(block.title, before.get(block.id)?.state, after.state));
  }
  const current = currentCheck(lesson, store.checks.value)?.id ?? null;
  store.hintWatch.value = watchCheck(store.hintWatch.value, current, now);
  if (checks.some((check) => check.state !== before.get(check.id)?.state)) markChanged(store, "lesson");
  if (!store.checkProgress.value.complete) return;
  store.progress.value = advanceProgress(store.progress.value, { type: "done", slug: lesson.slug, at: now });
}
