import { setTimeout as delay } from "node:timers/promises";
import { nameOf, parentOf } from "./process-table.ts";

const SHELLS: ReadonlySet<string> = new Set(["sh", "dash", "bash", "zsh", "ash", "busybox"]);

/** How often to look, in milliseconds; without `/proc` every look costs a `ps`. */
const LOOK_MS = process.platform === "linux" ? 1_000 : 3_000;

/**
 * Resolves when the program that launched this one is gone: a killed `npm` cannot pass a signal on, and
 * the server that it started would run for ever. npm may put a shell between itself and us, so the
 * shell's own parent is watched too.
 *
 * @param signal ends the watch; the promise then resolves with `"aborted"`.
 */
export async function launcherGone(
  signal: AbortSignal,
  lookMs: number = LOOK_MS,
): Promise<"gone" | "aborted"> {
  const parent = process.ppid;
  const isShell = SHELLS.has((await nameOf(parent)) ?? "");
  const grandparent = isShell ? await parentOf(parent) : undefined;
  while (!signal.aborted) {
    if (process.ppid !== parent) return "gone";
    if (grandparent !== undefined && (await parentOf(parent)) !== grandparent) return "gone";
    await delay(lookMs, undefined, { signal, ref: false }).catch(() => undefined);
  }
  return "aborted";
}
