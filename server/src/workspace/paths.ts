import { randomUUID } from "node:crypto";
import { constants, type Stats } from "node:fs";
import { lstat, mkdir, open, realpath, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { WorkspaceRefused } from "./workspace.ts";

/** Files larger than this are neither read nor written. */
export const MAX_FILE_BYTES: number = 256 * 1024;

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
  const handle = await openConfined(root, path);
  if (handle === undefined) return undefined;
  try {
    const found = await handle.stat();
    refuseUnusual(path, found);
    await proveInside(root, path, handle.fd);
    return await handle.readFile();
  } finally {
    await handle.close();
  }
}

type Handle = Awaited<ReturnType<typeof open>>;

/** O_NONBLOCK, because opening a pipe that nobody writes to would wait for ever. */
async function openConfined(root: string, path: string): Promise<Handle | undefined> {
  refuseOddPath(path);
  await refuseLinkedFolders(root, path);
  try {
    return await open(join(root, path), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    if (code === "ELOOP" || code === "EMLINK") throw isLink(path);
    throw error;
  }
}

/**
 * Writes a file under `root` in one step: a new file beside it, then a rename over it. A link in its place is
 * replaced, never followed.
 *
 * @throws WorkspaceRefused as `readConfined`.
 */
export async function writeConfined(root: string, path: string, text: string): Promise<void> {
  refuseOddPath(path);
  const bytes = Buffer.from(text, "utf8");
  if (bytes.length > MAX_FILE_BYTES) throw tooLarge(path);
  const target = join(root, path);
  await refuseLinkedFolders(root, path);
  await makeFolders(root, path);
  const temporary = join(dirname(target), `.${randomUUID()}.tmp`);
  const handle = await open(
    temporary,
    constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW,
    0o644,
  );
  try {
    // The folder may have been swapped for a link since it was looked at: nothing is written before this is known.
    await proveInside(root, path, handle.fd, temporary);
    await handle.writeFile(bytes);
    await refuseLinkedFolders(root, path);
    await rename(temporary, target);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  } finally {
    await handle.close();
  }
}

function refuseOddPath(path: string): void {
  if (isPlainPath(path)) return;
  const shown = JSON.stringify(path.slice(0, 80));
  throw new WorkspaceRefused(
    `${shown} is not a file of this lesson: names are relative, without ".." or links.`,
  );
}

/** Every folder between `root` and the file has to be a folder, not a link to one. */
async function refuseLinkedFolders(root: string, path: string): Promise<void> {
  const parts = path.split("/").slice(0, -1);
  for (const [index] of parts.entries()) {
    const found = await lstat(join(root, ...parts.slice(0, index + 1))).catch(() => undefined);
    if (found !== undefined && !found.isDirectory()) throw isLink(parts.slice(0, index + 1).join("/"));
  }
}

async function makeFolders(root: string, path: string): Promise<void> {
  await mkdir(root, { recursive: true });
  const parts = path.split("/").slice(0, -1);
  for (const [index] of parts.entries()) {
    const folder = join(root, ...parts.slice(0, index + 1));
    await mkdir(folder).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "EEXIST") throw error;
    });
  }
}

function refuseUnusual(path: string, found: Stats): void {
  if (!found.isFile()) throw new WorkspaceRefused(`"${path}" is not a plain file.`);
  if (found.nlink > 1)
    throw new WorkspaceRefused(`"${path}" is a hard link to a file that may be elsewhere.`);
  if (found.size > MAX_FILE_BYTES) throw tooLarge(path);
}

/**
 * Where an open file really is. Between looking at a path and opening it, a folder can become a link; the open file
 * can not move any more. Systems without `/proc` compare the path's real place instead, which leaves them that gap.
 */
async function proveInside(root: string, path: string, fd: number, opened = join(root, path)): Promise<void> {
  const expected = join(root, ...path.split("/").slice(0, -1));
  const byHandle = await realpath(`/proc/self/fd/${fd}`).catch(() => undefined);
  const actual = byHandle ?? (await realpath(opened));
  if (dirname(actual) !== expected) throw isLink(path);
}

function isLink(path: string): WorkspaceRefused {
  return new WorkspaceRefused(`"${path}" leads out of the lesson's folder through a link; remove the link.`);
}

function tooLarge(path: string): WorkspaceRefused {
  return new WorkspaceRefused(
    `"${path}" is larger than ${MAX_FILE_BYTES / 1024} KB, which is more than the editor takes.`,
  );
}
