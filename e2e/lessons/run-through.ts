import type { CheckBlock, CheckState, LessonBlock, StepState } from "server/protocol";
import type { PageSession } from "./page-session.ts";

/** Longer than any step's own timeout: a step that hangs is ended and explained by the server. */
const STEP_SECONDS = 180;
/** Redis and the shells of a fresh playground. */
const START_SECONDS = 20;
const PANE_LINES = 40;

type Action = Extract<LessonBlock, { kind: "run" | "edit" }>;

/** A step or an edit, and the checks that stand between it and the next one. */
interface Stage {
  /** Undefined for checks before the first step. */
  readonly action: Action | undefined;
  readonly checks: readonly CheckBlock[];
}

export interface RunThrough {
  readonly seconds: number;
  readonly steps: number;
  readonly checks: number;
}

/** Called after each step, for someone who watches. */
export type OnStage = (line: string) => void;

/**
 * Does a lesson as a learner would, through the page's own requests, and proves its checks: all red at first, each red
 * before its step and green after it, all red again after the reset.
 *
 * @throws Error that names the step or check, with its sentence and the end of every pane.
 */
export async function runThrough(session: PageSession, slug: string, onStage: OnStage): Promise<RunThrough> {
  const start = performance.now();
  try {
    await open(session, slug);
    const blocks = session.state.lesson?.blocks ?? [];
    const stages = stagesOf(blocks);
    await proveRed(session, blocks, "before anything was done");
    for (const stage of stages) await doStage(session, stage, onStage);
    const red = requiredOf(blocks).filter((check) => stateOf(session, check)?.state !== "green");
    if (red.length > 0) throw new Error(`At the end still red: ${red.map((check) => check.id).join(", ")}`);
    await session.ask({ type: "reset", scope: "lesson" });
    await proveRed(session, blocks, "after the reset");
    const seconds = (performance.now() - start) / 1000;
    return {
      seconds,
      steps: stages.filter((stage) => stage.action).length,
      checks: requiredOf(blocks).length,
    };
  } catch (error) {
    const panes = await session.paneTexts(PANE_LINES).catch(() => "(the panes can not be read)");
    throw new Error(`${slug}: ${(error as Error).message}\n\n${panes}`, { cause: error });
  }
}

async function open(session: PageSession, slug: string): Promise<void> {
  const isUp = await session.until(({ redis }) => redis?.up === true, START_SECONDS);
  if (!isUp) throw new Error(`Redis is not up: ${session.state.redis?.error ?? "no word of it"}`);
  await session.ask({ type: "open-lesson", lesson: slug });
  await session.until(({ lesson }) => lesson?.slug === slug, START_SECONDS);
}

/** Checks are looked at anew first, so that a check that is green by itself is found out. */
async function proveRed(session: PageSession, blocks: readonly LessonBlock[], when: string): Promise<void> {
  await session.ask({ type: "check-now" });
  for (const check of checksOf(blocks)) proveOneRed(session, check, when);
}

function proveOneRed(session: PageSession, check: CheckBlock, when: string): void {
  const state = stateOf(session, check);
  if (state === undefined) throw new Error(`The check "${check.id}" has no state ${when}.`);
  if (state.state === "green") throw new Error(`The check "${check.id}" is green ${when}: ${state.message}`);
}

async function doStage(session: PageSession, { action, checks }: Stage, onStage: OnStage): Promise<void> {
  for (const check of checks) proveOneRed(session, check, `before ${action?.id ?? "the first step"}`);
  const start = performance.now();
  if (action?.kind === "run") await runStep(session, action.id);
  if (action?.kind === "edit") await applyEdit(session, action.id);
  const acted = performance.now();
  for (const check of checks.filter((each) => each.required)) await proveGreen(session, check);
  const green = `${checks.length} check${checks.length === 1 ? "" : "s"} ${seconds(performance.now() - acted)}`;
  onStage(`${action?.id ?? "(start)"} ${seconds(acted - start)}${checks.length > 0 ? `, ${green}` : ""}`);
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(1)} s`;
}

async function runStep(session: PageSession, id: string): Promise<void> {
  await session.ask({ type: "run", step: id, force: false });
  const isOver = await session.until(({ steps }) => hasEnded(steps[id]), STEP_SECONDS);
  const state = session.state.steps[id];
  if (!isOver)
    throw new Error(`The step "${id}" is still ${state?.phase ?? "idle"} after ${STEP_SECONDS} s.`);
  if (state?.phase === "failed") throw new Error(`The step "${id}" failed: ${state.message}`);
}

function hasEnded(state: StepState | undefined): boolean {
  return state?.phase === "done" || state?.phase === "ready" || state?.phase === "failed";
}

async function applyEdit(session: PageSession, id: string): Promise<void> {
  await session.ask({ type: "apply-edit", edit: id });
  const isApplied = await session.until(({ edits }) => edits[id] === "applied", START_SECONDS);
  if (!isApplied) throw new Error(`The edit "${id}" is ${session.state.edits[id]} after it was applied.`);
}

async function proveGreen(session: PageSession, check: CheckBlock): Promise<void> {
  const isGreen = (): boolean => stateOf(session, check)?.state === "green";
  if (await session.until(isGreen, check.withinSeconds)) return;
  const sentence = stateOf(session, check)?.message ?? "";
  throw new Error(
    `The check "${check.id}" (${check.title}) is red after ${check.withinSeconds} s: ${sentence}`,
  );
}

function stagesOf(blocks: readonly LessonBlock[]): readonly Stage[] {
  const stages: { action: Action | undefined; checks: CheckBlock[] }[] = [{ action: undefined, checks: [] }];
  for (const block of blocks) {
    if (block.kind === "run" || block.kind === "edit") stages.push({ action: block, checks: [] });
    if (block.kind === "check") stages.at(-1)?.checks.push(block);
  }
  return stages.filter((stage) => stage.action !== undefined || stage.checks.length > 0);
}

function checksOf(blocks: readonly LessonBlock[]): readonly CheckBlock[] {
  return blocks.filter((block) => block.kind === "check");
}

function requiredOf(blocks: readonly LessonBlock[]): readonly CheckBlock[] {
  return checksOf(blocks).filter((check) => check.required);
}

function stateOf(session: PageSession, check: CheckBlock): CheckState | undefined {
  return session.state.checks.find((state) => state.id === check.id);
}
