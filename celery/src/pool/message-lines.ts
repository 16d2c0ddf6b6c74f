/** Puts lines together from the pieces in which a pipe brings them. */
export class MessageLines {
  readonly #onLine: (line: string) => void;
  /** Of a line whose end has not come yet: a result of megabytes comes in many pieces. */
  #pieces: string[] = [];

  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine;
  }

  readonly push = (chunk: string): void => {
    let from = 0;
    for (let end = chunk.indexOf("\n"); end !== -1; end = chunk.indexOf("\n", from)) {
      const last = chunk.slice(from, end);
      from = end + 1;
      const line = this.#pieces.length === 0 ? last : this.#pieces.join("") + last;
      this.#pieces = [];
      this.#onLine(line);
    }
    if (from < chunk.length) this.#pieces.push(chunk.slice(from));
  };
}
