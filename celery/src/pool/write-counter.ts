import type { Written } from "./ipc.ts";

export interface WriteCounter {
  now(): Written;
}

/** Counts the bytes that this process writes to stdout and stderr through Node. */
export function countWrites(self: NodeJS.Process): WriteCounter {
  const counts = { stdout: 0, stderr: 0 };
  for (const name of ["stdout", "stderr"] as const) {
    const stream = self[name];
    const write = stream.write;
    stream.write = function counted(this: NodeJS.WriteStream, ...args: Parameters<typeof write>): boolean {
      const [chunk, encoding] = args as unknown as [string | Uint8Array, BufferEncoding | undefined];
      counts[name] +=
        typeof chunk === "string" ? Buffer.byteLength(chunk, textEncoding(encoding)) : chunk.byteLength;
      return Reflect.apply(write, this, args) as boolean;
    } as typeof write;
  }
  return { now: () => ({ ...counts }) };
}

/** The second argument of `write` may also be its callback. */
function textEncoding(encoding: unknown): BufferEncoding {
  return typeof encoding === "string" ? (encoding as BufferEncoding) : "utf8";
}
