import type { JSX } from "preact";
import type { HintBlock, LessonView } from "server/protocol";
import { checkOfHint } from "../state/blocks.ts";
import { isHintOffered } from "../state/hints.ts";
import { lessonProgress } from "../state/progress.ts";
import { Icon } from "../ui/icons.tsx";
import { usePage } from "../ui/page-context.ts";
import { useNow } from "../ui/use-now.ts";
import { Words } from "../ui/words.tsx";
import { Html } from "./html-block.tsx";

const LOOK_EVERY_MS = 5_000;

/** Help that waits to be asked, and steps forward when the learner seems stuck. */
export function Hint({ block, lesson }: { block: HintBlock; lesson: LessonView }): JSX.Element {
  const { store, actions } = usePage();
  const wasOpened = lessonProgress(store.progress.value, lesson.slug).hints.includes(block.id);
  // Folded text that is no help, such as the same in Python, never pushes itself forward.
  const isHelp = /^hint\b/i.test(block.summary);
  const check = isHelp ? checkOfHint(lesson, block.id)?.id : undefined;
  const isCurrent = check !== undefined && store.hintWatch.value.check === check;
  const now = useNow(isCurrent && !wasOpened, LOOK_EVERY_MS);
  const isOffered = !wasOpened && isHintOffered(store.hintWatch.value, check, now);
  const remember = (event: Event): void => {
    const { open } = event.currentTarget as HTMLDetailsElement;
    if (open) actions.record({ type: "hint-opened", slug: lesson.slug, block: block.id });
  };
  return (
    <details class="hint" id={block.id} data-offered={isOffered} onToggle={remember}>
      <summary>
        <Icon name={isHelp ? "hint" : "next"} />
        <span>
          {isOffered ? "Stuck? " : ""}
          <Words text={block.summary} />
        </span>
      </summary>
      <Html html={block.html} />
    </details>
  );
}
