import { spawn } from "node:child_process";
import { closeSync, openSync, readFileSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { sleep } from "../../runtime/sleep.ts";
import { processLives } from "../daemon.ts";
import { makeFolder } from "../make-folder.ts";
import type { MultiNode } from "./nodes.ts";

/** How a `celery` of our own is started. */
export interface Launcher {
  /** The Node.js of this process, its options and the script. */
  readonly command: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** A worker that has not written its pidfile by then is given up; a large app takes its time to load. */
const START_LIMIT_MS = 60_000;
const LOOK_EVERY_MS = 50;

export type StartOutcome = { readonly kind: "started" } | { readonly kind: "failed"; readonly why: string };

/** Starts a worker in the background and waits until it says, with its pidfile, that it runs. */
export async function startNode(
  node: MultiNode,
  launcher: Launcher,
  signal: AbortSignal,
): Promise<StartOutcome> {
  const running = pidOf(node);
  if (running !== undefined && processLives(running)) {
    return { kind: "failed", why: `it runs already (pid ${running}, ${node.pidFile})` };
  }
  makeFolder(dirname(node.logFile));
  makeFolder(dirname(node.pidFile));
  const log = openSync(node.logFile, "a");
  const [execPath = process.execPath, ...words] = launcher.command;
  // Not with --detach: only of a child of our own do we learn how it ended.
  const argv = node.argv.filter((word) => word !== "--detach");
  const child = spawn(execPath, [...words, ...argv], {
    cwd: launcher.cwd,
    env: launcher.env,
    detached: true,
    stdio: ["ignore", log, log],
  });
  closeSync(log);
  child.unref();
  const ended = new Promise<string>((resolve) => {
    child.once("error", (error) => resolve(error.message));
    child.once("exit", (code, died) => resolve(died === null ? `exit status ${code}` : `signal ${died}`));
  });
  return Promise.race([
    ended.then((how): StartOutcome => ({ kind: "failed", why: `${how}; see ${node.logFile}` })),
    hasStarted(node, child.pid, signal),
  ]);
}

async function hasStarted(
  node: MultiNode,
  pid: number | undefined,
  signal: AbortSignal,
): Promise<StartOutcome> {
  for (let waited = 0; waited < START_LIMIT_MS && !signal.aborted; waited += LOOK_EVERY_MS) {
    if (pid !== undefined && pidOf(node) === pid) return { kind: "started" };
    await sleep(LOOK_EVERY_MS, signal);
  }
  return { kind: "failed", why: `no ${node.pidFile} yet; see ${node.logFile}` };
}

/** The process id that a node's pidfile names. */
export function pidOf(node: MultiNode): number | undefined {
  try {
    const pid = Number.parseInt(readFileSync(node.pidFile, "utf8"), 10);
    return pid > 0 ? pid : undefined;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** Removes the pidfile of a process that could not do it itself: killed, or ended before it was ready to. */
export function forgetPid(node: MultiNode, pid: number): void {
  if (pidOf(node) === pid) rmSync(node.pidFile, { force: true });
}

/** `gone`: there is no such process any more. `refused`: there is one, of another user; see `processLives`. */
export type SignalOutcome = "sent" | "gone" | "refused";

export function sendSignal(pid: number, signal: NodeJS.Signals): SignalOutcome {
  try {
    process.kill(pid, signal);
    return "sent";
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ESRCH") return "gone";
    if (code === "EPERM") return "refused";
    throw error;
  }
}

/** Settles when the process is gone; earlier when `signal` aborts. @param tick called while it is waited for. */
export async function untilGone(pid: number, signal: AbortSignal, tick: () => void): Promise<void> {
  for (let looks = 1; processLives(pid) && !signal.aborted; looks++) {
    await sleep(LOOK_EVERY_MS, signal);
    if (looks % (1000 / LOOK_EVERY_MS) === 0) tick();
  }
}
