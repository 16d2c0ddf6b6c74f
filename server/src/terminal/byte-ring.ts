/** Keeps the newest bytes of a stream, and counts all of it. */
export class ByteRing {
  readonly #capacity: number;
  #chunks: Uint8Array[] = [];
  #kept = 0;
  #total = 0;

  constructor(capacityBytes: number) {
    this.#capacity = capacityBytes;
  }

  /** Bytes ever pushed. */
  get total(): number {
    return this.#total;
  }

  push(bytes: Uint8Array): void {
    this.#chunks.push(bytes);
    this.#kept += bytes.length;
    this.#total += bytes.length;
    while (this.#kept - (this.#chunks[0]?.length ?? 0) >= this.#capacity) {
      this.#kept -= this.#chunks.shift()?.length ?? 0;
    }
  }

  /**
   * Everything from `position` on, or undefined when it is no longer kept or not yet written. Positions that crossed the
   * wire have 32 bits, so they are compared as such.
   */
  since(position: number): Uint8Array | undefined {
    const wanted = (this.#total - position) >>> 0;
    if (wanted > this.#kept) return undefined;
    return Buffer.concat(this.#chunks).subarray(this.#kept - wanted);
  }
}
