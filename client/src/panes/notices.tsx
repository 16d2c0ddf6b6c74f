import type { JSX } from "preact";
import { dropNotice } from "../state/store.ts";
import { Icon } from "../ui/icons.tsx";
import { Mark } from "../ui/mark.tsx";
import { usePage } from "../ui/page-context.ts";
import { Words } from "../ui/words.tsx";

/** What the learner should know now, each with the next step in words, until it is dismissed or over. */
export function Notices(): JSX.Element {
  const { store } = usePage();
  return (
    <div class="notices" role="log" aria-label="Notices">
      {store.notices.value.map((notice) => (
        <div key={notice.id} class="banner" data-level={notice.level}>
          <Mark
            tone={notice.level === "error" ? "failed" : notice.level === "warning" ? "queued" : "active"}
          />
          <p>
            <Words text={notice.text} />
          </p>
          <button
            type="button"
            class="icon-button"
            aria-label="Dismiss"
            onClick={() => dropNotice(store, notice.id)}
          >
            <Icon name="close" />
          </button>
        </div>
      ))}
    </div>
  );
}
