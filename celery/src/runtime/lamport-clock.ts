/**
 * A logical clock: orders events of several processes without trusting their wall clocks. One per process, shared by whatever it
 * sends and receives.
 *
 * @see kombu 5.7.0 clocks.py, `LamportClock`
 */
export class LamportClock {
  #value = 0;

  get value(): number {
    return this.#value;
  }

  /** Before sending: the stamp of the message. */
  forward(): number {
    this.#value += 1;
    return this.#value;
  }

  /** After receiving `other`: from now on we are later than that. */
  adjust(other: number): number {
    this.#value = Math.max(this.#value, other) + 1;
    return this.#value;
  }
}
