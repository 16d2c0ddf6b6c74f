import type { Readable, Writable } from "node:stream";
import { familyOf, listProcesses, signalAll } from "./processes.ts";
import type { Pty, PtyFactory, PtyOptions } from "./pty.ts";
import { ptyOfChild, startChild } from "./pty-child.ts";

const CTRL_C = "\x03";
const NEWLINE = 0x0a;
const RETURN = 0x0d;

/** Programs colour and flush their output as if it went to a terminal. */
const AS_IF_TERMINAL = { FORCE_COLOR: "1", CLICOLOR_FORCE: "1", PYTHONUNBUFFERED: "1" } as const;

/**
 * The last rung: no terminal at all. Commands go to the shell over its file descriptor 3, output comes back through
 * pipes, and Ctrl-C is a signal to everything that the shell started.
 */
export function pipesPty(): PtyFactory {
  return { rung: "pipes", open: openPipes };
}

function openPipes(options: PtyOptions): Pty {
  const env = { ...options.env, ...AS_IF_TERMINAL, COLUMNS: `${options.cols}`, LINES: `${options.rows}` };
  const shell = startChild(options.file, options.args, { cwd: options.cwd, env }, 1);
  const commands = shell.stdio[3] as Writable | undefined;
  // A command for a shell that just ended; its exit says so.
  commands?.on("error", () => {});
  shell.stdin?.end();
  const common = ptyOfChild(shell);
  let hear: (bytes: Uint8Array) => void = () => {};
  return {
    ...common,
    write: (data) => {
      if (!data.includes(CTRL_C) || shell.pid === undefined) return;
      hear(Buffer.from("^C\r\n"));
      void interruptChildren(shell.pid);
    },
    submit: (script) => {
      if (commands?.writable) commands.write(`${script}\n`);
    },
    resize: () => {},
    onData: (listener) => {
      hear = listener;
      for (const stream of [shell.stdout, shell.stderr]) listenAsTerminal(stream, listener);
    },
    close: () => {
      commands?.destroy();
      common.close();
    },
  };
}

async function interruptChildren(shell: number): Promise<void> {
  const [, ...children] = familyOf(shell, await listProcesses());
  signalAll(children, "SIGINT");
}

/** A terminal passes about 20 MB/s; a pipe passes gigabytes, and reading them would leave time for nothing else. */
const WINDOW = { bytes: 160 * 1024, ms: 8 } as const;

/** Reads no faster than a terminal would, and turns every newline into return and newline as it would. */
function listenAsTerminal(stream: Readable | null, listener: (bytes: Uint8Array) => void): void {
  let inWindow = 0;
  let timer: NodeJS.Timeout | undefined;
  const nextWindow = (): void => {
    inWindow = 0;
    timer = undefined;
    stream?.resume();
  };
  stream?.on("data", (bytes: Buffer) => {
    inWindow += bytes.length;
    timer ??= setTimeout(nextWindow, WINDOW.ms);
    if (inWindow >= WINDOW.bytes) stream.pause();
    listener(withReturns(bytes));
  });
}

function withReturns(bytes: Uint8Array): Uint8Array {
  const out = new Uint8Array(bytes.length * 2);
  let length = 0;
  for (const byte of bytes) {
    if (byte === NEWLINE) out[length++] = RETURN;
    out[length++] = byte;
  }
  return out.subarray(0, length);
}
