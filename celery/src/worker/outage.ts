import type { Clock } from "../runtime/clock.ts";
import type { Consumer } from "../transport/transport.ts";

/** Celery waits 2, 4, 6 … 32 s between its tries. */
const CELERY_LONGEST_WAIT = 32;

/** The settings that say when a worker gives its broker up. */
export interface ReconnectSettings {
  readonly broker_connection_retry: boolean;
  /** `null`: as `broker_connection_retry`. */
  readonly broker_connection_retry_on_startup: boolean | null;
  /** `null`: never. */
  readonly broker_connection_max_retries: number | null;
}

/**
 * Aborts when the broker is to be waited for no longer; the reason says which setting wants that. Where retries are counted, the
 * broker has then been away for as long as Celery would have tried: `broker_connection_max_retries` counts its tries, which
 * are further apart than ours.
 */
export function watchOutage(
  events: Consumer["events"],
  settings: ReconnectSettings,
  clock: Pick<Clock, "monotonicMs">,
): AbortSignal {
  const tooLong = new AbortController();
  let since: number | undefined;
  let wasConnected = false;
  events.on("connected", () => {
    since = undefined;
    wasConnected = true;
  });
  events.on("reconnecting", () => {
    since ??= clock.monotonicMs();
    const awaySeconds = (clock.monotonicMs() - since) / 1000;
    const limit = limitOf(settings, wasConnected);
    if (limit && (awaySeconds > limit.seconds || limit.seconds === 0))
      tooLong.abort(new Error(limit.setting));
  });
  return tooLong.signal;
}

/** How long an outage may last, and by which setting. */
function limitOf(
  settings: ReconnectSettings,
  wasConnected: boolean,
): { readonly seconds: number; readonly setting: string } | undefined {
  const { broker_connection_retry: retry, broker_connection_max_retries: maxRetries } = settings;
  const onStartup = settings.broker_connection_retry_on_startup ?? retry;
  if (!wasConnected && !onStartup) return { seconds: 0, setting: "broker_connection_retry_on_startup" };
  if (wasConnected && !retry) return { seconds: 0, setting: "broker_connection_retry" };
  if (maxRetries === null) return undefined;
  return { seconds: patienceSeconds(maxRetries), setting: "broker_connection_max_retries" };
}

/** How long Celery's first `retries` waits last together. */
export function patienceSeconds(retries: number): number {
  const rising = Math.min(retries, CELERY_LONGEST_WAIT / 2);
  return rising * (rising + 1) + (retries - rising) * CELERY_LONGEST_WAIT;
}

/** Which of its tries Celery would be at, so long after the first. */
export function celeryTry(elapsedSeconds: number): number {
  const risingEnd = patienceSeconds(CELERY_LONGEST_WAIT / 2);
  if (elapsedSeconds >= risingEnd) {
    return CELERY_LONGEST_WAIT / 2 + 1 + Math.floor((elapsedSeconds - risingEnd) / CELERY_LONGEST_WAIT);
  }
  return 1 + Math.floor((Math.sqrt(1 + 4 * elapsedSeconds) - 1) / 2);
}
