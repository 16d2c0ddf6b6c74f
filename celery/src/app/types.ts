import type { AsyncResult, Receipt } from "../backend/async-result.ts";
import type { ResultBackend, ResultMark } from "../backend/backend.ts";
import type { TaskSignature } from "../execution/parameters.ts";
import type { DeliveryInfo } from "../protocol/message.ts";
import type { ResultTuple } from "../protocol/result-tuple.ts";
import type { TaskState } from "../protocol/states.ts";
import type { Retry } from "../protocol/task-signals.ts";
import type { Transport } from "../transport/transport.ts";
import type { ApplyOptions, Compression, PreparedCall } from "./call-options.ts";
import type { Signature, SignatureInput } from "./canvas/signature.ts";
import type { TaskActions } from "./canvas/task-actions.ts";
import type { TaskCanvas } from "./canvas/task-canvas.ts";
import type { Conf } from "./conf.ts";
import type { Control } from "./control.ts";
import type { EagerOptions, EagerResult } from "./eager.ts";
import type { Signals } from "./signals.ts";
import type { ResolvedHandlers, TaskHandlers } from "./task-handlers.ts";
import type { WorkflowInfo } from "./workflow-info.ts";

/** A class of errors, for `autoretryFor` and `throws`. */
export type ErrorClass = abstract new (...args: never[]) => Error;

/** How a task behaves. What is not given comes from the app's configuration. Times in seconds. */
export interface TaskOptions extends TaskHandlers {
  /** The function gets its `TaskContext` as first argument. */
  readonly bind?: boolean;
  /**
   * Names of the function's parameters in order (`"y?"` may be left out, `"...rest"`, `"**kwargs"`), to which keyword arguments are
   * mapped. Default: read from its source, which a minifier changes.
   */
  readonly parameters?: readonly string[];
  /** `false`: the sender does not check that the arguments fit. Default true. */
  readonly typing?: boolean;
  /** Retries after the first run; `null` is for ever. Default 3. */
  readonly maxRetries?: number | null;
  /** Wait before a retry that does not say otherwise. Default 180. */
  readonly defaultRetryDelay?: number;
  /** Retry by itself on these. */
  readonly autoretryFor?: readonly ErrorClass[];
  readonly dontAutoretryFor?: readonly ErrorClass[];
  readonly retryKwargs?: Pick<RetryOptions, "countdown" | "maxRetries">;
  /** Double the wait each time, starting from this (`true` is 1). Default false. */
  readonly retryBackoff?: boolean | number;
  /** Default 600. */
  readonly retryBackoffMax?: number;
  /** A random wait between 0 and the computed one. Default true. */
  readonly retryJitter?: boolean;
  /** Ack after the run instead of before: a task whose worker dies runs again. */
  readonly acksLate?: boolean;
  /** Sets `acksOnFailure` and `acksOnTimeout`. */
  readonly acksOnFailureOrTimeout?: boolean;
  /** `false`: the message of a late-ack task that failed goes to the dead letters. Default true. */
  readonly acksOnFailure?: boolean;
  /** `false`: a late-ack task that passed its hard limit runs again. Default true. */
  readonly acksOnTimeout?: boolean;
  /** How often it may start in one worker: `"10/m"` (also `/s`, `/h`), or a number per second; null is no limit. */
  readonly rateLimit?: string | number | null;
  readonly rejectOnWorkerLost?: boolean;
  readonly ignoreResult?: boolean;
  readonly trackStarted?: boolean;
  readonly timeLimit?: number | null;
  readonly softTimeLimit?: number | null;
  readonly expires?: number | null;
  readonly queue?: string;
  /** An exchange to send through, by name; needs `routingKey`. */
  readonly exchange?: string;
  readonly routingKey?: string;
  /** 0 to 9, 0 first. */
  readonly priority?: number;
  readonly serializer?: "json";
  readonly compression?: Compression;
  /** Errors that are part of the task's contract: logged without alarm. */
  readonly throws?: readonly ErrorClass[];
}

/** A task's options with the configuration filled in. */
export interface ResolvedTaskOptions {
  readonly bind: boolean;
  readonly typing: boolean;
  readonly handlers: ResolvedHandlers;
  readonly maxRetries: number | null;
  readonly defaultRetryDelay: number;
  readonly autoretryFor: readonly ErrorClass[];
  readonly dontAutoretryFor: readonly ErrorClass[];
  readonly retryKwargs: Pick<RetryOptions, "countdown" | "maxRetries">;
  readonly retryBackoff: boolean | number;
  readonly retryBackoffMax: number;
  readonly retryJitter: boolean;
  readonly acksLate: boolean;
  readonly acksOnFailure: boolean;
  readonly acksOnTimeout: boolean;
  readonly rateLimit: string | number | null;
  readonly rejectOnWorkerLost: boolean;
  readonly ignoreResult: boolean;
  readonly storeErrorsEvenIfIgnored: boolean;
  readonly trackStarted: boolean;
  readonly timeLimit: number | null;
  readonly softTimeLimit: number | null;
  readonly expires: number | null;
  readonly queue: string | null;
  readonly exchange: string | null;
  readonly routingKey: string | null;
  readonly priority: number | null;
  readonly serializer: "json";
  readonly compression: Compression | null;
  readonly throws: readonly ErrorClass[];
}

export type { ApplyOptions } from "./call-options.ts";

/** How a task asks to be run again. */
export interface RetryOptions {
  readonly countdown?: number;
  readonly eta?: Date;
  /** What went wrong: shown in the log, and thrown when the retries are used up. */
  readonly exc?: Error;
  readonly maxRetries?: number | null;
  readonly args?: readonly unknown[];
  readonly kwargs?: Readonly<Record<string, unknown>>;
  readonly queue?: string;
  /** Sends it through this exchange instead of to its queue. */
  readonly exchange?: string;
  readonly routingKey?: string;
  readonly priority?: number;
  /** Seconds. */
  readonly timeLimit?: number;
  readonly softTimeLimit?: number;
  /** Discard when later than this: seconds from now, or a moment. */
  readonly expires?: number | Date;
  readonly ignoreResult?: boolean;
  readonly shadow?: string;
  readonly headers?: Readonly<Record<string, unknown>>;
  /** `false`: returns the `Retry` instead of throwing it. The task goes on, and is sent again however it ends. */
  readonly throw?: boolean;
}

/** What a bound task sees of the message that started it. */
export interface RequestInfo extends WorkflowInfo {
  readonly id: string;
  readonly task: string;
  readonly args: readonly unknown[];
  readonly kwargs: Readonly<Record<string, unknown>>;
  readonly retries: number;
  readonly rootId: string;
  readonly parentId: string | null;
  readonly eta: string | null;
  readonly expires: string | null;
  readonly origin: string;
  readonly hostname: string;
  readonly deliveryInfo: DeliveryInfo & { readonly priority: number };
  readonly redelivered: boolean;
  readonly timeLimit: readonly [hard: number | null, soft: number | null];
  readonly ignoreResult: boolean;
  readonly headers: Readonly<Record<string, unknown>>;
  /** True when the function was called here and now instead of being sent. */
  readonly calledDirectly: boolean;
  /** True when it runs in the caller's process (`apply`, `task_always_eager`). */
  readonly isEager?: boolean;
}

/** `self` of a bound task. As in Celery, calls of the same task are put together with it: `self.s(1)`, `self.chunks(items, 10)`. */
export interface TaskContext extends TaskCanvas<unknown> {
  readonly app: CeleryApp;
  readonly name: string;
  readonly request: RequestInfo;
  /** Aborts at the soft time limit and at a cold shutdown. */
  readonly signal: AbortSignal;
  /** Sends the task again. Never returns: it throws `Retry`, or the error when the retries are used up. */
  retry(options?: RetryOptions & { readonly throw?: true }): never;
  retry(options: RetryOptions): Retry;
  /**
   * Has another signature run in this task's place: under its id, with its callbacks, chord and the rest of its chain. Never returns.
   *
   * @throws ImproperlyConfigured for an empty chain, or a part of another chord.
   */
  replace(signature: SignatureInput): never;
  /** Adds a part to the chord that this task is a part of, and sends it. @throws InvalidArgument when it is in none. */
  addToChord<R>(signature: Signature<R>): Promise<AsyncResult<R>>;
  /** Stores a state of the task's own, e.g. `PROGRESS` with `{ done: 1, total: 3 }`. */
  updateState(state: TaskState, meta?: unknown): Promise<void>;
  /** Publishes an event about this task for monitors, e.g. `task-progress`, when the worker sends task events (`-E`). */
  sendEvent(type: string, fields?: Readonly<Record<string, unknown>>): void;
}

/** What the worker needs of a task, whatever its types. */
export interface AnyTask {
  readonly name: string;
  readonly app: CeleryApp;
  /** With today's configuration filled in. */
  readonly options: ResolvedTaskOptions;
  /** The learner's function. A bound task's first argument is its `TaskContext`. */
  readonly run: (...args: readonly unknown[]) => unknown;
  /** What the function takes; null when its source does not tell. */
  readonly takes: TaskSignature | null;
}

/** A function returning nothing arrives as `null`. */
export type TaskResult<R> = [Awaited<R>] extends [undefined | void] ? null : Awaited<R>;

/** `applyAsync` of a task. With `kwargs` the first arguments may be given by position, and the others by name. */
export interface ApplyAsync<Args extends readonly unknown[], Result> {
  (args: Args, options?: ApplyOptions): Promise<AsyncResult<Result>>;
  (
    args: Readonly<Partial<Args>>,
    options: ApplyOptions & Required<Pick<ApplyOptions, "kwargs">>,
  ): Promise<AsyncResult<Result>>;
}

/** A registered function: call it to run it here and now, `delay` it to have a worker run it. */
export interface Task<Args extends readonly unknown[], Result> extends AnyTask, TaskCanvas<Result> {
  (...args: Args): Promise<Result>;
  /** Sends the task. Settles when Redis has the message. @throws OperationalError, EncodeError, InvalidArgument */
  readonly delay: (...args: Args) => Promise<AsyncResult<Result>>;
  /** As `delay`, with options for this one call. */
  readonly applyAsync: ApplyAsync<Args, Result>;
  /**
   * Runs the task here and now as a worker would, retries included, and sends nothing.
   *
   * @throws what the task threw, with `throw: true` or `task_eager_propagates`.
   */
  readonly apply: (args?: Args, options?: EagerOptions) => Promise<EagerResult<Result>>;
  /** The receipt for a task of this name that was sent elsewhere. */
  readonly AsyncResult: (taskId: string) => AsyncResult<Result>;
}

/** The app as the rest of the package sees it; `Celery` is the class behind it. */
export interface CeleryApp {
  readonly main: string;
  readonly conf: Conf;
  readonly tasks: ReadonlyMap<string, AnyTask>;
  /** Who wants to know what happens to this app's tasks and workers: `app.signals.taskFailure.connect(…)`. */
  readonly signals: Signals;
  /** Remote control of the workers. */
  readonly control: Control;
  /** `gen<pid>@<host>`. */
  readonly origin: string;
  /** `CELERY_BROKER_URL`, else `conf.broker_url`, else `redis://localhost:6379/0`. */
  readonly brokerUrl: string;
  /** `CELERY_RESULT_BACKEND`, else `conf.result_backend`. `undefined`: results are not kept. */
  readonly resultBackendUrl: string | undefined;
  /** Opened on first use, shared, closed by `close()`. */
  transport(): Transport;
  backend(): ResultBackend | undefined;
  sendTask(name: string, args?: readonly unknown[], options?: ApplyOptions): Promise<AsyncResult<unknown>>;
  /**
   * Makes the message of a call and sends nothing: id, times, route and text are settled. Whoever makes messages uses it:
   * calls, the canvas, Beat. Inside a task, that task is its parent.
   *
   * @throws InvalidArgument, EncodeError
   */
  prepare(name: string, args?: readonly unknown[], options?: ApplyOptions): PreparedCall;
  /** Sends what `prepare` made, and tells about it (`task-sent`, signals). @throws OperationalError */
  publish(call: PreparedCall): Promise<void>;
  AsyncResult<T = unknown>(taskId: string): AsyncResult<T>;
  /** The receipt for a result that is known by its tuple: what Celery stores as `children`. */
  resultFromTuple(tuple: ResultTuple, markOf?: (id: string) => ResultMark | undefined): Receipt;
  /** An id for a task. All of this app's begin alike, so that one subscription hears their results. */
  newTaskId(): string;
  /** Taken before an id is made, it goes with it into the receipt; see `ResultBackend.mark`. `undefined`: no result was asked for so far. */
  resultMark(): ResultMark | undefined;
  /** This client's own id: Celery's `reply_to`. */
  readonly replyTo: string;
  /** What running tasks may do to their workflow. */
  readonly actions: TaskActions;
  /** The task that the current code runs in, if it does. */
  currentTask(): CurrentTask | undefined;
  /** Runs `work` as if inside a task: what it sends gets that task as parent, and `get()` refuses. */
  runInTask<T>(request: CurrentTask, work: () => T): T;
  close(): Promise<void>;
}

/** The task that the current code runs in. */
export interface CurrentTask {
  readonly id: string;
  readonly rootId: string;
  readonly priority: number;
  /** What it has sent so far, which becomes its result's `children`. Made with the first. */
  trail?: ResultTuple[];
}
