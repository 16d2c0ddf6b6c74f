import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

/**
 * The command that runs one of our own programs: Node with the built file, or with the TypeScript beside it where
 * the sources run unbuilt, as they do in tests.
 *
 * @param built URL of the `.js` file, relative to the caller.
 */
export function ownProgram(built: URL): readonly [command: string, ...args: string[]] {
  const file = fileURLToPath(built);
  if (existsSync(file)) return [process.execPath, file];
  const source = file.replace(/\.js$/, ".ts");
  if (!existsSync(source)) throw new Error(`${file} is missing; build the server first: npm run build`);
  return [process.execPath, "--import", import.meta.resolve("tsx"), source];
}
