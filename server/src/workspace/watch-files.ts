import { type FSWatcher, watch } from "node:fs";
import { basename, dirname, join } from "node:path";

/** Saving takes an editor several steps; what comes within this time is looked at once. */
const SETTLE_MS = 30;
/** Looks by itself now and then: watching loses events on some file systems, and ends when a folder is replaced. */
const RESCAN_MS = 2000;

/**
 * Calls `onChange` soon after one of the files may have changed, and every 2 s anyway. Other names in the same
 * folders, like an editor's temporary files, are ignored.
 *
 * @returns ends the watching.
 */
export function watchFiles(root: string, paths: readonly string[], onChange: () => void): () => void {
  const names = new Map<string, Set<string>>();
  for (const path of paths) {
    const folder = join(root, dirname(path));
    names.set(folder, (names.get(folder) ?? new Set()).add(basename(path)));
  }
  const watchers = new Map<string, FSWatcher>();
  let settle: NodeJS.Timeout | undefined;
  const soon = (): void => {
    clearTimeout(settle);
    settle = setTimeout(onChange, SETTLE_MS);
  };
  const open = (): void => {
    for (const [folder, files] of names) openWatcher(folder, files, watchers, soon);
  };
  open();
  const rescan = setInterval(() => {
    open();
    onChange();
  }, RESCAN_MS).unref();
  return () => {
    clearTimeout(settle);
    clearInterval(rescan);
    for (const watcher of watchers.values()) watcher.close();
  };
}

function openWatcher(
  folder: string,
  files: ReadonlySet<string>,
  watchers: Map<string, FSWatcher>,
  soon: () => void,
): void {
  if (watchers.has(folder)) return;
  const drop = (): void => {
    watchers.get(folder)?.close();
    watchers.delete(folder);
    soon();
  };
  try {
    const watcher = watch(folder, { persistent: false }, (event, name) => {
      if (name === null || files.has(name)) soon();
      // The folder itself was moved or removed: this watcher hears no more of the path.
      if (event === "rename" && name === basename(folder)) drop();
    });
    watcher.on("error", drop);
    watchers.set(folder, watcher);
  } catch {
    // No such folder, or no watch left to give: the rescan looks again.
  }
}
