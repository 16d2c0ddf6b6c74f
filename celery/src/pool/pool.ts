import type { EventEmitter } from "node:events";
import type { Outcome } from "../execution/outcome.ts";
import type { TaskRequest } from "../execution/request.ts";

export type PoolKind = "prefork" | "async" | "solo";

/**
 * Runs tasks, at most `size` at once. `prefork` gives each slot a process of its own, which can be killed;
 * `async` and `solo` run them on the worker's own event loop.
 */
export interface Pool extends AsyncDisposable {
  readonly kind: PoolKind;
  /** Slots now: `grow` and `shrink` change it. */
  readonly size: number;
  /** Settles when every slot can take a task. Rejects with PoolStartError when the app cannot be loaded in a child. */
  readonly ready: Promise<void>;
  readonly events: EventEmitter<PoolEvents>;
  /** How many tasks would start at once. */
  free(): number;
  /**
   * How many tasks `run` would take now: those that would start at once, and a few that may wait behind short ones, so that a
   * process need not wait for the worker between two. `onStart` tells which have begun.
   */
  room(): number;
  /** Something that was given waits for a slot. */
  hasWaiting(): boolean;
  /**
   * Starts the task in a free slot, or has it wait behind a short one. What waits is given to another slot when the run before it
   * turns out to be long, or its process dies.
   *
   * @param hooks one object per run: `cancelRun` and `terminateRun` know the run by it.
   * @returns how it ended, never rejects for anything the task does.
   * @throws Error when `room()` is 0: whoever calls is to look first.
   */
  run(request: TaskRequest, hooks: RunHooks): Promise<PoolResult>;
  /** As `run`, for whoever runs thousands a second. @param done called once, with how it ended. Must not throw. */
  start(request: TaskRequest, hooks: RunHooks, done: (result: PoolResult) => void): void;
  /** Gives the run up, without a word to the task: its result is `cancelled`. Nothing if it has ended. */
  cancelRun(hooks: RunHooks): void;
  /**
   * What `revoke(terminate=True, signal=…)` asks for: the process gets the signal, and SIGKILL a second later if it still
   * lives; the result is `terminated`. `SIGUSR1` is Celery's way to say "soft limit": the task is told, and its own end counts.
   * Without processes the run is only no longer waited for.
   *
   * @returns false when that run has ended, or has not begun.
   */
  terminateRun(hooks: RunHooks, signal: NodeJS.Signals): boolean;
  /**
   * From now on a run that has not begun this long after `start` does not begin any more: it ends as `cancelled`. A process that was stopped
   * must not begin, when it goes on, what others have been given meanwhile. Without processes every run begins at once.
   */
  beginWithin(ms: number): void;
  /** From now on a pool process is replaced after this many tasks. Without processes it does nothing. */
  retireAfter(tasks: number): void;
  /** From now on a pool process that has more resident memory after a task (KiB) is replaced. Without processes it does nothing. */
  retireAbove(residentKib: number): void;
  /** Adds slots; each can take tasks once its process is up. @throws PoolError in a pool of one. */
  grow(slots: number): void;
  /**
   * Takes idle slots away.
   *
   * @throws PoolError when fewer than `slots` are idle (those that are, are gone), or none would be left.
   * @see billiard 4.3.2 pool.py, `Pool.shrink`
   */
  shrink(slots: number): void;
  /** Replaces every process, busy ones after their task: the files are loaded anew. @throws PoolError without processes. */
  restart(): void;
  /** Ids of the processes that run tasks; without processes the worker's own. */
  processes(): readonly number[];
  /** Tasks given to each slot since the start. */
  writes(): readonly number[];
  /** Gives up everything that runs, as if every run were cancelled, and takes no more. */
  terminate(): void;
}

export interface PoolEvents {
  /** A slot became free, or there is room for another task. */
  free: [];
  /** A pool process ended that should not have. `status` as billiard words it: `signal 9 (SIGKILL)`, `exitcode 1`. */
  exited: [processName: string, pid: number, status: string];
  /** A replacement could not be started; another try follows by itself. */
  startFailed: [processName: string, reason: string];
  /** A line that a task (or a library in it) printed. */
  output: [processName: string, line: string];
}

export interface RunHooks {
  /** The pool's own: by this it knows the run again. */
  handle?: unknown;
  /** Ends the run as `cancelRun` does: for callers who have a signal at hand anyway. */
  readonly signal?: AbortSignal;
  /** The task's function is about to be called, in this process. */
  onStart(pid: number, processName: string): void;
  /** `self.updateState`, with the meta in Celery's JSON: the task waits until this settles. */
  onState(state: string, metaJson: string): Promise<void>;
  onSoftLimit(limitSeconds: number): void;
  /** `self.sendEvent`: the type as the task gave it, e.g. `task-progress`, and its fields in Celery's JSON. */
  onEvent?(type: string, fieldsJson: string): void;
}

export type PoolResult =
  | { readonly ended: "done"; readonly outcome: Outcome; readonly processName: string }
  /** Given up on the worker's own wish. */
  | { readonly ended: "cancelled"; readonly processName: string }
  /** Ended by `terminateRun`. */
  | { readonly ended: "terminated"; readonly signal: NodeJS.Signals; readonly processName: string }
  /** The process died under the task. `status` as in `PoolEvents.exited`. */
  | { readonly ended: "lost"; readonly status: string; readonly pid: number; readonly processName: string }
  /** The hard time limit passed; the process was killed. */
  | { readonly ended: "timeout"; readonly limitSeconds: number; readonly processName: string };

/** Why the state of a task that has ended is not updated: its result stands. */
export const TOO_LATE = "The task has ended: its state cannot be updated any more. Is an await missing?";

/** A pool process did not come up: the app failed to load in it, or it took too long. */
export class PoolStartError extends Error {
  readonly code = "POOL_START";

  constructor(message: string) {
    super(message);
    this.name = "PoolStartError";
  }
}

/** The pool cannot do what it was asked: all busy, or this kind of pool never can. */
export class PoolError extends Error {
  readonly code = "POOL";

  constructor(message: string) {
    super(message);
    this.name = "PoolError";
  }
}
