import type { Pool } from "../../src/pool/pool.ts";
import { openPreforkPool, type PreforkOptions } from "../../src/pool/prefork.ts";

const APPS = new URL("./apps", import.meta.url).pathname;

/** A prefork pool with the tasks of `apps/pool-app.ts`. */
export function openTestPool(size: number, changes: Partial<PreforkOptions> = {}): Pool {
  return openPreforkPool({
    size,
    appSpec: "pool-app",
    cwd: APPS,
    env: process.env,
    hostname: "w1@test",
    ...changes,
  });
}

export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
