import { randomUUID } from "node:crypto";
import { constants, existsSync, type Stats } from "node:fs";
import { mkdir, open, rename, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { WorkspaceRefused } from "./workspace.ts";

/** Files larger than this are neither read nor written. */
const MAX_FILE_BYTES: number = 256 * 1024;

const MAX_PATH = 200;
/** Letters, digits, `-`, `_` and inner dots in every part: no `..`, no hidden files, no drive, no escape, no URL. */
const PART = /^[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*$/;
/** Names that mean devices on Windows, with any ending. */
const DEVICE = /^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/i;

/** Whether a text is a plain relative path, `tasks.ts` or `data/reviews.tsv`. Says nothing about the disk. */
export function isPlainPath(path: string): boolean {
  if (path.length === 0 || path.length > MAX_PATH) return false;
  return path.split("/").every((part) => PART.test(part) && !DEVICE.test(part));
}

/**
 * Reads a file under `root` without following a link, at any place of its path.
 *
 * @param root has no link in it: what `realpath` says.
 * @returns undefined when there is no such file.
 * @throws WorkspaceRefused for a link, a device, a pipe, a file with a second name, or one that is too large.
 */
export async function readConfined(root: string, path: string): Promise<Buffer | undefined> {
  return inFolder(root, path, { make: false }, async (folder) => {
    const handle = await openFile(join(folder, basename(path)), path);
    if (handle === undefined) return undefined;
    try {
      refuseUnusual(path, await handle.stat());
      return await handle.readFile();
    } finally {
      await handle.close();
    }
  });
}

/**
 * Writes a file under `root` in one step: a new file beside it, then a rename over it. A link in its place is
 * replaced, never followed.
 *
 * @throws WorkspaceRefused as `readConfined`.
 */
export async function writeConfined(root: string, path: string, text: string): Promise<void> {
  const bytes = Buffer.from(text, "utf8");
  if (bytes.length > MAX_FILE_BYTES) throw tooLarge(path);
  refuseOddPath(path);
  await makeFolder(root);
  await inFolder(root, path, { make: true }, async (folder) => {
    const temporary = join(folder, `.${randomUUID()}.tmp`);
    try {
      await writeFile(temporary, bytes, { flag: "wx", mode: 0o644 });
      await rename(temporary, join(folder, basename(path)));
    } catch (error) {
      await rm(temporary, { force: true });
      if ((error as NodeJS.ErrnoException).code !== "EISDIR") throw error;
      throw new WorkspaceRefused(`"${path}" is a folder where a file belongs; remove it, or press Reset.`);
    }
  });
}

/**
 * Makes a folder and those above it, where they are missing.
 *
 * @throws WorkspaceRefused when something else is in its place.
 */
export async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "EEXIST" && code !== "ENOTDIR") throw error;
    throw new WorkspaceRefused(`"${basename(folder)}" is a file where a folder belongs; remove it.`);
  }
}

/**
 * Walks from `root` to the folder of `path`, one part at a time, each by the open handle of the one above: a folder
 * that is swapped for a link on the way is not entered, and one that is swapped later is not reached any more. Systems
 * without `/proc` can name a folder by its path only, which leaves them the moment in between.
 */
async function inFolder<T>(
  root: string,
  path: string,
  { make }: { readonly make: boolean },
  work: (folder: string) => Promise<T>,
): Promise<T | undefined> {
  refuseOddPath(path);
  const handles: Handle[] = [];
  try {
    let folder = root;
    for (const part of [".", ...path.split("/").slice(0, -1)]) {
      const next = part === "." ? root : join(folder, part);
      const handle = await openFolder(next, part === "." ? basename(root) : part, make);
      if (handle === undefined) return undefined;
      handles.push(handle);
      folder = existsSync("/proc/self/fd") ? `/proc/self/fd/${handle.fd}` : next;
    }
    return await work(folder);
  } finally {
    for (const handle of handles) await handle.close();
  }
}

type Handle = Awaited<ReturnType<typeof open>>;

async function openFolder(folder: string, part: string, make: boolean): Promise<Handle | undefined> {
  try {
    return await open(folder, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" && !make) return undefined;
    if (code === "ENOENT") {
      await mkdir(folder).catch(() => {}); // Whatever is in the way is found by opening it.
      return openFolder(folder, part, false);
    }
    if (code !== "ENOTDIR" && code !== "ELOOP" && code !== "EMLINK") throw error;
    throw new WorkspaceRefused(`"${part}" is a link or a file where a folder belongs; remove it.`);
  }
}

/** O_NONBLOCK, because opening a pipe that nobody writes to would wait for ever. */
async function openFile(file: string, path: string): Promise<Handle | undefined> {
  try {
    return await open(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return undefined;
    if (code === "ELOOP" || code === "EMLINK" || code === "ENXIO") {
      throw new WorkspaceRefused(`"${path}" is a link or no plain file; remove it, or press Reset.`);
    }
    throw error;
  }
}

function refuseOddPath(path: string): void {
  if (isPlainPath(path)) return;
  const shown = JSON.stringify(path.slice(0, 80));
  throw new WorkspaceRefused(
    `${shown} is not a file of this lesson: names are relative, without ".." or links.`,
  );
}

function refuseUnusual(path: string, found: Stats): void {
  if (!found.isFile())
    throw new WorkspaceRefused(`"${path}" is not a plain file; remove it, or press Reset.`);
  if (found.nlink > 1)
    throw new WorkspaceRefused(
      `"${path}" is a hard link to a file that may be elsewhere; remove it, or press Reset.`,
    );
  if (found.size > MAX_FILE_BYTES) throw tooLarge(path);
}

function tooLarge(path: string): WorkspaceRefused {
  return new WorkspaceRefused(
    `"${path}" is larger than ${MAX_FILE_BYTES / 1024} KB, which is more than the editor takes.`,
  );
}
