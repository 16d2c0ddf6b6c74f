import type { Added } from "../app/canvas/replace.ts";
import type { Signature, SignatureInput } from "../app/canvas/signature.ts";
import type { TaskCanvas } from "../app/canvas/task-canvas.ts";
import type { AnyTask, CeleryApp, RequestInfo, RetryOptions, TaskContext } from "../app/types.ts";
import type { TaskState } from "../protocol/states.ts";
import { Replaced, type Retry } from "../protocol/task-signals.ts";
import type { TaskRequest } from "./request.ts";
import { type PlannedRetry, planRetry, type RetryDeps } from "./retry.ts";
import type { Run } from "./run.ts";

/** `self` for one run of a bound task. */
export class RunContext implements TaskContext {
  readonly request: RequestInfo;
  /** What `self.retry({ throw: false })` decided: the task goes on, and is sent again all the same. */
  readonly quietRetries: PlannedRetry[] = [];
  /** Celery's `override_max_retries`: what `self.retry({ maxRetries })` said counts for `autoretryFor` too. */
  maxRetries: number | null | undefined;
  readonly #task: AnyTask;
  readonly #request: TaskRequest;
  readonly #run: Run;
  readonly #deps: RetryDeps;

  constructor(task: AnyTask, request: TaskRequest, run: Run, deps: RetryDeps) {
    this.request = request;
    this.#task = task;
    this.#request = request;
    this.#run = run;
    this.#deps = deps;
  }

  get app(): CeleryApp {
    return this.#task.app;
  }

  get name(): string {
    return this.#task.name;
  }

  get signal(): AbortSignal {
    return this.#run.signal;
  }

  retry(options?: RetryOptions & { readonly throw?: true }): never;
  retry(options: RetryOptions): Retry;
  retry(options: RetryOptions = {}): Retry {
    if (options.maxRetries !== undefined) this.maxRetries = options.maxRetries;
    const retry = planRetry(this.#task, this.#request, options, this.#deps);
    if (options.throw !== false) throw retry;
    this.quietRetries.push(retry);
    return retry;
  }

  s(...args: readonly unknown[]): Signature {
    return this.#canvas.s(...args);
  }

  si(...args: readonly unknown[]): Signature {
    return this.#canvas.si(...args);
  }

  signature(...given: Parameters<TaskCanvas<unknown>["signature"]>): Signature {
    return this.#canvas.signature(...given);
  }

  map(items: Iterable<unknown>): Signature<unknown[]> {
    return this.#canvas.map(items);
  }

  starmap(items: Iterable<readonly unknown[]>): Signature<unknown[]> {
    return this.#canvas.starmap(items);
  }

  chunks(...given: Parameters<TaskCanvas<unknown>["chunks"]>): ReturnType<TaskCanvas<unknown>["chunks"]> {
    return this.#canvas.chunks(...given);
  }

  get #canvas(): TaskCanvas<unknown> {
    return this.#task as AnyTask & TaskCanvas<unknown>;
  }

  replace(signature: SignatureInput): never {
    throw new Replaced(this.app.actions.replacement(signature));
  }

  addToChord<R>(signature: Signature<R>): Added<R> {
    return this.app.actions.addToChord(this.request, signature);
  }

  updateState(state: TaskState, meta: unknown = null): Promise<void> {
    return this.#run.host.updateState(state, meta);
  }

  sendEvent(type: string, fields: Readonly<Record<string, unknown>> = {}): void {
    this.#run.host.sendEvent(type, fields);
  }
}
