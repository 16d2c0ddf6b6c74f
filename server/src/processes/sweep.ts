import { setTimeout as delay } from "node:timers/promises";
import { findMarked } from "./process-table.ts";

/** Name of the variable that marks every process that the playground's shells start. */
export const SESSION_VARIABLE = "PLAYGROUND_SESSION";

const PAUSE_MS = 30;

/** One run of the server, as the sweep needs it. */
export interface Session {
  /** Value of `PLAYGROUND_SESSION` in the environments of all that its shells start. */
  readonly id: string;
  /** The session's own folder, absolute and without links. */
  readonly directory: string;
}

/**
 * Ends every process of a session with SIGKILL, again and again until one look finds none: a process
 * may fork between the look and the signal.
 *
 * @returns how many were still there after `withinMs`; 0 is the promise kept.
 */
export async function sweepSession(session: Session, withinMs: number): Promise<number> {
  const marks = { entry: `${SESSION_VARIABLE}=${session.id}`, directory: session.directory };
  const deadline = performance.now() + withinMs;
  for (;;) {
    const pids = await findMarked(marks);
    if (pids.length === 0 || performance.now() > deadline) return pids.length;
    for (const pid of pids) kill(pid);
    await delay(PAUSE_MS);
  }
}

/** A process that ended since the look is what we wanted. */
function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
