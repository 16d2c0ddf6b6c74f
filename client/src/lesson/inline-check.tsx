import type { JSX } from "preact";
import type { CheckBlock } from "server/protocol";
import { Mark } from "../ui/mark.tsx";
import { usePage } from "../ui/page-context.ts";
import { Words } from "../ui/words.tsx";

/**
 * A check where the text speaks of it. The list named `Checks` at the end holds the same checks; this one has no
 * list role, so that each check is one list item of the page.
 */
export function InlineCheck({ block }: { block: CheckBlock }): JSX.Element {
  const { store } = usePage();
  const check = store.checks.value.get(block.id);
  const isGreen = check?.state === "green";
  return (
    <div class="inline-check" id={`check-${block.id}`} data-tone={isGreen ? "ok" : "quiet"}>
      <Mark tone={isGreen ? "ok" : "quiet"} />
      <div>
        <p class="inline-check-title">
          <Words text={block.title} />
          {block.required ? null : <span class="tag">optional</span>}
        </p>
        {check !== undefined && check.message !== "" && check.message !== block.title ? (
          <p class="inline-check-words">
            <Words text={check.message} />
          </p>
        ) : null}
      </div>
    </div>
  );
}
