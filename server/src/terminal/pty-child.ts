import { type ChildProcess, spawn } from "node:child_process";
import type { Readable } from "node:stream";
import type { Pty, PtyOptions } from "./pty.ts";

/** A child that holds the terminal for us, or stands for it. `output` is what would be on the screen. */
export interface PtyChild {
  readonly child: ChildProcess;
  readonly output: Readable;
}

/**
 * Starts a helper in a session of its own: Ctrl-C at the server's own terminal is not for it, and all that it starts
 * can be found.
 */
export function startChild(
  file: string,
  args: readonly string[],
  options: Pick<PtyOptions, "cwd" | "env">,
  extraPipes = 0,
): ChildProcess {
  const pipes = Array.from({ length: 3 + extraPipes }, () => "pipe" as const);
  return spawn(file, args, { cwd: options.cwd, env: { ...options.env }, stdio: pipes, detached: true });
}

/** The parts of a `Pty` that are the same for every helper. */
export function ptyOfChild(child: ChildProcess): Pick<Pty, "pid" | "onData" | "onExit" | "close"> {
  // A write to a helper that just ended; its exit says so.
  child.stdin?.on("error", () => {});
  return {
    pid: child.pid,
    onData: (listener) => {
      child.stdout?.on("data", listener);
      child.stderr?.on("data", listener);
    },
    onExit: (listener) => {
      let called = false;
      const once = (exit: number | undefined): void => {
        if (!called) listener(exit);
        called = true;
      };
      // `close` comes after the last output, `exit` may not.
      child.once("close", (code) => once(code ?? undefined));
      child.once("error", () => once(undefined));
    },
    close: () => {
      child.stdin?.destroy();
      child.kill("SIGHUP");
    },
  };
}
