import { type ExecuteDeps, type Execution, startExecution } from "../execution/execute.ts";
import type { TaskRequest } from "../execution/request.ts";
import { Run, type RunHost } from "../execution/run.ts";
import { encodeJson } from "../protocol/json.ts";
import { type Deferred, makeDeferred } from "../runtime/deferred.ts";
import { MachineClock } from "../runtime/machine-clock.ts";
import type { FromChild, Written } from "./ipc.ts";

export interface ChildTasksDeps {
  readonly execute: ExecuteDeps;
  /** Writes at once, all of them in one piece, before anything else happens in this process. */
  readonly tell: (messages: readonly FromChild[]) => void;
  readonly written: () => Written;
  readonly residentKib: () => number;
}

/** One task that was given. What its function still says when it has ended is about it, and not about what runs by then. */
class Given implements RunHost {
  readonly job: number;
  readonly by: number;
  readonly request: TaskRequest;
  readonly #tasks: ChildTasks;

  constructor(job: number, by: number, request: TaskRequest, tasks: ChildTasks) {
    this.job = job;
    this.by = by;
    this.request = request;
    this.#tasks = tasks;
  }

  updateState(state: string, meta: unknown): Promise<void> {
    return this.#tasks.store(this.job, state, encodeJson(meta));
  }

  onSoftLimit(limitSeconds: number): void {
    this.#tasks.tell({ type: "softLimit", job: this.job, limitSeconds });
  }

  sendEvent(type: string, fields: Readonly<Record<string, unknown>>): void {
    this.#tasks.tell({ type: "event", job: this.job, name: type, fieldsJson: encodeJson(fields) });
  }
}

/** The tasks that a child was given: one runs, the others wait for it. */
export class ChildTasks {
  readonly #deps: ChildTasksDeps;
  readonly #clock = new MachineClock();
  readonly #waiting: Given[] = [];
  readonly #storing = new Map<number, Deferred<void>>();
  #run: Run | undefined;
  #seq = 0;
  #maxResidentKib: number | null = null;
  #whenIdle: (() => void) | undefined;

  constructor(deps: ChildTasksDeps) {
    this.#deps = deps;
  }

  take(job: number, by: number, request: TaskRequest): void {
    this.#waiting.push(new Given(job, by, request, this));
    if (this.#run === undefined) this.#next([]);
  }

  giveBack(): void {
    const jobs = this.#waiting.splice(0).map(({ job }) => job);
    if (jobs.length > 0) this.#deps.tell([{ type: "givenBack", jobs }]);
  }

  limitMemory(maxResidentKib: number | null): void {
    this.#maxResidentKib = maxResidentKib;
  }

  /** Celery's SIGUSR1. */
  expire(): void {
    this.#run?.expire(null);
  }

  onStored(seq: number, error: string | null): void {
    const stored = this.#storing.get(seq);
    this.#storing.delete(seq);
    if (error === null) stored?.resolve();
    else stored?.reject(new Error(error));
  }

  /** Calls `act` now or when nothing runs any more. */
  whenIdle(act: () => void): void {
    if (this.#run === undefined) act();
    else this.#whenIdle = act;
  }

  tell(message: FromChild): void {
    this.#deps.tell([message]);
  }

  /** Has the worker store a state; settles when it is stored. */
  store(job: number, state: string, metaJson: string): Promise<void> {
    const seq = ++this.#seq;
    const stored = makeDeferred<void>();
    this.#storing.set(seq, stored);
    this.tell({ type: "state", job, seq, state, metaJson });
    return stored.promise;
  }

  /** The start is written before the function is called, in one piece with the end of the task before. */
  #next(before: readonly FromChild[]): void {
    const next = this.#waiting.shift();
    if (next === undefined) {
      if (before.length > 0) this.#deps.tell(before);
      return this.#whenIdle?.();
    }
    const { job, by, request } = next;
    // This process was stopped, or the run before took long: whether the message is still ours has to be asked again.
    if (by < this.#clock.nowMs()) return this.#next([...before, { type: "givenBack", jobs: [job] }]);
    this.#deps.tell([...before, { type: "started", job }]);
    const run = new Run(next);
    this.#run = run;
    startExecution(request, run, this.#deps.execute, (ended) => this.#end(job, ended));
  }

  #end(job: number, { outcome, abandoned }: Execution): void {
    this.#run = undefined;
    const isLarge = this.#maxResidentKib !== null && this.#deps.residentKib() > this.#maxResidentKib;
    const worn = abandoned || isLarge;
    const jobs = worn ? this.#waiting.splice(0).map((given) => given.job) : [];
    const done: FromChild = {
      type: "done",
      job,
      outcome,
      written: this.#deps.written(),
      worn,
    };
    this.#next(jobs.length > 0 ? [{ type: "givenBack", jobs }, done] : [done]);
  }
}
