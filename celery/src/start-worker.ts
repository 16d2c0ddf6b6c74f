/** The door to a worker inside a program of one's own: `import { startWorker } from "celery/worker"`. */
import { hostname } from "node:os";
import type { CeleryApp } from "./app/types.ts";
import { VERSION, VERSION_BANNER } from "./cli/version.ts";
import { openInProcessPool } from "./pool/in-process.ts";
import type { Pool, PoolKind } from "./pool/pool.ts";
import { openPreforkPool } from "./pool/prefork.ts";
import { ImproperlyConfigured, OperationalError } from "./protocol/errors.ts";
import { type Deferred, makeDeferred } from "./runtime/deferred.ts";
import { expandNodeName } from "./worker/node-name.ts";
import { serve, workerQueues } from "./worker/serve.ts";
import { initialSize, setUpPool } from "./worker/set-up-pool.ts";
import type { Shutdown } from "./worker/shutdown.ts";
import { type LogRecord, MAIN_PROCESS, type WorkerLog } from "./worker/worker-log.ts";

export type { LogLevel, LogRecord } from "./worker/worker-log.ts";

/** What `celery worker` takes as options; the rest is read from the app's settings. */
export interface StartWorkerOptions {
  /** Default: those of `task_queues`, else the default queue. */
  readonly queues?: readonly string[];
  /** Queues of the settings to leave alone. */
  readonly excludeQueues?: readonly string[];
  /** The name that monitors see, `%h` filled in. Default `celery@` and the host's name; two workers of one host need two. */
  readonly nodeName?: string;
  /** Tasks at a time. Default `worker_concurrency`, else 10. */
  readonly concurrency?: number;
  /** Keep between so many slots, as there are tasks; `worker_concurrency` does not count then. */
  readonly autoscale?: { readonly max: number; readonly min: number };
  /**
   * Where tasks run. Default `worker_pool`; where that is `prefork` and there is no `module` for its processes to load, `async`: on this
   * program's event loop, where a task that blocks the loop blocks the program.
   */
  readonly pool?: PoolKind;
  /** What the processes of the `prefork` pool load the app from: the `-A` of the command line. */
  readonly module?: string;
  /** Where `module`, `worker_state_db` and Beat's schedule file are looked for. Default the working directory. */
  readonly cwd?: string;
  /** Ask the other workers at the start what is revoked. Default true. */
  readonly mingle?: boolean;
  /** Seconds between `worker-heartbeat` events; null sends none. Default 2. */
  readonly heartbeatInterval?: number | null;
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
const HEARTBEAT_SECONDS = 2;

/**
 * Starts a worker for the app in this process: the one that `celery worker` would be, with the same settings, state file and signals.
 *
 * What belongs to a program stays the program's. Its signals are left alone, so that `worker_shutting_down`, which tells of them, is not
 * sent. What it prints is its own: `worker_redirect_stdouts` is about what the processes of `module` print. The app's connections
 * stay open: close the app yourself when the worker has ended.
 *
 * ```ts
 * await using worker = await startWorker(app, { queues: ["mails"] });
 * ```
 *
 * @returns when it takes tasks.
 * @throws OperationalError when the broker stays away for longer than the settings allow; PoolStartError when `module` cannot be loaded;
 *   StateFileError when `worker_state_db` cannot be read; ImproperlyConfigured for a `prefork` pool without `module`.
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
    this.nodeName = expandNodeName(options.nodeName, hostname());
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
    const [app, options, sender, log] = [this.#app, this.#options, this.nodeName, this.#log];
    await app.signals.celerydInit.send({ sender, app, options: { ...options } });
    await using pool = openPool(app, sender, options);
    setUpPool(pool, app, { log, out: (text) => void process.stdout.write(text) });
    await app.signals.celerydAfterSetup.send({ sender, app });
    const connected = await this.#serve(pool);
    if (!connected)
      throw new OperationalError(`The worker ${this.nodeName} has lost its broker. Is Redis running?`);
  }

  #serve(pool: Pool): Promise<boolean> {
    const { queues: include, excludeQueues: exclude, ...options } = this.#options;
    const [app, nodeName, log] = [this.#app, this.nodeName, this.#log];
    return serve({
      app,
      pool,
      log,
      nodeName,
      queues: workerQueues(app, nodeName, { include, exclude }),
      shutdown: this.#shutdown(),
      cwd: options.cwd ?? process.cwd(),
      env: process.env,
      mingle: options.mingle ?? true,
      heartbeatInterval:
        options.heartbeatInterval === undefined ? HEARTBEAT_SECONDS : options.heartbeatInterval,
      autoscale: options.autoscale,
      beat: options.beat ?? false,
      scheduleFile: undefined,
      version: VERSION,
      about: { version: VERSION_BANNER, loader: options.module ?? "none (inside a program)" },
      onReady: () => this.#ready.resolve(),
    });
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
  const {
    autoscale,
    concurrency = app.conf.worker_concurrency,
    module: appSpec,
    cwd = process.cwd(),
  } = options;
  const size = initialSize({ autoscale, concurrency }, CONCURRENCY);
  const kind = poolKind(app, options);
  if (kind !== "prefork") return openInProcessPool({ kind, size, app });
  if (appSpec === undefined) {
    throw new ImproperlyConfigured(
      'A prefork pool needs `module`, which its processes load the app from: startWorker(app, { module: "tasks" }).',
    );
  }
  return openPreforkPool({ size, appSpec, cwd, env: process.env, hostname: nodeName });
}

function poolKind({ conf }: CeleryApp, options: StartWorkerOptions): PoolKind {
  if (options.pool !== undefined) return options.pool;
  return conf.worker_pool === "prefork" && options.module === undefined ? "async" : conf.worker_pool;
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
