import { LineSplitter } from "./lines.ts";

/** Where the worker's own words go while what tasks print is captured. */
export interface OutputCapture extends Disposable {}

/**
 * Hands whole lines written to stdout and stderr to `onLine` instead. Whoever must still reach the terminal
 * has kept the streams' own `write` from before.
 */
export function captureOutput(self: NodeJS.Process, onLine: (line: string) => void): OutputCapture {
  const restore = [capture(self.stdout, onLine), capture(self.stderr, onLine)];
  return {
    [Symbol.dispose]: () => {
      for (const undo of restore.splice(0)) undo();
    },
  };
}

function capture(stream: NodeJS.WriteStream, onLine: (line: string) => void): () => void {
  const own = Object.getOwnPropertyDescriptor(stream, "write");
  const lines = new LineSplitter(onLine);
  stream.write = ((chunk: string | Uint8Array, ...more: unknown[]): boolean => {
    lines.push(toBuffer(chunk, more[0]));
    const done = more.find((argument) => typeof argument === "function") as (() => void) | undefined;
    if (done) queueMicrotask(done);
    return true;
  }) as typeof stream.write;
  return () => {
    if (own) Object.defineProperty(stream, "write", own);
    else Reflect.deleteProperty(stream, "write");
    lines.end();
  };
}

/** The second argument of `write` may be the encoding, or already its callback. */
function toBuffer(chunk: string | Uint8Array, encoding: unknown): Buffer {
  if (typeof chunk !== "string") return Buffer.from(chunk);
  return Buffer.from(chunk, typeof encoding === "string" ? (encoding as BufferEncoding) : "utf8");
}
