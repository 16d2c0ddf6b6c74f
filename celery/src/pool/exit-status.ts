import { constants } from "node:os";

/**
 * How a process ended, in billiard's words: `signal 9 (SIGKILL)` or `exitcode 1`.
 *
 * @see billiard 4.3.2 common.py, `human_status`
 */
export function exitStatus(code: number | null, signal: NodeJS.Signals | null): string {
  if (signal === null) return `exitcode ${code ?? 0}`;
  return `signal ${constants.signals[signal]} (${signal})`;
}
