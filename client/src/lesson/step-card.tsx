import type { JSX } from "preact";
import type { CheckBlock, PaneId, RunBlock, StepState } from "server/protocol";
import { isFinished, stepState } from "../state/blocks.ts";
import { stepStatus } from "../state/step-words.ts";
import { Code } from "../ui/code.tsx";
import { CopyButton } from "../ui/copy-button.tsx";
import { Icon } from "../ui/icons.tsx";
import { Mark } from "../ui/mark.tsx";
import { usePage } from "../ui/page-context.ts";
import { useNow } from "../ui/use-now.ts";
import { Words } from "../ui/words.tsx";
import { InlineCheck } from "./inline-check.tsx";

export interface StepCardProps {
  readonly block: RunBlock;
  readonly checks: readonly CheckBlock[];
  /** The lesson's first step: it carries the one hint about where things run. */
  readonly isFirst: boolean;
}

/** One click types the command into a real shell; the card then tells how it went. */
export function StepCard({ block, checks, isFirst }: StepCardProps): JSX.Element {
  const { store } = usePage();
  const state = stepState(store.steps.value, block.id);
  return (
    <div class="card step" id={block.id} data-pane={block.pane} data-step={block.id} data-phase={state.phase}>
      {block.label === null ? null : <p class="step-label">{block.label}</p>}
      <div class="step-command">
        <pre>
          <Code code={block.command} language="sh" />
        </pre>
        <CopyButton text={block.command} label="Copy command" />
      </div>
      <div class="step-bar">
        <RunButton block={block} state={state} />
        <StepOutcome state={state} />
        {isFirst && state.phase === "idle" && !store.settings.value.hasRunAStep ? (
          <FirstRunHint pane={block.pane} />
        ) : null}
      </div>
      <StepTrouble block={block} state={state} />
      {checks.map((check) => (
        <InlineCheck key={check.id} block={check} />
      ))}
    </div>
  );
}

function RunButton({ block, state }: { block: RunBlock; state: StepState }): JSX.Element {
  const { store, actions } = usePage();
  const isNext = store.nextStepId.value === block.id && !isFinished(state);
  const isUnderWay = state.phase === "queued" || state.phase === "running";
  return (
    <button
      type="button"
      class={`button ${isNext && !isUnderWay ? "button-primary" : ""}`}
      aria-label={`Run in ${block.pane}: ${block.command}`}
      aria-keyshortcuts="Control+Enter"
      title={isNext ? "Ctrl+Enter runs this step" : undefined}
      disabled={state.phase === "queued"}
      onClick={() => void actions.runStep(block.id)}
    >
      <Icon name="play" />
      Run in {block.pane}
    </button>
  );
}

function StepOutcome({ state }: { state: StepState }): JSX.Element | null {
  const now = useNow(state.phase === "running");
  const status = stepStatus(state, now);
  if (status === undefined) return null;
  return (
    <span class="step-outcome numbers" data-tone={status.tone}>
      <Mark tone={status.tone} />
      {status.words}
    </span>
  );
}

function FirstRunHint({ pane }: { pane: PaneId }): JSX.Element {
  const { store } = usePage();
  const where = store.viewport.value === "narrow" ? "under Terminals below" : "over there →";
  return (
    <span class="bubble">
      This runs in the {pane} pane, {where}
    </span>
  );
}

function StepTrouble({ block, state }: { block: RunBlock; state: StepState }): JSX.Element | null {
  const { store } = usePage();
  const words = store.refusals.value.get(block.id) ?? (state.phase === "failed" ? state.message : undefined);
  return words === undefined ? null : (
    <p class="trouble">
      <Words text={words} />
    </p>
  );
}
