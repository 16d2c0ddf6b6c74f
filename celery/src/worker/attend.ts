import type { CeleryApp } from "../app/types.ts";
import { startEmbeddedBeat } from "../beat/index.ts";
import { type Mailbox, openMailbox, standardCommands } from "../control/index.ts";
import { type EventDispatcher, startHeartbeat } from "../events/index.ts";
import type { LamportClock } from "../runtime/lamport-clock.ts";
import type { Log } from "../runtime/log.ts";

export interface AttendOptions {
  readonly brokerUrl: string;
  readonly nodeName: string;
  readonly events: EventDispatcher;
  /** Shared by events and mailbox. */
  readonly lamport: LamportClock;
  readonly log: Log;
  /** `worker_enable_remote_control`. */
  readonly remoteControl: boolean;
  /** `-B`: run Beat in here, too. */
  readonly beat:
    | { readonly app: CeleryApp; readonly cwd: string; readonly scheduleFile: string | undefined }
    | undefined;
  readonly software: { readonly ident: string; readonly version: string };
}

/**
 * What goes on beside the tasks: the worker's signs of life, somebody who answers `celery status`, Beat if asked for.
 *
 * @throws ScheduleError naming what is wrong in Beat's schedule.
 */
export async function attend(
  options: AttendOptions,
  load: () => { readonly active: number; readonly processed: number },
): Promise<AsyncDisposable> {
  const { events, software, log } = options;
  const beat = options.beat && startEmbeddedBeat(options.beat.app, { ...options.beat, log });
  const mailbox = options.remoteControl ? await openQuietly(options) : undefined;
  const heartbeat = startHeartbeat(events, { load, software });
  return {
    [Symbol.asyncDispose]: async () => {
      await beat?.[Symbol.asyncDispose]();
      await heartbeat[Symbol.asyncDispose]();
      await mailbox?.[Symbol.asyncDispose]();
    },
  };
}

async function openQuietly({
  brokerUrl,
  nodeName,
  lamport,
  log,
}: AttendOptions): Promise<Mailbox | undefined> {
  try {
    return await openMailbox(brokerUrl, { nodeName, lamport, log, commands: standardCommands(lamport) });
  } catch (error) {
    // Tasks matter more than being asked about them.
    log.warn({ error }, "remote control is off: the broker went away while it was set up");
    return undefined;
  }
}
