import type {
  CheckBlock,
  CheckState,
  EditBlock,
  LessonBlock,
  LessonView,
  RunBlock,
  StepState,
} from "server/protocol";

export type Steps = Readonly<Record<string, StepState>>;

const IDLE: StepState = { phase: "idle" };

export function stepState(steps: Steps, id: string): StepState {
  return steps[id] ?? IDLE;
}

export function runBlocks(lesson: LessonView): RunBlock[] {
  return lesson.blocks.filter((block) => block.kind === "run");
}

export function checkBlocks(lesson: LessonView): CheckBlock[] {
  return lesson.blocks.filter((block) => block.kind === "check");
}

/** A step or edit with the checks that follow it at once; they are shown as one card. */
export type BlockGroup =
  | { readonly kind: "action"; readonly action: RunBlock | EditBlock; readonly checks: readonly CheckBlock[] }
  | { readonly kind: "single"; readonly block: LessonBlock };

export function groupBlocks(blocks: readonly LessonBlock[]): BlockGroup[] {
  const groups: BlockGroup[] = [];
  let open: CheckBlock[] | undefined;
  for (const block of blocks) {
    if (block.kind === "check" && open !== undefined) {
      open.push(block);
    } else if (block.kind === "run" || block.kind === "edit") {
      open = [];
      groups.push({ kind: "action", action: block, checks: open });
    } else {
      open = undefined;
      groups.push({ kind: "single", block });
    }
  }
  return groups;
}

/**
 * The step that a learner would run next: the first unfinished one after the last finished one (skipped steps
 * are not asked for again), else the first unfinished one; `undefined` when all are done.
 */
export function nextStep(lesson: LessonView, steps: Steps): RunBlock | undefined {
  const blocks = runBlocks(lesson);
  const finished = blocks.map((block) => isFinished(stepState(steps, block.id)));
  const after = finished.lastIndexOf(true) + 1;
  return (
    blocks.find((_, index) => index >= after && !finished[index]) ??
    blocks.find((_, index) => !finished[index])
  );
}

export function isFinished(state: StepState): boolean {
  return state.phase === "done" || state.phase === "ready";
}

/** A step that ran or runs: a prediction about it is locked. */
export function hasStarted(state: StepState): boolean {
  return state.phase !== "idle" && state.phase !== "queued";
}

/** A step whose outcome is on the screen: the answer to a prediction about it may show. */
export function hasEnded(state: StepState): boolean {
  return isFinished(state) || state.phase === "failed";
}

export interface CheckProgress {
  readonly green: number;
  readonly total: number;
  /** Every required check is green, and there is at least one check. */
  readonly complete: boolean;
}

export function checkProgress(lesson: LessonView, checks: ReadonlyMap<string, CheckState>): CheckProgress {
  const blocks = checkBlocks(lesson);
  const isGreen = (block: CheckBlock): boolean => checks.get(block.id)?.state === "green";
  return {
    green: blocks.filter(isGreen).length,
    total: blocks.length,
    complete: blocks.length > 0 && blocks.every((block) => !block.required || isGreen(block)),
  };
}

/** The first required check that is still red: what the learner works on now. */
export function currentCheck(
  lesson: LessonView,
  checks: ReadonlyMap<string, CheckState>,
): CheckBlock | undefined {
  return checkBlocks(lesson).find((block) => block.required && checks.get(block.id)?.state !== "green");
}

/** The check that a hint helps with: the nearest one before it, else the nearest one after. */
export function checkOfHint(lesson: LessonView, hintId: string): CheckBlock | undefined {
  const at = lesson.blocks.findIndex((block) => block.kind === "hint" && block.id === hintId);
  const before = lesson.blocks.slice(0, Math.max(0, at)).filter((block) => block.kind === "check");
  return before.at(-1) ?? lesson.blocks.slice(at + 1).find((block) => block.kind === "check");
}
