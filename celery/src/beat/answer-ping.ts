import { NO_REPLY, openMailbox, REMOTE_COMMANDS } from "../control/index.ts";
import { OperationalError } from "../protocol/errors.ts";
import { LamportClock } from "../runtime/lamport-clock.ts";
import type { Log } from "../runtime/log.ts";
import { sleep } from "../runtime/sleep.ts";

export interface PingOptions {
  readonly brokerUrl: string;
  /** `celerybeat@host`. */
  readonly nodeName: string;
  /** Milliseconds since Beat last looked at its schedule or its lock. */
  readonly idleMs: () => number;
  /** After this long Beat counts as stuck and does not answer; 0 is never. */
  readonly maxIdleSeconds: number;
  readonly log: Log;
}

const RETRY_MS = 5_000;

/**
 * Answers `celery inspect ping` until `signal` aborts, so that a probe can tell whether Beat is alive. Every other command is for workers
 * and is passed over in silence.
 *
 * @see celery 5.7.0 beat.py, `BeatPidbox`
 */
export async function answerPing(options: PingOptions, signal: AbortSignal): Promise<void> {
  const { brokerUrl, nodeName, log } = options;
  const silent = Object.fromEntries(REMOTE_COMMANDS.map(({ name }) => [name, () => NO_REPLY]));
  const commands = { ...silent, ping: () => ping(options) };
  while (!signal.aborted) {
    try {
      await using _mailbox = await openMailbox(brokerUrl, {
        nodeName,
        commands,
        lamport: new LamportClock(),
        log,
      });
      log.info({}, "beat pidbox: Connected.");
      // The mailbox itself survives the loss of the broker.
      await aborted(signal);
    } catch (error) {
      if (!(error instanceof OperationalError)) throw error;
      const text = `beat pidbox: Connection error: ${error.message} Trying again in ${RETRY_MS / 1000} seconds...`;
      log.error({}, text);
      await sleep(RETRY_MS, signal);
    }
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}

function ping({ idleMs, maxIdleSeconds, log }: PingOptions): unknown {
  const idleSeconds = idleMs() / 1000;
  if (maxIdleSeconds === 0 || idleSeconds <= maxIdleSeconds) return { ok: "pong" };
  const text = `beat pidbox: not answering ping, the scheduler has not ticked for ${idleSeconds.toFixed(1)}s (over the ${maxIdleSeconds}s limit).`;
  log.warn({}, text);
  return NO_REPLY;
}
