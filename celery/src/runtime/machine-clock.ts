const SAMPLES = 5;

/**
 * The monotonic clock that all threads and processes of a machine share, read as cheaply as `performance.now()`. It goes on while a process
 * is stopped.
 */
export class MachineClock {
  readonly #offsetMs = offsetMs();

  /** Milliseconds since some moment that is the same for all. */
  nowMs(): number {
    return performance.now() + this.#offsetMs;
  }
}

/**
 * What `performance.now()`, which counts from the start of the process, lacks to `process.hrtime`. A process that is interrupted between the two
 * looks finds too little: the largest of some counts.
 */
function offsetMs(): number {
  const offsets = Array.from(
    { length: SAMPLES },
    () => Number(process.hrtime.bigint()) / 1e6 - performance.now(),
  );
  return Math.max(...offsets);
}
