/** Most characters that wait while a screen is being restored. */
const MOST_HELD = 4_096;

/** A restored screen may switch focus reports on, and then the terminal sends one by itself. */
const FOCUS_REPORTS: readonly string[] = ["\x1b[I", "\x1b[O"];

export interface TypingDeps {
  readonly onInput: (text: string) => boolean;
  readonly onRefused: () => void;
}

/** Keystrokes on their way out. While the screen is being restored they wait, a few lines of them at most. */
export interface Typing {
  typed(text: string): void;
  hold(): void;
  release(): void;
}

export function openTyping({ onInput, onRefused }: TypingDeps): Typing {
  let holds = 0;
  let held = "";
  const send = (text: string): void => {
    if (!onInput(text)) onRefused();
  };
  return {
    typed(text) {
      if (holds === 0) return send(text);
      if (FOCUS_REPORTS.includes(text)) return;
      if (held.length + text.length > MOST_HELD) return onRefused();
      held += text;
    },
    hold() {
      holds += 1;
    },
    release() {
      holds -= 1;
      if (holds > 0 || held === "") return;
      const text = held;
      held = "";
      send(text);
    },
  };
}
