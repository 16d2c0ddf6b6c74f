import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { QuizBlock } from "server/protocol";
import { type Answer, answerTo } from "../state/progress.ts";
import { Mark } from "../ui/mark.tsx";
import { usePage } from "../ui/page-context.ts";
import { Html } from "./html-block.tsx";
import { Options } from "./options.tsx";

/** Wrong answers before the explanation shows anyway. */
const TRIES = 2;

export function QuizCard({ block, slug }: { block: QuizBlock; slug: string }): JSX.Element {
  const { store, actions } = usePage();
  const answer = answerTo(store.progress.value, slug, block.id);
  const [picked, setPicked] = useState(answer.picked);
  const submit = (event: Event): void => {
    event.preventDefault();
    if (picked === null) return;
    const right = picked === block.answer;
    actions.record({ type: "answered", slug, block: block.id, letter: picked, right });
  };
  return (
    <form class="card question" id={block.id} onSubmit={submit}>
      <Options
        name={`quiz-${block.id}`}
        kind="Quiz"
        question={block.question}
        options={block.options}
        picked={picked}
        isLocked={answer.settled}
        right={answer.settled ? block.answer : null}
        onPick={setPicked}
      />
      <div class="step-bar">
        {answer.settled ? null : (
          <button type="submit" class="button" disabled={picked === null}>
            Answer
          </button>
        )}
        <Verdict answer={answer} isStale={picked !== answer.picked} />
      </div>
      {answer.settled || answer.wrong >= TRIES ? <Html html={block.html} class="prose explanation" /> : null}
    </form>
  );
}

function Verdict({ answer, isStale }: { answer: Answer; isStale: boolean }): JSX.Element {
  const words = answer.settled
    ? "Right."
    : answer.wrong > 0 && !isStale
      ? "Not that one. Have another look."
      : "";
  return (
    <span class="step-outcome" role="status" data-tone={answer.settled ? "ok" : "failed"}>
      {words === "" ? null : <Mark tone={answer.settled ? "ok" : "failed"} />}
      {words}
    </span>
  );
}
