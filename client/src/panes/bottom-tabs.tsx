import type { JSX } from "preact";
import type { NarrowTab } from "../state/store.ts";
import { Icon, type IconName } from "../ui/icons.tsx";
import { usePage } from "../ui/page-context.ts";

const TABS: readonly (readonly [tab: NarrowTab, label: string, icon: IconName])[] = [
  ["lesson", "Lesson", "lesson"],
  ["code", "Code", "code"],
  ["terminals", "Terminals", "terminal"],
  ["queue", "Queue", "queue"],
];

/** On narrow windows: one part of the page at a time, with a dot where something changed behind. */
export function BottomTabs(): JSX.Element {
  const { store } = usePage();
  const open = (tab: NarrowTab): void => {
    store.narrowTab.value = tab;
    store.changedTabs.value = new Set([...store.changedTabs.value].filter((other) => other !== tab));
  };
  return (
    <nav class="bottom-tabs" aria-label="Parts of the page">
      {TABS.map(([tab, label, icon]) => (
        <button
          key={tab}
          type="button"
          aria-current={store.narrowTab.value === tab ? "true" : undefined}
          onClick={() => open(tab)}
        >
          <Icon name={icon} size={20} />
          {label}
          {store.changedTabs.value.has(tab) ? (
            <span class="tab-badge" role="img" aria-label="changed" />
          ) : null}
        </button>
      ))}
    </nav>
  );
}
