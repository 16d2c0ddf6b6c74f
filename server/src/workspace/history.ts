import { lstat, mkdir, readdir, rename } from "node:fs/promises";
import { dirname, join } from "node:path";
import { MEMORY_FILE } from "./progress.ts";

export interface HistoryMove {
  /** Folder of all workspaces. */
  readonly root: string;
  readonly slug: string;
  /** Files to move, as far as they exist. */
  readonly paths: readonly string[];
  /** Also move what programs left in the lesson's folder (a schedule file, logs), except `known` files. */
  readonly others: boolean;
  readonly known: readonly string[];
}

/** Moves files to `<root>/.history/<slug>/<time>/`, so that a reset loses nothing. */
export async function moveToHistory({ root, slug, paths, others, known }: HistoryMove): Promise<void> {
  const dir = join(root, slug);
  const left = others ? await leftovers(dir, known) : [];
  const time = new Date().toISOString().replaceAll(":", "-");
  for (const path of [...paths, ...left]) {
    const isThere = (await lstat(join(dir, path)).catch(() => undefined)) !== undefined;
    if (isThere) await move(join(dir, path), join(root, ".history", slug, time, path));
  }
}

async function move(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true });
  await rename(from, to);
}

async function leftovers(dir: string, known: readonly string[]): Promise<readonly string[]> {
  const kept = new Set([MEMORY_FILE, ...known.map((path) => path.split("/")[0])]);
  const names = await readdir(dir).catch(() => []);
  return names.filter((name) => !kept.has(name));
}
