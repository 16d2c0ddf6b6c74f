import { relative } from "node:path";
import { fileURLToPath } from "node:url";

/** What went wrong while a learner's module was loaded: the message, file and line, and what to do. Not our stack. */
export function describeLoadFailure(error: unknown, file: string, cwd: string): string {
  const shown = relative(cwd, file);
  if (!(error instanceof Error)) return `${shown} threw ${String(error)} while it was loaded.`;
  const place = placeOf(error, cwd);
  const where = place === undefined ? shown : place;
  if (isMissingModule(error)) return `${where}: ${missingModule(error, cwd)}`;
  const [kind, name] = isSyntaxError(error)
    ? ["has a syntax error", "SyntaxError"]
    : ["stopped while it was loaded", error.name];
  return `${where} ${kind}.\n${name}: ${firstLines(error.message)}\nMend that line and start again.`;
}

/** By either of Node's module systems: tsx reads a `.ts` file as CommonJS where no package.json says otherwise. */
function isMissingModule(error: Error): boolean {
  return ["ERR_MODULE_NOT_FOUND", "MODULE_NOT_FOUND"].includes((error as NodeJS.ErrnoException).code ?? "");
}

function missingModule(error: Error, cwd: string): string {
  const name = /Cannot find (?:module|package) '([^']+)'/.exec(error.message)?.[1] ?? "a module";
  const isFile = /^[./]/.test(name);
  const shown = name.startsWith("/") ? relative(cwd, name) : name;
  if (!isFile) return `cannot find the package "${shown}". Install it: npm install ${shown}`;
  const hint = /\.[mc]?[jt]s$/.test(name)
    ? ""
    : " Imports of your own files need their ending, e.g. ./app.ts.";
  return `cannot find "${shown}".${hint}`;
}

function isSyntaxError(error: Error): boolean {
  return error.name === "SyntaxError" || error.name === "TransformError" || "errors" in error;
}

/** esbuild puts the place into the message, V8 above the first line of the stack or into its frames. */
function placeOf(error: Error, cwd: string): string | undefined {
  const text = `${error.message}\n${error.stack ?? ""}`;
  for (const [, path = "", line = "", column] of text.matchAll(
    /((?:file:\/\/)?\/[^\s():]+\.[mc]?[jt]s):(\d+)(?::(\d+))?/g,
  )) {
    const file = path.startsWith("file:") ? fileURLToPath(path) : path;
    if (file.includes("/node_modules/") || !file.startsWith(cwd)) continue;
    return [relative(cwd, file), line, ...(column === undefined ? [] : [column])].join(":");
  }
  return undefined;
}

/** A transform error repeats the place that is named already, and a list of errors is more than one needs. */
function firstLines(message: string): string {
  const cleaned = message
    .replace(/^Transform failed with \d+ errors?:\s*/, "")
    .replace(/^\/[^\s]+:\d+:\d+:\s*(?:ERROR:\s*)?/, "");
  return cleaned.split("\n").slice(0, 3).join("\n");
}
