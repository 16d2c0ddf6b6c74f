import { useEffect } from "preact/hooks";
import { type Page, usePage } from "../ui/page-context.ts";
import { focusNextRegion } from "./regions.ts";

/** The page's own keys. None of them is Ctrl with a letter while a terminal has the keyboard. */
export function useShortcuts(): void {
  const page = usePage();
  useEffect(() => {
    const listen = (event: KeyboardEvent): void => handleKey(event, page);
    document.addEventListener("keydown", listen);
    return () => document.removeEventListener("keydown", listen);
  }, []);
}

function handleKey(event: KeyboardEvent, page: Page): void {
  if (page.store.dialog.value !== null) return;
  const target = event.target instanceof Element ? event.target : document.body;
  const isInTerminal = target.closest(".xterm") !== null;
  if (event.key === "F6") {
    event.preventDefault();
    focusNextRegion(event.shiftKey ? -1 : 1);
  } else if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && !isInTerminal) {
    event.preventDefault();
    runStepAt(target, page);
  } else if (event.key === "?" && !isTextInput(target)) {
    page.store.dialog.value = { kind: "keys" };
  } else if (event.key.toLowerCase() === "s" && (event.ctrlKey || event.metaKey) && !isInTerminal) {
    event.preventDefault();
    void page.actions.saveNow();
  }
}

function runStepAt(target: Element, { actions }: Page): void {
  const id = target.closest<HTMLElement>("[data-step]")?.dataset["step"];
  void (id === undefined ? actions.runNext() : actions.runStep(id));
}

function isTextInput(target: Element): boolean {
  return target.closest("input:not([type=radio]), textarea, [contenteditable=true], .xterm") !== null;
}
