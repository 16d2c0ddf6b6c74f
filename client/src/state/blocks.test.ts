import type { CheckState, LessonBlock, LessonView, StepState } from "server/protocol";
import { expect, test } from "vitest";
import { checkOfHint, checkProgress, currentCheck, groupBlocks, nextStep } from "./blocks.ts";

const text: LessonBlock = { kind: "html", html: "<p>Read.</p>" };
const run = (id: string): LessonBlock => ({
  kind: "run",
  id,
  pane: "worker",
  command: id,
  label: null,
  confirm: null,
});
const check = (id: string, required = true): LessonBlock => ({
  kind: "check",
  id,
  title: id,
  required,
  withinSeconds: 0,
});
const hint = (id: string): LessonBlock => ({ kind: "hint", id, summary: id, html: "" });

const aLesson = (...blocks: LessonBlock[]): LessonView => ({
  slug: "03-delay",
  number: 3,
  title: "Delay",
  summary: "",
  minutes: 10,
  open: null,
  files: [],
  blocks,
});

const done: StepState = { phase: "done", exit: 0, seconds: 1 };
const states = (green: readonly string[]): ReadonlyMap<string, CheckState> =>
  new Map(green.map((id) => [id, { id, state: "green", message: "" }]));

test("given checks right after a step, when blocks are grouped, then they are one card with it", () => {
  const groups = groupBlocks([text, run("a"), check("a1"), check("a2"), text, check("alone")]);

  expect(groups.map((group) => (group.kind === "action" ? group.checks.length : group.block.kind))).toEqual([
    "html",
    2,
    "html",
    "check",
  ]);
});

test("given nothing run, when the next step is asked for, then it is the first", () => {
  expect(nextStep(aLesson(run("a"), run("b")), {})?.id).toBe("a");
});

test("given a step that was skipped, when the next one is asked for, then it comes after the last finished one", () => {
  expect(nextStep(aLesson(run("a"), run("b"), run("c")), { b: done })?.id).toBe("c");
});

test("given only a skipped step left, when the next one is asked for, then it is that one", () => {
  expect(nextStep(aLesson(run("a"), run("b")), { b: done })?.id).toBe("a");
});

test("given all steps done, when the next one is asked for, then there is none", () => {
  expect(nextStep(aLesson(run("a")), { a: done })).toBeUndefined();
});

test("given a failed step, when the next one is asked for, then it is the failed one", () => {
  const failed: StepState = { phase: "failed", exit: 1, seconds: 1, message: "no" };

  expect(nextStep(aLesson(run("a"), run("b")), { a: failed })?.id).toBe("a");
});

test("given required checks green and an optional one red, when progress is read, then the lesson is complete", () => {
  const lesson = aLesson(check("a"), check("b", false));

  expect(checkProgress(lesson, states(["a"]))).toEqual({ green: 1, total: 2, complete: true });
});

test("given a lesson without checks, when progress is read, then it is never complete by itself", () => {
  expect(checkProgress(aLesson(text), states([]))).toEqual({ green: 0, total: 0, complete: false });
});

test("given the first check green, when the current one is asked for, then it is the next required one", () => {
  const lesson = aLesson(check("a"), check("b", false), check("c"));

  expect(currentCheck(lesson, states(["a"]))?.id).toBe("c");
});

test("given hints before and after checks, when their checks are looked up, then the one before comes first", () => {
  const lesson = aLesson(hint("early"), run("a"), check("a1"), hint("late"), check("b1"));

  expect([checkOfHint(lesson, "early")?.id, checkOfHint(lesson, "late")?.id]).toEqual(["a1", "a1"]);
});
