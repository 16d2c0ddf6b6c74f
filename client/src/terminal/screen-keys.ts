import type { Terminal } from "@xterm/xterm";

const DOUBLE_ESC_MS = 350;

export interface ScreenKeysDeps {
  /** Esc Esc: give the keyboard back to the page. */
  readonly onLeave: () => void;
  readonly onSearch: () => void;
}

/**
 * Decides which keys a terminal keeps. Returning false leaves the key to the browser and the page: ways out, and
 * copying and pasting as people expect them.
 */
export function screenKeys(terminal: Terminal, deps: ScreenKeysDeps): (event: KeyboardEvent) => boolean {
  let escapedAt = -Infinity;
  const isSecondEscape = (event: KeyboardEvent): boolean => {
    if (event.key !== "Escape") {
      escapedAt = -Infinity;
      return false;
    }
    const isSecond = event.timeStamp - escapedAt < DOUBLE_ESC_MS;
    escapedAt = isSecond ? -Infinity : event.timeStamp;
    return isSecond;
  };
  return (event) => {
    if (event.type !== "keydown") return true;
    if (isModifier(event)) return true;
    if (isSecondEscape(event)) {
      deps.onLeave();
      return false;
    }
    if (event.key === "F6" || (event.key === "Tab" && event.shiftKey)) return false;
    if (isKey(event, "f", { ctrl: true, shift: true })) {
      event.preventDefault();
      deps.onSearch();
      return false;
    }
    if (isCopy(event, terminal.hasSelection())) {
      event.preventDefault();
      copySelection(terminal);
      return false;
    }
    return !isPaste(event);
  };
}

/** Copies what is selected and lets go of it, so that the next Ctrl+C interrupts. */
export function copySelection(terminal: Terminal): void {
  const text = terminal.getSelection();
  if (text === "") return;
  void navigator.clipboard.writeText(text).then(() => terminal.clearSelection());
}

function isModifier(event: KeyboardEvent): boolean {
  return ["Shift", "Control", "Alt", "Meta"].includes(event.key);
}

function isKey(
  event: KeyboardEvent,
  key: string,
  held: { ctrl?: boolean; shift?: boolean; meta?: boolean },
): boolean {
  return (
    event.key.toLowerCase() === key &&
    event.ctrlKey === (held.ctrl ?? false) &&
    event.shiftKey === (held.shift ?? false) &&
    event.metaKey === (held.meta ?? false) &&
    !event.altKey
  );
}

/** Ctrl+C copies only a selection; the other three always mean copy, so that Ctrl+Shift+C opens no developer tools. */
function isCopy(event: KeyboardEvent, hasSelection: boolean): boolean {
  if (isKey(event, "c", { ctrl: true })) return hasSelection;
  return (
    isKey(event, "c", { ctrl: true, shift: true }) ||
    isKey(event, "insert", { ctrl: true }) ||
    isKey(event, "c", { meta: true })
  );
}

/** The browser answers these with a paste event, which the terminal takes. */
function isPaste(event: KeyboardEvent): boolean {
  return (
    isKey(event, "v", { ctrl: true }) ||
    isKey(event, "v", { ctrl: true, shift: true }) ||
    isKey(event, "v", { meta: true }) ||
    isKey(event, "insert", { shift: true })
  );
}
