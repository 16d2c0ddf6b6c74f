import type { JSX } from "preact";
import type { PredictBlock, StepState } from "server/protocol";
import { stepState } from "../state/blocks.ts";
import { type Answer, answerTo } from "../state/progress.ts";
import { Mark } from "../ui/mark.tsx";
import { usePage } from "../ui/page-context.ts";
import { Html } from "./html-block.tsx";
import { Options } from "./options.tsx";

/** A guess made before the step that tells. The step locks it; what happened then answers. */
export function PredictCard({ block, slug }: { block: PredictBlock; slug: string }): JSX.Element {
  const { store, actions } = usePage();
  const answer = answerTo(store.progress.value, slug, block.id);
  const state = stepState(store.steps.value, block.locks);
  const isTold = answer.settled && state.phase !== "running";
  return (
    <div class="card question predict" id={block.id}>
      <Options
        name={`predict-${block.id}`}
        kind="Predict"
        question={block.question}
        options={block.options}
        picked={answer.picked}
        isLocked={answer.settled}
        right={isTold ? block.answer : null}
        onPick={(letter) => actions.record({ type: "predicted", slug, block: block.id, letter })}
      />
      <PredictWords answer={answer} right={block.answer} state={state} />
      {isTold ? <Html html={block.html} class="prose explanation" /> : null}
    </div>
  );
}

interface PredictWordsProps {
  readonly answer: Answer;
  readonly right: string;
  readonly state: StepState;
}

function PredictWords({ answer, right, state }: PredictWordsProps): JSX.Element {
  if (!answer.settled) {
    return <p class="question-note">Pick one if you like, then run the next step: it locks your answer.</p>;
  }
  if (state.phase === "running") return <p class="question-note">Locked. The run will tell.</p>;
  if (answer.picked === null) return <p class="question-note">No guess this time. It was {right}.</p>;
  const isRight = answer.picked === right;
  return (
    <p class="step-outcome" data-tone={isRight ? "ok" : "failed"}>
      <Mark tone={isRight ? "ok" : "failed"} />
      {isRight ? `You said ${right}, and so it was.` : `You said ${answer.picked}. It was ${right}.`}
    </p>
  );
}
