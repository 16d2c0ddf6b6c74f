import type { EventEmitter } from "node:events";

/** A wait that ends by itself. Only the time being up is expected; an abort by the caller goes on as an error. */
export interface BoundedWait {
  readonly signal: AbortSignal;
  readonly rethrowUnlessTimeout: (error: unknown) => void;
}

export function bounded(ms: number, signal?: AbortSignal): BoundedWait {
  const timeout = AbortSignal.timeout(ms);
  return {
    signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
    rethrowUnlessTimeout: (error) => {
      if (!timeout.aborted || signal?.aborted === true) throw error;
    },
  };
}

/**
 * Resolves with the first payload that `accept` takes. It looks while the event is being told, so it cannot miss a
 * state that is over a moment later.
 *
 * @throws the signal's reason when it aborts first.
 */
export function whenEmitted<Payload>(
  events: Pick<EventEmitter, "on" | "off">,
  name: string,
  accept: (payload: Payload) => boolean,
  signal: AbortSignal,
): Promise<Payload> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      events.off(name, listener);
      signal.removeEventListener("abort", abort);
    };
    const listener = (payload: Payload): void => {
      if (!accept(payload)) return;
      stop();
      resolve(payload);
    };
    const abort = (): void => {
      stop();
      reject(signal.reason as Error);
    };
    if (signal.aborted) return abort();
    events.on(name, listener);
    signal.addEventListener("abort", abort);
  });
}
