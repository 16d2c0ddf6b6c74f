import type { JSX } from "preact";
import type { CheckBlock, LessonView } from "server/protocol";
import { checkBlocks } from "../state/blocks.ts";
import { Mark } from "../ui/mark.tsx";
import { usePage } from "../ui/page-context.ts";
import { Words } from "../ui/words.tsx";

/** All checks of the lesson in one list, each with what to do while it is red. */
export function ChecksList({ lesson }: { lesson: LessonView }): JSX.Element | null {
  const { store, actions } = usePage();
  const blocks = checkBlocks(lesson);
  if (blocks.length === 0) return null;
  const { green, total } = store.checkProgress.value;
  return (
    <div class="checks" id="checks">
      <div class="checks-head">
        <h2 id="checks-title">Checks</h2>
        <span class="numbers">
          {green} of {total}
        </span>
        <button type="button" class="button button-small" onClick={() => void actions.checkNow()}>
          Check now
        </button>
      </div>
      <ul aria-labelledby="checks-title">
        {blocks.map((block) => (
          <CheckItem key={block.id} block={block} />
        ))}
      </ul>
    </div>
  );
}

function CheckItem({ block }: { block: CheckBlock }): JSX.Element {
  const { store } = usePage();
  const check = store.checks.value.get(block.id);
  const state = check?.state ?? "red";
  return (
    <li data-state={state} data-check={block.id}>
      <Mark tone={state === "green" ? "ok" : "quiet"} />
      <div>
        <a href={`#check-${block.id}`}>
          <Words text={block.title} />
        </a>
        <span class="sr-only">{state === "green" ? ": green" : ": not yet"}</span>
        {block.required ? null : <span class="tag">optional</span>}
        {state === "red" && check !== undefined ? (
          <p class="check-words">
            <Words text={check.message} />
          </p>
        ) : null}
      </div>
    </li>
  );
}
