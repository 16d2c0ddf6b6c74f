/**
 * Waits, and ends early without an error when `signal` aborts: the caller looks at the signal anyway.
 *
 * @param options.ref `false` lets the process end while waiting.
 */
export function sleep(ms: number, signal: AbortSignal, options: { ref?: boolean } = {}): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const finish = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", finish);
      resolve();
    };
    const timer = setTimeout(finish, ms);
    if (options.ref === false) timer.unref();
    signal.addEventListener("abort", finish, { once: true });
  });
}

/**
 * Settles as `work` does, or without it after `ms` or when `signal` aborts. Leaves no timer behind, which would keep a program from ending.
 */
export async function atMost(ms: number, work: Promise<unknown>, signal: AbortSignal): Promise<void> {
  const over = new AbortController();
  const end = (): void => over.abort();
  if (signal.aborted) end();
  signal.addEventListener("abort", end, { once: true });
  try {
    await Promise.race([work, sleep(ms, over.signal)]);
  } finally {
    signal.removeEventListener("abort", end);
    end();
  }
}

/**
 * Settles as `work` does, or rejects with `signal.reason` when `signal` aborts first. `work` itself goes on:
 * whoever started it must be able to end it.
 */
export function abortable<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  if (signal.aborted) {
    work.catch(() => undefined); // its failure has no reader left
    return Promise.reject(signal.reason as Error);
  }
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason as Error);
    signal.addEventListener("abort", onAbort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}
