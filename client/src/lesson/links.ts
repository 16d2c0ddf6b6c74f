import type { Page } from "../ui/page-context.ts";

/** Follows a click on a link in the lesson's text: to lines of a file, to another lesson, or out in a new tab. */
export function followLink(event: MouseEvent, { actions }: Page): void {
  const link = event.target instanceof Element ? event.target.closest("a") : null;
  if (link === null || event.defaultPrevented || event.ctrlKey || event.metaKey || event.shiftKey) return;
  const { file, from, to } = link.dataset;
  if (file !== undefined) {
    event.preventDefault();
    const isByKeyboard = event.detail === 0;
    actions.showFile({ path: file, from: line(from), to: line(to), focus: isByKeyboard });
    return;
  }
  const href = link.getAttribute("href") ?? "";
  const slug = /^\/l\/([^/#?]+)/.exec(href)?.[1];
  if (slug !== undefined) {
    event.preventDefault();
    actions.openLesson(decodeURIComponent(slug));
  } else if (/^https?:/.test(href)) {
    event.preventDefault();
    window.open(href, "_blank", "noopener");
  }
}

/** Brings a step or heading into view and marks it for a moment. */
export function scrollToAnchor(id: string): void {
  const element = document.getElementById(id);
  if (element === null) return;
  element.scrollIntoView({ block: "start" });
  element.classList.remove("flash");
  // Reading the size makes the browser notice the removal, so that the mark can start again.
  void element.offsetWidth;
  element.classList.add("flash");
}

function line(text: string | undefined): number | null {
  const number = Number(text);
  return text === undefined || !Number.isInteger(number) || number < 1 ? null : number;
}
