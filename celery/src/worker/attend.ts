import type { CeleryApp } from "../app/types.ts";
import { startEmbeddedBeat } from "../beat/index.ts";
import { type Mailbox, openMailbox, workerCommands } from "../control/index.ts";
import { type EventDispatcher, type Heartbeat, startHeartbeat } from "../events/index.ts";
import type { LamportClock } from "../runtime/lamport-clock.ts";
import type { Log } from "../runtime/log.ts";
import { Panel, type WorkerParts } from "./panel.ts";

export interface AttendOptions {
  readonly brokerUrl: string;
  readonly nodeName: string;
  readonly events: EventDispatcher;
  /** Shared by events and mailbox. */
  readonly lamport: LamportClock;
  readonly log: Log;
  /** `worker_enable_remote_control`. */
  readonly remoteControl: boolean;
  /** Seconds between `worker-heartbeat` events; null sends none (`--without-heartbeat`). Default 2. */
  readonly heartbeatInterval?: number | null;
  /** Ends the worker as SIGTERM does. */
  readonly shutdown: () => void;
  /** `celery report`'s text. */
  readonly report: () => string;
  /** `-B`: run Beat in here, too. */
  readonly beat:
    | { readonly app: CeleryApp; readonly cwd: string; readonly scheduleFile: string | undefined }
    | undefined;
  readonly software: { readonly ident: string; readonly version: string };
}

/**
 * What goes on beside the tasks: the worker's signs of life, somebody who answers remote control, Beat if asked for.
 *
 * @throws ScheduleError naming what is wrong in Beat's schedule.
 */
export async function attend(options: AttendOptions, parts: WorkerParts): Promise<AsyncDisposable> {
  const { log } = options;
  const beat = options.beat && startEmbeddedBeat(options.beat.app, { ...options.beat, log });
  const signs: { heartbeat?: Heartbeat } = {};
  const panel = new Panel(parts, { ...options, heartbeat: () => signs.heartbeat?.beat() });
  const mailbox = options.remoteControl ? await openPatiently(options, panel, parts.app) : undefined;
  // Last: whoever hears that the worker is online may ask it something at once.
  const heartbeat = beginHeartbeat(options, parts);
  if (heartbeat) signs.heartbeat = heartbeat;
  return {
    [Symbol.asyncDispose]: async () => {
      await beat?.[Symbol.asyncDispose]();
      await heartbeat?.[Symbol.asyncDispose]();
      await mailbox?.[Symbol.asyncDispose]();
    },
  };
}

function beginHeartbeat(
  { events, software, heartbeatInterval = 2 }: AttendOptions,
  { tasks, app, nodeName }: WorkerParts,
): Heartbeat | undefined {
  if (heartbeatInterval === null) return undefined;
  const { heartbeatSent } = app.signals;
  return startHeartbeat(events, {
    load: () => tasks.counts(),
    software,
    intervalSeconds: heartbeatInterval,
    onBeat: () => void heartbeatSent.send({ sender: nodeName, app }),
  });
}

/** Tasks matter more than being asked about them: a broker that has just gone away keeps nobody from working. */
function openPatiently(
  { brokerUrl, nodeName, lamport, log }: AttendOptions,
  panel: Panel,
  { conf }: CeleryApp,
): Promise<Mailbox> {
  const commands = workerCommands(panel, {
    brokerUrl,
    nodeName,
    lamport,
    log,
    connectTimeoutSeconds: conf.broker_connection_timeout,
    transportOptions: { ...conf.broker_transport_options },
  });
  return openMailbox(brokerUrl, { nodeName, lamport, log, commands, patient: true });
}
