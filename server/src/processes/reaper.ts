import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { ownProgram } from "./own-program.ts";

/** How long a server that ends in peace waits for the last sweep. */
const GOODBYE_MS = 3_000;

export interface Reaper extends AsyncDisposable {
  readonly pid: number | undefined;
}

export interface ReaperOptions {
  /** Value of `PLAYGROUND_SESSION` in the environments of everything to end. */
  readonly session: string;
  /** Removed at the end. */
  readonly directory: string;
}

/**
 * Starts the process that cleans up after the server, even after `kill -9`. Disposing it sweeps at once and
 * waits for the end of the sweep.
 */
export function openReaper(options: ReaperOptions): Reaper {
  const [command, ...args] = ownProgram(new URL("./reaper-main.js", import.meta.url));
  const child = spawn(command, [...args, options.session, options.directory], {
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
    env: {},
  });
  child.unref();
  // EPIPE when the reaper was ended first: the server then cleans up alone.
  child.stdin?.on("error", () => undefined);
  child.on("error", () => undefined);
  return { pid: child.pid, [Symbol.asyncDispose]: () => dismiss(child) };
}

async function dismiss(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit", { signal: AbortSignal.timeout(GOODBYE_MS) });
  child.stdin?.end();
  // Too slow is not our loss: it goes on sweeping after we are gone.
  await ended.catch(() => undefined);
}
