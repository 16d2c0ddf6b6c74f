import type { PaneId } from "server/protocol";

/** Top to bottom: what you send, what runs it, what keeps the messages. */
export const PANE_ORDER: readonly PaneId[] = ["producer", "worker", "broker"];

/** The pane in use takes as much as the other two together; they keep a peek. */
const FOCUS_SHARE = 2;
const PEEK_SHARE = 1;

/** No pane is dragged below this part of the stack. */
const SMALLEST = 0.12;

/**
 * Relative heights of the panes in screen order.
 *
 * @param dragged the learner's own heights, which win; null lets `focused` decide.
 */
export function paneShares(focused: PaneId, dragged: readonly number[] | null): readonly number[] {
  return dragged ?? PANE_ORDER.map((pane) => (pane === focused ? FOCUS_SHARE : PEEK_SHARE));
}

/**
 * Moves the border below pane `index` by `delta` (a part of the whole stack, positive is down). Only the two
 * neighbours change, and neither gets smaller than a sliver.
 */
export function moveBorder(shares: readonly number[], index: number, delta: number): readonly number[] {
  const whole = shares.reduce((sum, share) => sum + share, 0);
  const parts = shares.map((share) => share / whole);
  const upper = parts[index];
  const lower = parts[index + 1];
  if (upper === undefined || lower === undefined) return shares;
  const bounded = Math.max(SMALLEST - upper, Math.min(lower - SMALLEST, delta));
  return parts.map((part, at) => (at === index ? part + bounded : at === index + 1 ? part - bounded : part));
}

/** A size kept within bounds; used by every splitter of the page. */
export function clamp(value: number, least: number, most: number): number {
  return Math.min(Math.max(value, least), Math.max(least, most));
}
