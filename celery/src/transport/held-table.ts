/**
 * Numbers of the claims that a worker holds, in memory that its threads share: what the main thread writes, the
 * heartbeat thread sees at once, however busy the main thread is from the next moment on, and without a message between them.
 *
 * One writer, any number of readers. A slot is a number, or 0 when it is free.
 */
export class HeldTable {
  readonly #slotOf = new Map<number, number>();
  readonly #free: number[] = [];
  #slots: Float64Array;
  #used = 0;

  constructor(size = 1024) {
    this.#slots = new Float64Array(new SharedArrayBuffer(size * Float64Array.BYTES_PER_ELEMENT));
  }

  /** What readers look at. Another one after `add` returned true. */
  get buffer(): SharedArrayBuffer {
    return this.#slots.buffer as SharedArrayBuffer;
  }

  /** Returns true when the table had to grow: readers must be given its new `buffer`. */
  add(number: number): boolean {
    const slot = this.#free.pop() ?? this.#used++;
    const grown = slot >= this.#slots.length;
    if (grown) this.#grow();
    this.#slots[slot] = number;
    this.#slotOf.set(number, slot);
    return grown;
  }

  remove(number: number): void {
    const slot = this.#slotOf.get(number);
    if (slot === undefined) return;
    this.#slotOf.delete(number);
    this.#slots[slot] = 0;
    this.#free.push(slot);
  }

  #grow(): void {
    const larger = new Float64Array(new SharedArrayBuffer(this.#slots.byteLength * 2));
    larger.set(this.#slots);
    this.#slots = larger;
  }
}

/** The numbers in a table's buffer, in no particular order. */
export function readHeld(buffer: SharedArrayBuffer): readonly number[] {
  return Array.from(new Float64Array(buffer)).filter((number) => number !== 0);
}
