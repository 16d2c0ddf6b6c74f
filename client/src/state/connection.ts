/** The life of the socket, as the banner and the status bar show it. Times are epoch milliseconds. */
export type Connection =
  | { readonly phase: "connecting"; readonly attempt: number }
  | { readonly phase: "open"; readonly latencyMs: number | null }
  | { readonly phase: "waiting"; readonly attempt: number; readonly retryAt: number }
  /** The server answers, but not to this page: its key is of an earlier start. Trying again cannot help. */
  | { readonly phase: "refused" };

const FIRST_WAIT_MS = 250;
const GROWTH = 1.5;
const LONGEST_WAIT_MS = 5_000;
const JITTER = 0.3;

/**
 * How long to wait before attempt number `attempt` (0 is the first one after a drop), in milliseconds: 250 ms
 * growing by half up to 5 s, ±30 %, so that many tabs do not return at the same instant.
 *
 * @param random a number from 0 to 1.
 */
export function backoffMs(attempt: number, random: number): number {
  const wait = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * GROWTH ** attempt);
  return Math.round(wait * (1 - JITTER + 2 * JITTER * random));
}

/** Whole seconds until `at`, never negative: what a countdown shows. */
export function secondsUntil(at: number, now: number): number {
  return Math.max(0, Math.ceil((at - now) / 1000));
}
