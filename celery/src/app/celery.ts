import { AsyncLocalStorage } from "node:async_hooks";
import { hostname } from "node:os";
import { AsyncResult, type AsyncResultDeps, type Receipt, receiptOf } from "../backend/async-result.ts";
import type { ResultBackend, ResultMark } from "../backend/backend.ts";
import type { GroupResult } from "../backend/group-result.ts";
import { openBackend } from "../backend/open-backend.ts";
import { InvalidArgument, NoResultBackend, TaskAlreadyRegistered } from "../protocol/errors.ts";
import { type ResultTuple, readTuple } from "../protocol/result-tuple.ts";
import { systemClock } from "../runtime/clock.ts";
import { makeUuidFamily } from "../runtime/uuid.ts";
import { openTransport } from "../transport/open-transport.ts";
import type { Transport } from "../transport/transport.ts";
import type { PreparedCall } from "./call-options.ts";
import { signatureOf } from "./canvas/primitives.ts";
import { leaveTrail } from "./canvas/send.ts";
import type { Signature, SignatureInput, SignatureOptions } from "./canvas/signature.ts";
import { makeTaskActions, type TaskActions } from "./canvas/task-actions.ts";
import { checkTaskOptions } from "./check-options.ts";
import { type Conf, makeConf } from "./conf.ts";
import type { ConfInput, ScheduleObject } from "./conf-values.ts";
import { brokerUrlWith, resultUrlWith } from "./connection-urls.ts";
import { Control } from "./control.ts";
import { knownQueues } from "./known-queues.ts";
import { addPeriodicTask, type PeriodicOptions, type PeriodicTarget } from "./periodic.ts";
import { Sender } from "./sender.ts";
import { makeSignals, type Signals } from "./signals.ts";
import { makeTask } from "./task.ts";
import { TaskRegistry } from "./task-registry.ts";
import type {
  AnyTask,
  ApplyOptions,
  CeleryApp,
  CurrentTask,
  Task,
  TaskContext,
  TaskOptions,
  TaskResult,
} from "./types.ts";

/** What `new Celery` takes: every setting, and the two URLs by their short names. */
export interface CeleryOptions extends ConfInput {
  /** `redis://host:port/db`. Default `redis://localhost:6379/0`; `CELERY_BROKER_URL` wins. */
  readonly broker?: string | undefined;
  /** Where results are kept; without it they are not. `CELERY_RESULT_BACKEND` wins. */
  readonly backend?: string | undefined;
}

const NO_OPTIONS: ApplyOptions = {};

/**
 * An app: tasks by name, a configuration, and the connections to send with.
 *
 * Nothing connects before the first task is sent or asked for. Idle connections do not keep a program alive;
 * `close()` ends them at once.
 *
 * ```ts
 * export const app = new Celery("tasks", { broker: "redis://localhost:6379/0" });
 * export const add = app.task("tasks.add", async (x: number, y: number) => x + y);
 * ```
 *
 * @see celery 5.7.0 app/base.py
 */
export class Celery implements CeleryApp {
  readonly main: string;
  readonly conf: Conf;
  readonly signals: Signals = makeSignals();
  readonly origin: string = `gen${process.pid}@${hostname()}`;
  readonly control: Control;
  readonly #tasks: TaskRegistry = new TaskRegistry(this, (name, options, run) =>
    makeTask(this, name, options, run),
  );
  readonly #current = new AsyncLocalStorage<CurrentTask>();
  readonly actions: TaskActions = makeTaskActions(this);
  readonly #ids = makeUuidFamily();
  readonly #sender: Sender;
  readonly #resultDeps: AsyncResultDeps = {
    backend: () => this.backend(),
    insideTask: () => this.#current.getStore() !== undefined,
    revoke: (ids, options) => this.control.revoke(ids, options),
  };
  #transport: Transport | undefined;
  #backend: ResultBackend | undefined;

  /** @throws ImproperlyConfigured quoting every setting that does not exist or cannot be. */
  constructor(main: string, { broker, backend, ...settings }: CeleryOptions = {}) {
    this.main = main;
    this.conf = makeConf({
      ...settings,
      ...(broker === undefined ? {} : { broker_url: broker }),
      ...(backend === undefined ? {} : { result_backend: backend }),
    });
    this.#sender = new Sender({
      conf: this.conf,
      clock: systemClock,
      origin: this.origin,
      signals: this.signals,
      newId: () => this.#ids.next(),
      brokerUrl: () => this.brokerUrl,
      transport: () => this.transport(),
    });
    this.control = new Control({
      brokerUrl: () => this.brokerUrl,
      transport: () => this.transport(),
      knownQueues: () => knownQueues(this.conf),
    });
  }

  get tasks(): ReadonlyMap<string, AnyTask> {
    return this.#tasks;
  }

  get brokerUrl(): string {
    const url = process.env["CELERY_BROKER_URL"] || this.conf.broker_url || "redis://localhost:6379/0";
    return brokerUrlWith(url, this.conf);
  }

  get resultBackendUrl(): string | undefined {
    const url = process.env["CELERY_RESULT_BACKEND"] || this.conf.result_backend || undefined;
    return url && resultUrlWith(url, this.conf);
  }

  /**
   * Registers a function under the name by which messages will call it. With `bind: true` its first argument is the
   * `TaskContext` of the run.
   *
   * @throws TaskAlreadyRegistered when the app has a task of this name.
   */
  task<Args extends readonly unknown[], R>(
    name: string,
    run: (...args: Args) => R,
  ): Task<Args, TaskResult<R>>;
  task<Args extends readonly unknown[], R>(
    name: string,
    options: TaskOptions & { readonly bind: true },
    run: (self: TaskContext, ...args: Args) => R,
  ): Task<Args, TaskResult<R>>;
  task<Args extends readonly unknown[], R>(
    name: string,
    options: TaskOptions & { readonly bind?: false },
    run: (...args: Args) => R,
  ): Task<Args, TaskResult<R>>;
  task(
    name: string,
    optionsOrRun: TaskOptions | ((...args: never[]) => unknown),
    maybeRun?: (...args: never[]) => unknown,
  ): unknown {
    const [options, run] = typeof optionsOrRun === "function" ? [{}, optionsOrRun] : [optionsOrRun, maybeRun];
    if (typeof name !== "string" || name === "" || typeof run !== "function") {
      throw new InvalidArgument(
        `app.task(${JSON.stringify(name)}, …) needs a name and a function: app.task("tasks.add", async (x, y) => x + y).`,
      );
    }
    checkTaskOptions(name, options);
    if (this.#tasks.isTaken(name)) throw new TaskAlreadyRegistered(name);
    const task = makeTask(this, name, options, run);
    this.#tasks.set(name, task);
    return task;
  }

  /** Sends a task by its name alone: this process need not know the function. @throws as `delay`. */
  sendTask(
    name: string,
    args: readonly unknown[] = [],
    options: ApplyOptions = NO_OPTIONS,
  ): Promise<AsyncResult<unknown>> {
    try {
      // A result of an id that was given may be stored already.
      const mark = options.taskId === undefined ? this.resultMark() : undefined;
      const call = this.prepare(name, args, options);
      const receipt = new AsyncResult<unknown>(call.headers.id, this.#resultDeps, null, mark);
      return this.#sent(receipt, this.publish(call), options.addToParent !== false);
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  /** The message of a call, which is not sent. @throws InvalidArgument, EncodeError */
  prepare(name: string, args: readonly unknown[] = [], options: ApplyOptions = NO_OPTIONS): PreparedCall {
    const task = this.#tasks.get(name)?.options;
    return this.#sender.prepare({ name, args, options, task, parent: this.#current.getStore() });
  }

  /** Sends what `prepare` made. @throws OperationalError */
  publish(call: PreparedCall): Promise<void> {
    return this.#sender.publish(call);
  }

  /**
   * Has Beat send a task again and again: adds it to `conf.beat_schedule`. Call it where the tasks are defined.
   *
   * ```ts
   * app.addPeriodicTask(30, add, { args: [2, 2], name: "every half minute" });
   * app.addPeriodicTask(crontab({ hour: 3, minute: 0 }), retrain);
   * ```
   *
   * @param schedule seconds, or what `crontab` and `schedule` return.
   * @returns the entry's name in the schedule.
   */
  addPeriodicTask(
    schedule: number | ScheduleObject,
    target: PeriodicTarget,
    options: PeriodicOptions = {},
  ): string {
    return addPeriodicTask(this.conf, schedule, target, options);
  }

  /** Not part of `sendTask`: while many are under way, only their receipts are kept, not their messages. */
  async #sent<T>(receipt: AsyncResult<T>, sent: Promise<void>, isChild: boolean): Promise<AsyncResult<T>> {
    await sent;
    if (isChild) leaveTrail(this.currentTask(), [[receipt.id, null], null]);
    return receipt;
  }

  /** The receipt for an id that came from somewhere else. Asks nobody yet. */
  AsyncResult<T = unknown>(taskId: string): AsyncResult<T> {
    return new AsyncResult<T>(taskId, this.#resultDeps);
  }

  /** Groups that were saved: `await app.GroupResult.restore(id)`; `null` when there is none. */
  readonly GroupResult: {
    restore<T = unknown>(groupId: string): Promise<GroupResult<T> | null>;
  } = {
    restore: async <T>(groupId: string) => {
      const backend = this.backend();
      if (backend === undefined) throw new NoResultBackend();
      const saved = await backend.chords.restoreGroup(groupId);
      return saved === undefined ? null : (this.resultFromTuple(saved) as GroupResult<T>);
    },
  };

  resultFromTuple(tuple: ResultTuple, markOf?: (id: string) => ResultMark | undefined): Receipt {
    return receiptOf(readTuple(tuple), this.#resultDeps, markOf);
  }

  newTaskId(): string {
    return this.#ids.next();
  }

  resultMark(): ResultMark | undefined {
    return this.#backend?.mark();
  }

  /**
   * A call that is not made yet: by a task's name, or of Celery's dict. It can be sent, and put together with others.
   *
   * ```ts
   * app.signature("tasks.add", [2, 2], { queue: "sums" });
   * ```
   */
  signature<R = unknown>(
    task: string | SignatureInput,
    args: readonly unknown[] = [],
    options: SignatureOptions & Pick<ApplyOptions, "kwargs"> = {},
  ): Signature<R> {
    return signatureOf<R>(this, task, args, options);
  }

  get replyTo(): string {
    return this.#sender.replyTo;
  }

  currentTask(): CurrentTask | undefined {
    return this.#current.getStore();
  }

  transport(): Transport {
    this.#transport ??= openTransport(this.brokerUrl, {
      connectTimeoutMs: this.conf.broker_connection_timeout * 1000,
    });
    return this.#transport;
  }

  backend(): ResultBackend | undefined {
    if (this.#backend !== undefined) return this.#backend;
    const url = this.resultBackendUrl;
    if (url !== undefined) {
      this.#backend = openBackend(url, {
        ownIds: this.#ids.prefix,
        expiresSeconds: this.conf.result_expires,
        connectTimeoutSeconds: this.conf.broker_connection_timeout,
        chords: {
          chordExpiresSeconds: this.conf.result_chord_expires,
          joinTimeoutSeconds: this.conf.result_chord_join_timeout,
          ordered: this.conf.result_backend_transport_options.result_chord_ordered,
        },
      });
    }
    return this.#backend;
  }

  runInTask<T>(request: CurrentTask, work: () => T): T {
    return this.#current.run(request, work);
  }

  /** Ends the app's connections. Safe to call twice; sending afterwards opens new ones. */
  async close(): Promise<void> {
    const open = [this.#transport, this.#backend];
    this.#transport = undefined;
    this.#backend = undefined;
    await this.#sender.close();
    for (const resource of open) await resource?.[Symbol.asyncDispose]();
    await this.control[Symbol.asyncDispose]();
  }
}
