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
  let rest = "";
  const take = (chunk: string | Uint8Array): void => {
    const lines = (rest + (typeof chunk === "string" ? chunk : Buffer.from(chunk).toString("utf8"))).split(
      /\r?\n/,
    );
    rest = lines.pop() as string;
    for (const line of lines) onLine(line);
  };
  stream.write = ((chunk: string | Uint8Array, ...more: unknown[]): boolean => {
    take(chunk);
    const done = more.find((argument) => typeof argument === "function") as (() => void) | undefined;
    if (done) queueMicrotask(done);
    return true;
  }) as typeof stream.write;
  return () => {
    if (own) Object.defineProperty(stream, "write", own);
    else Reflect.deleteProperty(stream, "write");
    if (rest) onLine(rest);
  };
}
