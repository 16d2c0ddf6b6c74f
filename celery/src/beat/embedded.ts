import type { CeleryApp } from "../app/types.ts";
import { type OpenBeatOptions, openBeat } from "./open-beat.ts";

/**
 * Runs Beat inside a worker (`celery worker -B`) until it is closed. Should it fail, it says so, and the worker goes on without it.
 * Any number of workers may do so: one of them sends.
 *
 * @throws ScheduleError naming what is wrong in the schedule.
 * @see celery 5.7.0 beat.py, `EmbeddedService`
 */
export function startEmbeddedBeat(app: CeleryApp, options: OpenBeatOptions): AsyncDisposable {
  const beat = openBeat(app, { ...options, embedded: true });
  const stopping = new AbortController();
  const running = beat.run(stopping.signal).catch((error: unknown) => {
    options.log.error({}, `beat raised exception ${String(error)}: this worker goes on without it.`);
  });
  return {
    [Symbol.asyncDispose]: async () => {
      if (!stopping.signal.aborted) options.log.info({}, "beat: Shutting down...");
      stopping.abort();
      await running;
      await beat[Symbol.asyncDispose]();
    },
  };
}
