import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { ownProgram } from "./own-program.ts";
import type { Session } from "./sweep.ts";

/** How long a server that ends in peace waits for the last sweep. */
const GOODBYE_MS = 3_000;

export interface Reaper extends AsyncDisposable {
  readonly pid: number | undefined;
}

/**
 * Starts the process that cleans up after the server, even after `kill -9`. Disposing it sweeps at once and
 * waits for the end of the sweep, and removes the session's directory.
 */
export function openReaper({ id, directory }: Session): Reaper {
  const [command, ...args] = ownProgram(new URL("./reaper-main.js", import.meta.url));
  const child = spawn(command, [...args, id, directory], {
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
  child.ref(); // the one thing that is waited for now
  child.stdin?.end();
  // Too slow is not our loss: it goes on sweeping after we are gone.
  await ended.catch(() => undefined);
}
