import type { Written } from "./ipc.ts";

export interface WriteCounter {
  now(): Written;
}

/** Counts the bytes that this process writes to stdout and stderr through Node. */
export function countWrites(self: NodeJS.Process): WriteCounter {
  const counts = { stdout: 0, stderr: 0 };
  for (const name of ["stdout", "stderr"] as const) {
    const stream = self[name];
    const write = stream.write.bind(stream);
    stream.write = ((chunk: string | Uint8Array, ...more: unknown[]): boolean => {
      counts[name] += byteCount(chunk, more[0]);
      return Reflect.apply(write, stream, [chunk, ...more]) as boolean;
    }) as typeof stream.write;
  }
  return { now: () => ({ ...counts }) };
}

/** The second argument of `write` may be the encoding, or already its callback. */
function byteCount(chunk: string | Uint8Array, encoding: unknown): number {
  if (typeof chunk !== "string") return chunk.byteLength;
  return Buffer.byteLength(chunk, typeof encoding === "string" ? (encoding as BufferEncoding) : "utf8");
}
