import type { Pool } from "../pool/pool.ts";
import { type LogLevel, MAIN_PROCESS, type WorkerLog } from "./worker-log.ts";

/**
 * Puts what happens in the pool into the worker's log: dead processes, and what tasks print.
 *
 * @param output what becomes of what tasks print: log records of a level (`worker_redirect_stdouts_level`), or as it is.
 */
export function followPool(pool: Pool, log: WorkerLog, output: LogLevel | ((text: string) => void)): void {
  pool.events.on("output", (processName, line) => {
    if (typeof output === "function") output(`${line}\n`);
    else if (line !== "") log.record({ level: output, processName, text: line, isPrinted: true });
  });
  pool.events.on("exited", (processName, pid, status) => {
    const text = `Process '${processName}' pid:${pid} exited with '${status}'`;
    log.record({ level: "ERROR", processName: MAIN_PROCESS, text });
  });
  pool.events.on("startFailed", (processName, reason) => {
    const text = `Process '${processName}' could not be started, trying again: ${reason}`;
    log.record({ level: "ERROR", processName: MAIN_PROCESS, text });
  });
}
