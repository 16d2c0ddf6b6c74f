/** Element ids of the regions, in the order in which F6 visits them. */
const REGIONS: readonly string[] = [
  "region-lesson",
  "region-editor",
  "region-producer",
  "region-worker",
  "region-broker",
  "region-queue",
];

/** Moves the keyboard to the next region that is on the screen; its own place for the keyboard takes the focus. */
export function focusNextRegion(direction: 1 | -1): void {
  const visible = REGIONS.map((id) => document.getElementById(id)).filter(
    (element): element is HTMLElement => element !== null && element.getClientRects().length > 0,
  );
  const at = visible.findIndex((element) => element.contains(document.activeElement));
  const start = at < 0 && direction === -1 ? 0 : at;
  const target = visible[(start + direction + visible.length) % visible.length];
  if (target === undefined) return;
  (target.querySelector<HTMLElement>("[data-region-focus], .cm-content") ?? target).focus();
}
