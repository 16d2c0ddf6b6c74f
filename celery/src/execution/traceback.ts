import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { formatPythonArgs } from "../protocol/python-repr.ts";
import { thrownError } from "./thrown-error.ts";

interface Frame {
  readonly file: string;
  readonly line: number;
  readonly name: string;
}

const MAX_FRAMES = 50;
const MAX_CAUSES = 5;

/**
 * An error's stack in Python's form, which everything that shows Celery results expects: oldest call first,
 * source lines under the frames, and `Type: message` at the end. Node's own frames and this package's are left out.
 */
export function formatTraceback(error: unknown): string {
  return withCause(error, MAX_CAUSES);
}

function withCause(error: unknown, left: number): string {
  const cause = error instanceof Error ? error.cause : undefined;
  const own = single(error);
  if (!(cause instanceof Error) || left === 0) return own;
  return `${withCause(cause, left - 1)}\nThe above exception was the direct cause of the following exception:\n\n${own}`;
}

function single(error: unknown): string {
  const stack = error instanceof Error ? (error.stack ?? "") : "";
  const frames = parseStack(stack).filter(isTheirs).slice(0, MAX_FRAMES).reverse();
  return ["Traceback (most recent call last):", ...frames.map(formatFrame), `${describeError(error)}\n`].join(
    "\n",
  );
}

function parseStack(stack: string): readonly Frame[] {
  return stack.split("\n").flatMap((text) => {
    const match =
      /^\s+at (?:async )?(?:(.+?) \()?(file:\/\/)?((?:\/|[A-Za-z]:\\|node:).+?):(\d+):\d+\)?$/.exec(text);
    if (!match) return [];
    const [, name, scheme, file = "", line] = match;
    return [{ file: scheme ? decodePath(file) : file, line: Number(line), name: nameOf(name) }];
  });
}

/** Python has a name for each of these, too. */
function nameOf(name: string | undefined): string {
  if (name === undefined) return "<module>";
  return name.endsWith("<anonymous>") ? "<anonymous>" : name;
}

/** Of a URL. A stack is text that anybody may have put together: what cannot be decoded stays as it is. */
function decodePath(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

/** Where this package lies, as source and as built: its frames say nothing about the task. */
const OURS: readonly string[] = ["../../src/", "../../dist/"].map((folder) =>
  fileURLToPath(new URL(folder, import.meta.url)),
);

function isTheirs({ file }: Frame): boolean {
  if (file.startsWith("node:")) return false;
  return file.includes(".test.") || !OURS.some((folder) => file.startsWith(folder));
}

function formatFrame(frame: Frame): string {
  const head = `  File "${frame.file}", line ${frame.line}, in ${frame.name}`;
  const source = sourceLine(frame);
  return source ? `${head}\n    ${source}` : head;
}

/** As Python does: read when something failed, from the file as it is now. */
function sourceLine(frame: Frame): string | undefined {
  try {
    return readFileSync(frame.file, "utf8").split("\n")[frame.line - 1]?.trim();
  } catch {
    return undefined; // evaluated code, or the file is gone: the frame says enough
  }
}

/** `ValueError: boom`, as Python ends a traceback. */
function describeError(error: unknown): string {
  const { excType, excMessage } = thrownError(error);
  if (excMessage.length === 0) {
    return error instanceof Error && error.message ? `${excType}: ${error.message}` : excType;
  }
  return `${excType}: ${excMessage.length === 1 ? String(excMessage[0]) : formatPythonArgs(excMessage)}`;
}
