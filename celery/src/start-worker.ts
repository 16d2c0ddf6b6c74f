/** The door to a worker inside a program of one's own: `import { startWorker } from "celery/worker"`. */
import { hostname } from "node:os";
import { selectQueues } from "./app/queues.ts";
import type { CeleryApp } from "./app/types.ts";
import { VERSION } from "./cli/version.ts";
import { type EventDispatcher, openEventDispatcher } from "./events/index.ts";
import { openInProcessPool } from "./pool/in-process.ts";
import type { Pool } from "./pool/pool.ts";
import { openPreforkPool } from "./pool/prefork.ts";
import { maskUrl } from "./protocol/connection-url.ts";
import { OperationalError } from "./protocol/errors.ts";
import { systemClock } from "./runtime/clock.ts";
import { type Deferred, makeDeferred } from "./runtime/deferred.ts";
import { LamportClock } from "./runtime/lamport-clock.ts";
import { attend } from "./worker/attend.ts";
import { makeBrokerLog } from "./worker/broker-log.ts";
import { followPool } from "./worker/pool-log.ts";
import { Revokes } from "./worker/revokes.ts";
import type { Shutdown } from "./worker/shutdown.ts";
import { runWorker, type WorkerDeps } from "./worker/worker.ts";
import { type LogRecord, MAIN_PROCESS, type WorkerLog } from "./worker/worker-log.ts";

export type { LogLevel, LogRecord } from "./worker/worker-log.ts";

export interface StartWorkerOptions {
  /** Default: those of `task_queues`, else the default queue. */
  readonly queues?: readonly string[];
  /** The name that monitors see. Default `celery@` and the host's name; two workers of one host need two. */
  readonly nodeName?: string;
  /** Tasks at a time. Default `worker_concurrency`, else 10. */
  readonly concurrency?: number;
  /**
   * Runs tasks in processes of their own (the `prefork` pool), which load the app from this module: the `-A` of the command line. Without it
   * they run on this program's event loop (the `async` pool): a task that blocks the loop blocks the program.
   */
  readonly module?: string;
  /** Where `module` is looked for, and where Beat's schedule file lies. Default the working directory. */
  readonly cwd?: string;
  /** Sends the tasks of `beat_schedule`, too. Default false. */
  readonly beat?: boolean;
  /** Gets every line of the worker's log. Default: warnings and worse go to stderr. */
  readonly log?: (record: LogRecord) => void;
}

/** A worker that takes tasks. Disposing it is `stop()`. */
export interface RunningWorker extends AsyncDisposable {
  readonly nodeName: string;
  /** Settles when it has ended; rejects with `OperationalError` when the broker stayed away for too long. */
  readonly ended: Promise<void>;
  /**
   * Takes no more tasks, gives back those that have not begun, waits for those that run. With `cold` these are given up: with late
   * acknowledgement they run again elsewhere.
   */
  stop(options?: { readonly cold?: boolean }): Promise<void>;
}

const CONCURRENCY = 10;

/**
 * Starts a worker for the app in this process. It leaves the process's signals alone, and the app's connections open: close the
 * app yourself when the worker has ended.
 *
 * ```ts
 * await using worker = await startWorker(app, { queues: ["mails"] });
 * ```
 *
 * @returns when it takes tasks.
 * @throws OperationalError when the broker stays away for longer than the settings allow; PoolStartError when `module` cannot be loaded.
 */
export async function startWorker(app: CeleryApp, options: StartWorkerOptions = {}): Promise<RunningWorker> {
  const worker = new OwnWorker(app, options);
  await worker.ready;
  return worker;
}

class OwnWorker implements RunningWorker {
  readonly nodeName: string;
  readonly ended: Promise<void>;
  readonly #ready: Deferred<void> = makeDeferred();
  readonly #controls = [new AbortController(), new AbortController(), new AbortController()] as const;
  readonly #app: CeleryApp;
  readonly #options: StartWorkerOptions;
  readonly #log: WorkerLog;

  constructor(app: CeleryApp, options: StartWorkerOptions) {
    this.#app = app;
    this.#options = options;
    this.nodeName = options.nodeName ?? `celery@${hostname()}`;
    this.#log = makeLog(options.log ?? toStderr);
    this.ended = this.#live();
    // Whoever waits for nothing but the start must not be hit by the end.
    this.ended.catch((error: unknown) => this.#ready.reject(error as Error));
  }

  get ready(): Promise<void> {
    return this.#ready.promise;
  }

  async stop({ cold = false }: { readonly cold?: boolean } = {}): Promise<void> {
    const [warm, colder] = this.#controls;
    warm.abort();
    if (cold) colder.abort();
    await this.ended;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #live(): Promise<void> {
    const { conf, brokerUrl } = this.#app;
    const lamport = new LamportClock();
    await using pool = openPool(this.#app, this.nodeName, this.#options);
    followPool(pool, this.#log, conf.worker_redirect_stdouts_level);
    await using events = openEventDispatcher(brokerUrl, {
      hostname: this.nodeName,
      taskEvents: conf.worker_send_task_events,
      lamport,
      log: this.#log,
    });
    const queues = selectQueues(conf, { include: this.#options.queues });
    const workerOptions = {
      nodeName: this.nodeName,
      queues,
      prefetchMultiplier: conf.worker_prefetch_multiplier,
    };
    const connected = await runWorker(this.#deps({ pool, events, lamport }), workerOptions, this.#shutdown());
    if (!connected)
      throw new OperationalError(`The worker ${this.nodeName} has lost its broker. Is Redis running?`);
  }

  #deps({
    pool,
    events,
    lamport,
  }: {
    pool: Pool;
    events: EventDispatcher;
    lamport: LamportClock;
  }): WorkerDeps {
    const [app, log, { brokerUrl }] = [this.#app, this.#log, this.#app];
    const maxRetries = app.conf.broker_connection_max_retries;
    return {
      app,
      pool,
      events,
      log,
      lamport,
      clock: systemClock,
      revokes: new Revokes({ clock: systemClock }),
      brokerLog: makeBrokerLog({ brokerUrl: maskUrl(brokerUrl), log, maxRetries }),
      attendants: async (parts) => {
        const attendants = await attend(this.#attendance(events, lamport), parts);
        this.#ready.resolve();
        return attendants;
      },
    };
  }

  #attendance(events: EventDispatcher, lamport: LamportClock): Parameters<typeof attend>[0] {
    const { beat = false, cwd = process.cwd() } = this.#options;
    return {
      brokerUrl: this.#app.brokerUrl,
      nodeName: this.nodeName,
      events,
      lamport,
      log: this.#log,
      software: { ident: "ts-celery", version: VERSION },
      remoteControl: this.#app.conf.worker_enable_remote_control,
      shutdown: () => this.#controls[0].abort(),
      report: () => `software -> celery:${VERSION} (TypeScript) node:${process.versions.node}`,
      beat: beat ? { app: this.#app, cwd, scheduleFile: undefined } : undefined,
    };
  }

  #shutdown(): Shutdown {
    const [warm, cold, hard] = this.#controls;
    return {
      warm: warm.signal,
      cold: cold.signal,
      hard: hard.signal,
      requestWarm: () => warm.abort(),
      [Symbol.dispose]: () => undefined,
    };
  }
}

function openPool(app: CeleryApp, nodeName: string, options: StartWorkerOptions): Pool {
  const size = options.concurrency ?? app.conf.worker_concurrency ?? CONCURRENCY;
  if (options.module === undefined) return openInProcessPool({ kind: "async", size, app });
  const { module: appSpec, cwd = process.cwd() } = options;
  const pool = openPreforkPool({ size, appSpec, cwd, env: process.env, hostname: nodeName });
  const { worker_max_tasks_per_child: mostTasks, worker_max_memory_per_child: mostKib } = app.conf;
  if (mostTasks !== null) pool.retireAfter(mostTasks);
  if (mostKib !== null) pool.retireAbove(mostKib);
  return pool;
}

function makeLog(write: (record: LogRecord) => void): WorkerLog {
  const at =
    (level: LogRecord["level"]) =>
    (_fields: object, text: string): void =>
      write({ level, processName: MAIN_PROCESS, text });
  return { record: write, debug: at("DEBUG"), info: at("INFO"), warn: at("WARNING"), error: at("ERROR") };
}

function toStderr({ level, processName, text }: LogRecord): void {
  if (level !== "DEBUG" && level !== "INFO") process.stderr.write(`[${level}/${processName}] ${text}\n`);
}
