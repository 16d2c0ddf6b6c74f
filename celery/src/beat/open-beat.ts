import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import type { PreparedCall } from "../app/call-options.ts";
import type { CeleryApp } from "../app/types.ts";
import { type EventDispatcher, openEventDispatcher, taskSentFields } from "../events/index.ts";
import { openBeatLock } from "../redis/lock.ts";
import { type Clock, systemClock } from "../runtime/clock.ts";
import type { Log } from "../runtime/log.ts";
import { answerPing } from "./answer-ping.ts";
import { Beat, type PreparedTask } from "./beat.ts";
import { type Entry, readEntries } from "./entry.ts";
import { ScheduleStore } from "./schedule-store.ts";
import { openTimeZone } from "./time-zone.ts";

export interface OpenBeatOptions {
  /** Where a relative schedule file lies. */
  readonly cwd: string;
  /** `-s`; default `beat_schedule_filename`. */
  readonly scheduleFile?: string | undefined;
  /** `--max-interval`; default `beat_max_loop_interval`, else 300. */
  readonly maxIntervalSeconds?: number | undefined;
  /** How long its lock outlives a Beat that died: the longest time to a takeover. Default 10 000. */
  readonly lockTtlMs?: number;
  /** Whether it answers `celery inspect ping`; default `beat_enable_remote_control`. */
  readonly remoteControl?: boolean | undefined;
  /** The name it answers by. Default `celerybeat@` and the host's name. */
  readonly nodeName?: string | undefined;
  /** Inside a worker, which answers remote control for both. */
  readonly embedded?: boolean;
  readonly log: Log;
  readonly clock?: Clock;
}

export interface OpenBeat extends AsyncDisposable {
  /** As it is shown: not made absolute. */
  readonly scheduleFile: string;
  readonly maxIntervalSeconds: number;
  /** By which it answers remote control; undefined when it does not. */
  readonly nodeName: string | undefined;
  /** Sends what is due, when it is this Beat's turn, until `signal` aborts. */
  run(signal: AbortSignal): Promise<void>;
}

/** @see celery 5.7.0 beat.py, `BeatPidbox.min_tick_age` */
const MIN_TICK_AGE_SECONDS = 60;
/** @see celery 5.7.0 beat.py, `DEFAULT_MAX_INTERVAL` */
const MAX_INTERVAL_SECONDS = 300;
const LOCK_TTL_MS = 10_000;

/**
 * A Beat for an app's `beat_schedule`. Nothing is opened or read before `run`.
 *
 * @throws ScheduleError naming what is wrong in the schedule.
 */
export function openBeat(app: CeleryApp, options: OpenBeatOptions): OpenBeat {
  const { conf } = app;
  const { log, clock = systemClock } = options;
  const scheduleFile = options.scheduleFile ?? conf.beat_schedule_filename;
  const maxIntervalSeconds =
    options.maxIntervalSeconds || conf.beat_max_loop_interval || MAX_INTERVAL_SECONDS;
  const timezone = timezoneOf(app);
  const lock = openBeatLock(app.brokerUrl, { holder: holderName(), ttlMs: options.lockTtlMs ?? LOCK_TTL_MS });
  const events = openEventDispatcher(app.brokerUrl, {
    hostname: app.origin,
    taskEvents: conf.task_send_sent_event,
  });
  const store = new ScheduleStore(scheduleFile, { timezone, utcEnabled: conf.enable_utc }, options.cwd);
  const prepare = makePrepare(app, events);
  const beat = new Beat(
    { lock, store, prepare, clock, log },
    {
      entries: readEntries(conf.beat_schedule),
      rules: { zone: openTimeZone(timezone), cronStartingDeadlineSeconds: conf.beat_cron_starting_deadline },
      maxIntervalMs: maxIntervalSeconds * 1000,
      syncEvery: conf.beat_sync_every,
    },
  );
  const nodeName = nodeNameOf(app, options);
  const maxIdleSeconds =
    conf.beat_remote_control_max_tick_age ?? Math.max(maxIntervalSeconds * 2, MIN_TICK_AGE_SECONDS);
  const ping = { brokerUrl: app.brokerUrl, idleMs: () => beat.idleMs(), maxIdleSeconds, log };
  return {
    scheduleFile,
    maxIntervalSeconds,
    nodeName,
    run: async (signal) => {
      await sendSignals(app, options.embedded ?? false);
      const answering =
        nodeName === undefined ? [] : [(stop: AbortSignal) => answerPing({ ...ping, nodeName }, stop)];
      await endTogether([(stop) => beat.run(stop), ...answering], signal);
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all([lock[Symbol.asyncDispose](), events[Symbol.asyncDispose]()]);
    },
  };
}

/** Whichever ends first, in whatever way, ends the others: a Beat that failed must not answer that it lives. */
async function endTogether(
  lives: readonly ((stop: AbortSignal) => Promise<void>)[],
  signal: AbortSignal,
): Promise<void> {
  const ending = new AbortController();
  const stop = AbortSignal.any([signal, ending.signal]);
  const running = lives.map((live) => live(stop).finally(() => ending.abort()));
  await Promise.allSettled(running);
  await Promise.all(running);
}

async function sendSignals(app: CeleryApp, embedded: boolean): Promise<void> {
  await app.signals.beatInit.send({ app });
  if (embedded) await app.signals.beatEmbeddedInit.send({ app });
}

function nodeNameOf(
  { conf }: CeleryApp,
  { embedded, remoteControl, nodeName }: OpenBeatOptions,
): string | undefined {
  if (embedded || !(remoteControl ?? conf.beat_enable_remote_control)) return undefined;
  return nodeName ?? `celerybeat@${hostname()}`;
}

/** The same message as `applyAsync`'s, with Celery's mark that it comes from Beat. */
function makePrepare(app: CeleryApp, events: EventDispatcher): (entry: Entry) => PreparedTask {
  return ({ task, args, options }) => {
    const headers = { ...options.headers, celery_beat_task: true };
    const call = app.prepare(task, args, { ...options, headers });
    const { queue } = call.message;
    const announce = async (): Promise<void> => {
      tellAfter(app, call);
      const where = { queue, exchange: call.exchange, routing_key: call.routingKey };
      events.send("task-sent", { ...taskSentFields(call.headers, queue), ...where });
      await events.flush();
    };
    return { id: call.headers.id, message: call.message, announce };
  };
}

/** As after `applyAsync`: Beat sends by itself, under its lock. */
function tellAfter({ signals }: CeleryApp, { call, headers, exchange, routingKey }: PreparedCall): void {
  if (!signals.afterTaskPublish.isHeard) return;
  const { name: sender, args, options } = call;
  const about = { sender, taskId: headers.id, args, kwargs: options.kwargs ?? {}, exchange, routingKey };
  void signals.afterTaskPublish.send({ ...about, headers: headers.custom });
}

/** @see celery 5.7.0 app/base.py, `Celery.timezone` */
function timezoneOf({ conf }: CeleryApp): string {
  return conf.timezone ?? (conf.enable_utc ? "UTC" : new Intl.DateTimeFormat().resolvedOptions().timeZone);
}

/** Unique, and says to the person in front of a waiting Beat where to look. */
function holderName(): string {
  return `celerybeat@${hostname()}, pid ${process.pid}, ${randomUUID().slice(0, 8)}`;
}
