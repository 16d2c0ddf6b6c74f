import { SoftTimeLimitExceeded } from "../protocol/task-signals.ts";

/** The signal of one run, and the promise that ends it when its function does not listen. */
export interface RunSignal extends Disposable {
  /** What `self.signal` gives. Reading it means: the function minds it and ends by itself. */
  readonly signal: AbortSignal;
  /** Rejects with the signal's reason once it has aborted, unless the function minds it. */
  readonly ignored: Promise<never>;
  /** The soft limit passed. */
  readonly softLimitPassed: boolean;
}

export interface SoftLimitOptions {
  readonly limitSeconds: number | null;
  /** Gives the run up from outside: cold shutdown, hard limit where there is no process to kill. */
  readonly outside: AbortSignal;
  readonly onSoftLimit: (limitSeconds: number) => void;
}

/**
 * JavaScript cannot raise an error inside a running function as Celery does at the soft limit. So a function
 * that has asked for `self.signal` is told by it, and may tidy up and still return; any other is failed at once.
 */
export function openRunSignal(options: SoftLimitOptions): RunSignal {
  const soft = new AbortController();
  const signal = AbortSignal.any([options.outside, soft.signal]);
  let minded = false;
  const timer = options.limitSeconds === null ? undefined : setTimeout(expire, options.limitSeconds * 1000);
  const ignored = new Promise<never>((_resolve, reject) => {
    const onAbort = (): void => {
      if (!minded || options.outside.aborted) reject(signal.reason as Error);
    };
    if (signal.aborted) onAbort();
    else signal.addEventListener("abort", onAbort, { once: true });
  });
  // Nobody may be waiting any more when it comes.
  ignored.catch(() => undefined);

  function expire(): void {
    options.onSoftLimit(options.limitSeconds as number);
    soft.abort(new SoftTimeLimitExceeded());
  }

  return {
    get signal(): AbortSignal {
      minded = true;
      return signal;
    },
    ignored,
    get softLimitPassed(): boolean {
      return soft.signal.aborted;
    },
    [Symbol.dispose]: () => clearTimeout(timer),
  };
}
