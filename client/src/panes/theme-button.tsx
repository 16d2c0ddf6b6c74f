import type { JSX } from "preact";
import type { Theme } from "../state/settings.ts";
import { Icon, type IconName } from "../ui/icons.tsx";
import { usePage } from "../ui/page-context.ts";

const NEXT: Readonly<Record<Theme, Theme>> = { system: "light", light: "dark", dark: "system" };
const ICONS: Readonly<Record<Theme, IconName>> = { system: "auto", light: "sun", dark: "moon" };
const WORDS: Readonly<Record<Theme, string>> = { system: "as the system", light: "light", dark: "dark" };

/** Light, dark, or whatever the system says. */
export function ThemeButton(): JSX.Element {
  const { store, actions } = usePage();
  const { theme } = store.settings.value;
  const label = `Theme: ${WORDS[theme]}`;
  return (
    <button
      type="button"
      class="icon-button"
      aria-label={label}
      title={`${label}. Press for ${WORDS[NEXT[theme]]}.`}
      onClick={() => actions.change({ theme: NEXT[theme] })}
    >
      <Icon name={ICONS[theme]} />
    </button>
  );
}
