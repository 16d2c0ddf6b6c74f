import { execFile } from "node:child_process";
import { promisify } from "node:util";

const run = promisify(execFile);
const PATIENCE_MS = 1000;

/**
 * Whether whoever reads from this terminal gets single keys instead of lines.
 *
 * @param tty path such as `/dev/pts/3`; empty when there is none.
 */
export async function readsSingleKeys(tty: string): Promise<boolean> {
  if (!tty.startsWith("/dev/")) return false;
  const flag = process.platform === "linux" ? "-F" : "-f";
  const settings = await run("stty", [flag, tty, "-a"], { timeout: PATIENCE_MS }).catch(() => ({
    stdout: "",
  }));
  return /(^|\s)-icanon\b/.test(settings.stdout);
}
