/**
 * The monotonic clock that all threads and processes of a machine share, read as cheaply as `performance.now()`. It goes on while a process
 * is stopped.
 */
export class MachineClock {
  /** What `performance.now()`, which counts from the start of the process, lacks to `process.hrtime`. */
  readonly #offsetMs = Number(process.hrtime.bigint()) / 1e6 - performance.now();

  /** Milliseconds since some moment that is the same for all. */
  nowMs(): number {
    return performance.now() + this.#offsetMs;
  }
}
