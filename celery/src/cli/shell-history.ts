import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

type Environment = Readonly<Record<string, string | undefined>>;

/** Newest first, as readline wants it. A history that cannot be read or kept is no reason to refuse the shell. */
export function readHistory(env: Environment): string[] {
  const file = historyFile(env);
  try {
    return file === undefined ? [] : readFileSync(file, "utf8").split("\n").filter(Boolean).reverse();
  } catch {
    return []; // none yet, or not readable
  }
}

export function writeHistory(env: Environment, newestFirst: readonly string[]): void {
  const file = historyFile(env);
  if (file === undefined) return;
  try {
    writeFileSync(file, `${[...newestFirst].reverse().join("\n")}\n`, { mode: 0o600 });
  } catch {
    // A home that cannot be written to: the history lasts as long as the session.
  }
}

function historyFile(env: Environment): string | undefined {
  return env["HOME"] === undefined ? undefined : join(env["HOME"], ".celery_shell_history");
}
