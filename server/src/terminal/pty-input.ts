import { writeSync } from "node:fs";

/** How much may wait for a program that does not read, in bytes. What is typed after that is lost, as in any terminal. */
export const MOST_WAITING_BYTES: number = 1024 * 1024;

/** How soon a full terminal is tried again, in milliseconds. */
const AGAIN_MS = 10;

/** The keyboard's end of a terminal. Disposing forgets what waits and touches the descriptor no more. */
export interface PtyInput extends Disposable {
  write(data: string): void;
}

/**
 * Types into a terminal and never waits for the program behind it.
 *
 * node-pty's own way is not for a server: libuv tries a terminal's write again until all of it is taken, so that a long
 * paste into a program that reads nothing would stop everything else for ever.
 *
 * @param fd of the terminal, open and non-blocking until the input is disposed.
 * @see libuv 1.46 src/unix/tty.c `uv_tty_init`, stream.c `uv__write` (UV_HANDLE_BLOCKING_WRITES)
 */
export function openPtyInput(fd: number): PtyInput {
  let waiting = Buffer.alloc(0);
  let again: NodeJS.Timeout | undefined;
  const flush = (): void => {
    again = undefined;
    waiting = waiting.subarray(writeSome(fd, waiting));
    if (waiting.length > 0) again = setTimeout(flush, AGAIN_MS);
  };
  return {
    write(data) {
      waiting = Buffer.concat([waiting, Buffer.from(data)]).subarray(0, MOST_WAITING_BYTES);
      if (again === undefined) flush();
    },
    [Symbol.dispose]() {
      clearTimeout(again);
      waiting = Buffer.alloc(0);
    },
  };
}

/** @returns how much the terminal took; all of it where nobody is left to read. */
function writeSome(fd: number, bytes: Buffer): number {
  try {
    return bytes.length === 0 ? 0 : writeSync(fd, bytes);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EAGAIN" ? 0 : bytes.length;
  }
}
