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
  readonly size: number;
  /** Settles when every slot can take a task. Rejects with PoolStartError when the app cannot be loaded in a child. */
  readonly ready: Promise<void>;
  readonly events: EventEmitter<PoolEvents>;
  /** How many tasks `run` would start at once. */
  free(): number;
  /**
   * Starts the task in a free slot.
   *
   * @returns how it ended, never rejects for anything the task does.
   * @throws Error when `free()` is 0: whoever calls is to look first.
   */
  run(request: TaskRequest, hooks: RunHooks): Promise<PoolResult>;
  /** From now on a pool process is replaced after this many tasks. Without processes it does nothing. */
  retireAfter(tasks: number): void;
  /** Gives up everything that runs, as if every run's signal had aborted, and takes no more. */
  terminate(): void;
}

export interface PoolEvents {
  /** A slot became free. */
  free: [];
  /** A pool process ended that should not have. `status` as billiard words it: `signal 9 (SIGKILL)`, `exitcode 1`. */
  exited: [processName: string, pid: number, status: string];
  /** A replacement could not be started; another try follows by itself. */
  startFailed: [processName: string, reason: string];
  /** A line that a task (or a library in it) printed. */
  output: [processName: string, line: string];
}

export interface RunHooks {
  /** Ends the run: its process is killed, or it is no longer waited for. The result is `cancelled`. */
  readonly signal: AbortSignal;
  /** The task's function is about to be called, in this process. */
  onStart(pid: number, processName: string): void;
  /** `self.updateState`, with the meta in Celery's JSON: the task waits until this settles. */
  onState(state: string, metaJson: string): Promise<void>;
  onSoftLimit(limitSeconds: number): void;
}

export type PoolResult =
  | { readonly ended: "done"; readonly outcome: Outcome; readonly processName: string }
  /** Given up on the worker's own wish. */
  | { readonly ended: "cancelled"; readonly processName: string }
  /** The process died under the task. `status` as in `PoolEvents.exited`. */
  | { readonly ended: "lost"; readonly status: string; readonly pid: number; readonly processName: string }
  /** The hard time limit passed; the process was killed. */
  | { readonly ended: "timeout"; readonly limitSeconds: number; readonly processName: string };

/** A pool process did not come up: the app failed to load in it, or it took too long. */
export class PoolStartError extends Error {
  readonly code = "POOL_START";

  constructor(message: string) {
    super(message);
    this.name = "PoolStartError";
  }
}
