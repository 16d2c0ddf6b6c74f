/**
 * Puts lines together from the pieces in which a pipe brings them. Both ends are the same version of this package, so
 * what a line says needs no second look.
 */
export class MessageLines<M> {
  readonly #onMessage: (message: M) => void;
  /** Of a line whose end has not come yet: a result of megabytes comes in many pieces. */
  #pieces: string[] = [];

  constructor(onMessage: (message: M) => void) {
    this.#onMessage = onMessage;
  }

  readonly push = (chunk: string): void => {
    let from = 0;
    for (let end = chunk.indexOf("\n"); end !== -1; end = chunk.indexOf("\n", from)) {
      const last = chunk.slice(from, end);
      from = end + 1;
      const line = this.#pieces.length === 0 ? last : this.#pieces.join("") + last;
      this.#pieces = [];
      this.#onMessage(JSON.parse(line) as M);
    }
    if (from < chunk.length) this.#pieces.push(chunk.slice(from));
  };
}
