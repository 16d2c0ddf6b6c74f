import type { Readable } from "node:stream";
import { StringDecoder } from "node:string_decoder";

export interface LineReader {
  /** Settles when `bytes` bytes have been read since the start, or the stream has ended. */
  reached(bytes: number): Promise<void>;
  /** Whether `reached` would settle at once. */
  has(bytes: number): boolean;
}

/** A line without an end is passed on in pieces of this size: a task may print for ever without a newline. */
const MAX_LINE = 64 * 1024;

/** Puts lines together from the pieces in which they come. */
export class LineSplitter {
  readonly #onLine: (line: string) => void;
  /** A character of several bytes may come in two pieces. */
  readonly #decoder = new StringDecoder("utf8");
  #rest = "";

  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine;
  }

  push(chunk: Buffer): void {
    const lines = (this.#rest + this.#decoder.write(chunk)).split(/\r?\n/);
    let rest = lines.pop() as string;
    while (rest.length > MAX_LINE) {
      lines.push(rest.slice(0, MAX_LINE));
      rest = rest.slice(MAX_LINE);
    }
    this.#rest = rest;
    for (const line of lines) this.#onLine(line);
  }

  /** Passes on what has no line end. */
  end(): void {
    const rest = this.#rest;
    this.#rest = "";
    if (rest) this.#onLine(rest);
  }
}

/** Splits what a stream brings into lines, and knows how far it has read. */
export function readLines(stream: Readable, onLine: (line: string) => void): LineReader {
  const lines = new LineSplitter(onLine);
  let read = 0;
  let ended = false;
  const waiting = new Set<{ bytes: number; resolve: () => void }>();
  const wake = (): void => {
    for (const waiter of waiting) {
      if (!ended && read < waiter.bytes) continue;
      waiting.delete(waiter);
      waiter.resolve();
    }
  };
  stream.on("data", (chunk: Buffer) => {
    lines.push(chunk);
    read += chunk.length;
    wake();
  });
  stream.once("close", () => {
    ended = true;
    lines.end();
    wake();
  });
  const has = (bytes: number): boolean => read >= bytes || ended;
  return {
    has,
    reached: (bytes) =>
      has(bytes) ? Promise.resolve() : new Promise((resolve) => waiting.add({ bytes, resolve })),
  };
}
