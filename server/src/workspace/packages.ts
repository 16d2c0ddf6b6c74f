import { existsSync } from "node:fs";
import { lstat, mkdir, rm, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

/**
 * Lets the lessons' code find `celery` and the other packages when the workspaces are not inside of the repository:
 * Node looks for `node_modules` in every folder above a file. Does nothing where they are found already.
 */
export async function linkPackages(root: string): Promise<void> {
  await mkdir(root, { recursive: true });
  if (packagesAbove(root) !== undefined) return;
  const packages = packagesAbove(import.meta.dirname);
  if (packages === undefined) return;
  const link = join(root, "node_modules");
  // A link that leads nowhere is left from an installation that moved.
  if ((await lstat(link).catch(() => undefined))?.isSymbolicLink()) await rm(link);
  await symlink(packages, link, "junction");
  await writeFile(join(root, "package.json"), '{ "private": true, "type": "module" }\n');
}

function packagesAbove(folder: string): string | undefined {
  const packages = join(folder, "node_modules");
  if (existsSync(join(packages, "celery", "package.json"))) return packages;
  const parent = dirname(folder);
  return parent === folder ? undefined : packagesAbove(parent);
}
