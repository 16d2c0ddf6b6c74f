import type { AnyTask, CeleryApp, RequestInfo } from "./types.ts";

/**
 * What each signal tells, by Celery's names in camelCase. The process in which it is sent is said with each: a pool of kind `async`
 * or `solo` has only the worker's own.
 *
 * @see celery 5.7.0 signals.py
 */
export interface SignalPayloads {
  /** Client: a message is about to be sent. What is put into `headers` travels with it. */
  beforeTaskPublish: PublishSignal & { readonly headers: Record<string, unknown> };
  /** Client: Redis has the message. */
  afterTaskPublish: PublishSignal & { readonly headers: Readonly<Record<string, unknown>> };

  /** Worker: a message was received, before it has a slot. */
  taskReceived: { readonly request: ReceivedInfo };
  /** Pool process: the function is about to be called; what a listener returns as a promise is waited for. */
  taskPrerun: TaskSignal;
  /** Pool process: the function has ended, however. */
  taskPostrun: TaskSignal & { readonly retval: unknown; readonly state: string };
  /** Pool process. `runtimeSeconds` since the run began. */
  taskSuccess: TaskSignal & { readonly result: unknown; readonly runtimeSeconds: number };
  /** Pool process; the worker, when the process died or was killed at the hard limit. */
  taskFailure: TaskSignal & { readonly exception: unknown; readonly traceback: string };
  /** Pool process: the task asked to be run again. `reason` is the `Retry`. */
  taskRetry: TaskSignal & { readonly request: RequestInfo; readonly reason: Error };
  /** Worker: revoked before it ran, expired, or terminated while it ran. */
  taskRevoked: {
    readonly request: ReceivedInfo;
    readonly terminated: boolean;
    readonly signum: number | null;
    readonly expired: boolean;
  };
  /** Worker: a message that is no task, or none that can be read. */
  taskRejected: { readonly message: string; readonly exc: Error };
  /** Worker: nobody here knows the task. */
  taskUnknown: { readonly name: string; readonly id: string; readonly message: string; readonly exc: Error };
  /** Pool process: this library failed while it ran the task, not the task. */
  taskInternalError: TaskSignal & { readonly request: RequestInfo; readonly exception: unknown };

  /** Worker, before anything else: `conf` may still be changed. */
  celerydInit: WorkerSignal & { readonly options: Readonly<Record<string, unknown>> };
  /** Worker: set up, not yet connected. */
  celerydAfterSetup: WorkerSignal;
  workerInit: WorkerSignal;
  /** Worker: takes tasks from now on. */
  workerReady: WorkerSignal;
  /** Worker: `how` is `Warm`, `Soft` or `Cold`; `sig` what asked for it, e.g. `SIGTERM`. */
  workerShuttingDown: { readonly sig: string; readonly how: string; readonly exitcode: number };
  workerShutdown: WorkerSignal;
  /** Pool process: up, and about to take its first task; what a listener returns as a promise is waited for. */
  workerProcessInit: { readonly pid: number; readonly processName: string };
  /** Pool process: about to end in order. */
  workerProcessShutdown: { readonly pid: number; readonly exitcode: number };
  heartbeatSent: WorkerSignal;

  /** Beat in a process of its own. */
  beatInit: { readonly app: CeleryApp };
  /** Beat inside a worker (`-B`). */
  beatEmbeddedInit: { readonly app: CeleryApp };
}

/** A message on its way out. */
export interface PublishSignal {
  /** Name of the task. */
  readonly sender: string;
  readonly taskId: string;
  readonly args: readonly unknown[];
  readonly kwargs: Readonly<Record<string, unknown>>;
  readonly exchange: string;
  readonly routingKey: string;
}

/** One run of a task. */
export interface TaskSignal {
  /** Name of the task. */
  readonly sender: string;
  readonly taskId: string;
  readonly task: AnyTask;
  readonly args: readonly unknown[];
  readonly kwargs: Readonly<Record<string, unknown>>;
}

/** A message that the worker holds. */
export interface ReceivedInfo {
  readonly id: string;
  readonly name: string;
  readonly args: readonly unknown[];
  readonly kwargs: Readonly<Record<string, unknown>>;
}

export interface WorkerSignal {
  /** Node name, e.g. `celery@host`. */
  readonly sender: string;
  readonly app: CeleryApp;
}

/** Names of all signals there are. */
export type SignalName = keyof SignalPayloads;

/** Called with the signal's payload. What it returns is waited for only where the signal says so. */
export type SignalListener<P> = (payload: P) => unknown;

/** One kind of thing that happens, and who wants to know. */
export interface Signal<P> {
  readonly name: string;
  /** Whether anybody listens: without, a sender need not make the payload. */
  readonly isHeard: boolean;
  /**
   * Calls `listener` each time, in the order of connecting. Connecting it twice does nothing more.
   *
   * @param options.sender only for this sender: the name of a task, or of a node.
   * @returns what ends it.
   */
  connect(listener: SignalListener<P>, options?: { readonly sender?: string }): () => void;
  /** @returns whether it was connected. */
  disconnect(listener: SignalListener<P>): boolean;
  /**
   * Calls everybody who listens. A listener that throws is reported and stops nobody.
   *
   * @returns what to wait for, when a listener gave a promise; `undefined` otherwise.
   */
  send(payload: P): Promise<void> | undefined;
}

/** Every signal of an app, by name: `app.signals.taskFailure`. */
export type Signals = { readonly [K in SignalName]: Signal<SignalPayloads[K]> };

/** Every name there is; the compiler sees to it that none is missing. */
const NAMES: Readonly<Record<SignalName, true>> = {
  beforeTaskPublish: true,
  afterTaskPublish: true,
  taskReceived: true,
  taskPrerun: true,
  taskPostrun: true,
  taskSuccess: true,
  taskFailure: true,
  taskRetry: true,
  taskRevoked: true,
  taskRejected: true,
  taskUnknown: true,
  taskInternalError: true,
  celerydInit: true,
  celerydAfterSetup: true,
  workerInit: true,
  workerReady: true,
  workerShuttingDown: true,
  workerShutdown: true,
  workerProcessInit: true,
  workerProcessShutdown: true,
  heartbeatSent: true,
  beatInit: true,
  beatEmbeddedInit: true,
};

/**
 * The signals of one app. They belong to it, not to the module as Celery's do: two apps in one process do not hear each other.
 *
 * @param report told of every listener that throws; by default it is written to stderr, where a worker finds it.
 */
export function makeSignals(report: (signal: string, error: unknown) => void = toStderr): Signals {
  const signals: Partial<Record<SignalName, Signal<never>>> = {};
  for (const name of Object.keys(NAMES) as SignalName[]) {
    signals[name] = new ListenerList<never>(name, (error) => report(name, error));
  }
  return signals as Signals;
}

function toStderr(signal: string, error: unknown): void {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(`A listener of the signal ${signal} failed: ${text}\n`);
}

interface Connection<P> {
  readonly listener: SignalListener<P>;
  readonly sender: string | undefined;
}

class ListenerList<P> implements Signal<P> {
  readonly name: string;
  readonly #report: (error: unknown) => void;
  /** Replaced, never changed: a listener may disconnect itself while it is called. */
  #connections: readonly Connection<P>[] = [];

  constructor(name: string, report: (error: unknown) => void) {
    this.name = name;
    this.#report = report;
  }

  get isHeard(): boolean {
    return this.#connections.length > 0;
  }

  connect(listener: SignalListener<P>, { sender }: { readonly sender?: string } = {}): () => void {
    const isKnown = this.#connections.some((known) => known.listener === listener && known.sender === sender);
    if (!isKnown) this.#connections = [...this.#connections, { listener, sender }];
    return () => void this.disconnect(listener);
  }

  disconnect(listener: SignalListener<P>): boolean {
    const before = this.#connections.length;
    this.#connections = this.#connections.filter((known) => known.listener !== listener);
    return this.#connections.length < before;
  }

  send(payload: P): Promise<void> | undefined {
    const pending: Promise<unknown>[] = [];
    for (const { listener, sender } of this.#connections) {
      if (sender !== undefined && sender !== senderOf(payload)) continue;
      const answer = this.#call(listener, payload);
      if (answer !== undefined) pending.push(answer);
    }
    return pending.length === 0 ? undefined : Promise.all(pending).then(() => undefined);
  }

  #call(listener: SignalListener<P>, payload: P): Promise<unknown> | undefined {
    try {
      const answer = listener(payload);
      return answer instanceof Promise ? answer.catch(this.#report) : undefined;
    } catch (error) {
      this.#report(error);
      return undefined;
    }
  }
}

function senderOf(payload: unknown): unknown {
  return (payload as { readonly sender?: unknown }).sender;
}
