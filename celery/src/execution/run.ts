import type { TaskState } from "../protocol/states.ts";
import { SoftTimeLimitExceeded } from "../protocol/task-signals.ts";
import type { Attempt } from "./settle.ts";

/** What a running task may ask of whoever runs it. */
export interface RunHost {
  /** Has the worker store the state; settles when it is stored. */
  updateState(state: TaskState, meta: unknown): Promise<void>;
  onSoftLimit(limitSeconds: number): void;
  /** Has the worker publish an event about the task. */
  sendEvent(type: string, fields: Readonly<Record<string, unknown>>): void;
}

/** How a run came to be given up. */
type Ending =
  | { readonly kind: "soft"; readonly reason: SoftTimeLimitExceeded }
  | { readonly kind: "outside"; readonly reason: unknown };

/**
 * One run of a task's function, and the ways to end it early.
 *
 * JavaScript cannot raise an error inside a running function as Celery does at the soft limit. So a function
 * that has asked for `self.signal` is told by it, and may tidy up and still return; any other is failed at once.
 *
 * Nothing is made for a run that needs nothing: the signal when the function asks for it, a timer when there is a limit.
 */
export class Run {
  readonly host: RunHost;
  /** The run was ended while its function was still under way: that may go on unseen. */
  abandoned: boolean = false;
  #control: AbortController | undefined;
  #ending: Ending | undefined;
  #tell: ((attempt: Attempt) => void) | undefined;

  constructor(host: RunHost) {
    this.host = host;
  }

  /** What `self.signal` gives. Reading it means: the function minds it and ends by itself. */
  get signal(): AbortSignal {
    if (this.#control === undefined) {
      this.#control = new AbortController();
      if (this.#ending) this.#control.abort(this.#ending.reason);
    }
    return this.#control.signal;
  }

  get softLimitPassed(): SoftTimeLimitExceeded | undefined {
    return this.#ending?.kind === "soft" ? this.#ending.reason : undefined;
  }

  /** Ended from outside: there is no use in calling the function any more. */
  get isGivenUp(): boolean {
    return this.#ending?.kind === "outside";
  }

  /** Gives the run up from outside: it ends with this reason, whether it minds its signal or not. */
  giveUp(reason: unknown): void {
    this.#end({ kind: "outside", reason });
  }

  /** The soft time limit has passed; null when somebody said so without a limit (Celery's SIGUSR1). */
  expire(limitSeconds: number | null): void {
    if (this.#ending) return;
    if (limitSeconds !== null) this.host.onSoftLimit(limitSeconds);
    this.#end({ kind: "soft", reason: new SoftTimeLimitExceeded() });
  }

  /** Tells once how `call` ended, or that the run was given up first; `call` goes on unseen then. */
  follow(call: PromiseLike<unknown>, tell: (attempt: Attempt) => void): void {
    this.#tell = tell;
    call.then(
      (value) => this.#settle({ ok: true, value }),
      (error: unknown) => this.#settle({ ok: false, error }),
    );
    if (this.#ending) this.#abandon(this.#ending);
  }

  #settle(attempt: Attempt): void {
    const tell = this.#tell;
    this.#tell = undefined;
    tell?.(attempt);
  }

  #end(ending: Ending): void {
    // What comes from outside wins over a soft limit that the function is still minding.
    if (this.#ending && (this.#ending.kind === "outside" || ending.kind === "soft")) return;
    this.#ending = ending;
    this.#control?.abort(ending.reason);
    this.#abandon(ending);
  }

  /** A function that minds its signal ends a soft limit by itself; nobody waits for one that was given up from outside. */
  #abandon({ kind, reason }: Ending): void {
    if (this.#tell === undefined || (kind === "soft" && this.#control !== undefined)) return;
    this.abandoned = true;
    this.#settle({ ok: false, error: reason });
  }
}
