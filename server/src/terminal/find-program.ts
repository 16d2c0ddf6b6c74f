import { constants } from "node:fs";
import { access } from "node:fs/promises";
import { isAbsolute, join } from "node:path";

/** Where shells are even when `PATH` is odd. */
const FALLBACK_FOLDERS = ["/bin", "/usr/bin", "/usr/local/bin"];

/** Absolute path of a program, looked for as a shell would and then where systems keep theirs. */
export async function findProgram(name: string, path: string | undefined): Promise<string | undefined> {
  const folders = [...(path ?? "").split(":").filter(isAbsolute), ...FALLBACK_FOLDERS];
  for (const folder of folders) {
    const file = join(folder, name);
    const runs = await access(file, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (runs) return file;
  }
  return undefined;
}
