/**
 * Runs where Node runs hooks, before tsx's: tsx takes a `.ts` file for CommonJS unless a package.json says otherwise, and then cannot load it. Newer
 * Nodes look at what it says.
 */
import { readFile } from "node:fs/promises";
import type { LoadHook } from "node:module";
import { fileURLToPath } from "node:url";

export const load: LoadHook = async (url, context, nextLoad) => {
  const isDoubtful = context.format === "commonjs" && /^file:.*\.tsx?(?:[?#]|$)/.test(url);
  if (!isDoubtful) return nextLoad(url, context);
  const text = await readFile(fileURLToPath(url), "utf8");
  return nextLoad(url, saysImport(text) ? { ...context, format: "module" } : context);
};

/** A line begins with `import` or `export` as ES modules have them; `import x = require(…)` and `export =` are TypeScript's own CommonJS. */
function saysImport(text: string): boolean {
  return /^\s*(?:export\b\s*[{*\w]|import\s*(?:["'{*]|\w+\s*(?:,|from\b)|type\b))/m.test(text);
}
