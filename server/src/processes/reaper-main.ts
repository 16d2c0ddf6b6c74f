/**
 * A process of its own that outlives the server by a moment. It waits at the end of a pipe from the server;
 * the pipe closes when the server ends, in whatever way, and then everything that the playground's shells
 * started is ended and the session's own directory removed.
 *
 * Arguments: the session's marker, the session's directory.
 */
import { rm } from "node:fs/promises";
import { type Session, sweepSession } from "./sweep.ts";

/** The promise to the learner is ten seconds; a machine in trouble gets twice the time. */
const WITHIN_MS = 20_000;

const [id, directory] = process.argv.slice(2);
if (!id || !directory) throw new Error("usage: reaper-main SESSION DIRECTORY");

// Whoever ends the server's whole group must not end the one who cleans up after it.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => undefined);

process.stdin.resume();
process.stdin.once("error", () => process.stdin.destroy());
process.stdin.once("close", () => void cleanUp({ id, directory }));

async function cleanUp(session: Session): Promise<void> {
  const left = await sweepSession(session, WITHIN_MS);
  await rm(session.directory, { recursive: true, force: true });
  process.exit(left === 0 ? 0 : 1);
}
