import type { Clock } from "../runtime/clock.ts";
import type { Consumer } from "../transport/transport.ts";

/** Celery waits 2, 4, 6 … 32 s between its tries. */
const CELERY_LONGEST_WAIT = 32;

/**
 * Aborts when the broker has been away for as long as Celery would have tried: `broker_connection_max_retries`
 * counts its tries, which are further apart than ours.
 *
 * @param maxRetries null: never.
 */
export function watchOutage(
  events: Consumer["events"],
  maxRetries: number | null,
  clock: Pick<Clock, "monotonicMs">,
): AbortSignal {
  const tooLong = new AbortController();
  let since: number | undefined;
  events.on("connected", () => {
    since = undefined;
  });
  events.on("reconnecting", () => {
    since ??= clock.monotonicMs();
    if (maxRetries !== null && clock.monotonicMs() - since > patienceSeconds(maxRetries) * 1000)
      tooLong.abort();
  });
  return tooLong.signal;
}

/** How long Celery's first `retries` waits last together. */
export function patienceSeconds(retries: number): number {
  const rising = Math.min(retries, CELERY_LONGEST_WAIT / 2);
  return rising * (rising + 1) + (retries - rising) * CELERY_LONGEST_WAIT;
}
