import { Worker } from "node:worker_threads";

/**
 * Runs in a thread of its own because a task may block the child's event loop, where the closed IPC channel
 * would go unnoticed. When the parent is gone its claims go to other workers, so nothing may run on here.
 */
const WATCH = `
const { workerData } = require("node:worker_threads");
const nap = new Int32Array(new SharedArrayBuffer(4));
while (process.ppid === workerData.parent) Atomics.wait(nap, 0, 0, workerData.intervalMs);
process.kill(process.pid, "SIGKILL");
`;

/** Ends this process with SIGKILL within about `intervalMs` of its parent's death, whatever it is doing. */
export function dieWithParent(parent: number, intervalMs: number): void {
  const thread = new Worker(WATCH, { eval: true, workerData: { parent, intervalMs }, stdout: false });
  thread.unref();
}
