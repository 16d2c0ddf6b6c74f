import { inspect } from "node:util";
import { AsyncResult } from "../backend/async-result.ts";
import { Crontab } from "../beat/index.ts";
import { CeleryError, TaskError } from "../protocol/errors.ts";

/** A value as the prompt shows it. */
export function showValue(value: unknown, color: boolean): string {
  if (value instanceof AsyncResult) return `<AsyncResult: ${value.id}>\n`;
  if (value instanceof Crontab) return `${value.toString()}\n`;
  return `${inspect(value, { colors: color, depth: 4, maxArrayLength: 100, breakLength: 100 })}\n`;
}

/** An error as the prompt shows it: what happened, where in the task or in the person's own files, and what to write instead. */
export function showError(error: unknown): string {
  if (error instanceof TaskError)
    return `${error.name}: ${error.message}\n${error.traceback === null ? "" : `${indent(error.traceback)}\n`}`;
  if (error instanceof CeleryError) return `${error.name}: ${error.message}\n`;
  if (!(error instanceof Error)) return `Thrown: ${inspect(error)}\n`;
  const hint = pythonNameHint(error.message);
  return `${error.name}: ${error.message}${hint}\n${ownFrames(error.stack ?? "")}`;
}

function indent(text: string): string {
  return text.trimEnd().replaceAll(/^/gm, "    ");
}

/** Frames of the learner's files; those of the shell, of Node and of libraries explain nothing. */
function ownFrames(stack: string): string {
  const frames = stack
    .split("\n")
    .filter(
      (line) => /^\s+at /.test(line) && !/node:|node_modules|\bshell:\d|\/celery\/(?:src|dist)\//.test(line),
    );
  return frames.map((line) => `${line}\n`).join("");
}

/** `add.apply_async is not a function` → `… (here it is called applyAsync)` */
function pythonNameHint(message: string): string {
  const name = /(?:\.|^)(?<name>[a-z]+(?:_[a-z]+)+) is not (?:a function|defined)/.exec(message)?.groups?.[
    "name"
  ];
  if (name !== undefined)
    return ` (in TypeScript names are written ${name.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())})`;
  const word = /^(?<word>None|True|False|print) is not defined/.exec(message)?.groups?.["word"];
  const ours: Readonly<Record<string, string>> = {
    None: "null",
    True: "true",
    False: "false",
    print: "console.log",
  };
  return word === undefined ? "" : ` (in TypeScript: ${ours[word]})`;
}
