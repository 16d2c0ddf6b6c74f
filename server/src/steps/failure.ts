import type { PaneId } from "../protocol/index.ts";

/** A command that ended otherwise than its step wants. `lines` are the last that it printed, plain. */
export interface Ended {
  readonly command: string;
  readonly pane: PaneId;
  readonly exit: number;
  readonly lines: readonly string[];
}

/** What happened and what to do, for the learner. The first cause that is recognised speaks. */
export function explainFailure(ended: Ended): string {
  const cause = CAUSES.map((recognise) => recognise(ended)).find((sentence) => sentence !== undefined);
  return cause ?? unknownCause(ended);
}

type Cause = (ended: Ended) => string | undefined;

const CAUSES: readonly Cause[] = [
  bySignal,
  notFound,
  syntaxError,
  loadFailed,
  redisDown,
  nobodyListens,
  portTaken,
  moduleMissing,
  fileMissing,
  noResult,
];

/** @see bash(1), EXIT STATUS: 128 + n after signal n. */
function bySignal({ command, exit }: Ended): string | undefined {
  switch (exit) {
    case 130:
      return `\`${command}\` was stopped with Ctrl-C before it was done. Run the step again when you are ready.`;
    case 137:
      return `\`${command}\` was killed (signal 9). Run the step again to start it.`;
    case 143:
      return `\`${command}\` was told to end (signal 15). Run the step again to start it.`;
    default:
      return undefined;
  }
}

function notFound({ command, exit, lines }: Ended): string | undefined {
  if (exit !== 127 && exit !== 126) return undefined;
  const [program] = command.trim().split(/\s+/, 1);
  const [, named = program] = firstMatch(lines, /([^\s:]+): (?:command )?not found/) ?? [];
  if (exit === 126) return `\`${named}\` is there but is not a program that may be run. Check the command.`;
  return `The shell knows no command \`${named}\`. Check its spelling, or run the step again as it is.`;
}

function syntaxError({ command, lines }: Ended): string | undefined {
  const [, what] = firstMatch(lines, SYNTAX_ERROR) ?? [];
  if (what === undefined) return undefined;
  const place = sourcePlace(lines);
  const where = place === undefined ? `What \`${command}\` loads` : place.file;
  const line = place === undefined ? "" : ` in line ${place.line}`;
  return `${where} has a syntax error${line}: ${what.trim()}. Correct it in the editor, save, and run the step again.`;
}

/** As Node and Python say it, then esbuild (`tasks.ts:7:3: ERROR: Expected ";"`) and TypeScript (`error TS1005: …`). */
const SYNTAX_ERROR = /(?:SyntaxError(?: \[\w+\])?: |:\d+:\d+: ERROR: |error TS\d+: )(.{1,200}?)\.?$/;

/** What `celery -A` says of a module that threw. */
function loadFailed({ lines }: Ended): string | undefined {
  const at = lines.findIndex((line) => LOAD_FAILED.test(line));
  const [, file, line] = LOAD_FAILED.exec(lines[at] ?? "") ?? [];
  if (file === undefined) return undefined;
  return `${file} stopped in line ${line} while it was loaded: ${shortened(lines[at + 1] ?? "")}. Correct it in the editor, save, and run the step again.`;
}

const LOAD_FAILED = /^Error: (\S{1,200}?):(\d+)(?::\d+)? stopped while it was loaded/;

function redisDown({ lines }: Ended): string | undefined {
  const cannot =
    /cannot connect to redis|could not connect to redis|error 111 connecting|redis.{0,80}(?:ECONNREFUSED|connection refused)/i;
  if (firstMatch(lines, cannot) === undefined) return undefined;
  return "Redis did not answer. Look at the broker pane: if Redis ended there, start it again, then run the step again.";
}

function nobodyListens({ lines }: Ended): string | undefined {
  const [, address] =
    firstMatch(lines, /ECONNREFUSED (\S{1,80}:\d+)/) ??
    firstMatch(lines, /Failed to connect to (\S{1,80} port \d+)/) ??
    [];
  if (address === undefined) return undefined;
  return `Nothing answers at ${address.replace(" port ", ":")}. Start the program that should listen there, then run the step again.`;
}

function portTaken({ lines }: Ended): string | undefined {
  const [, port] = firstMatch(lines, /EADDRINUSE.{0,80}?:(\d{2,5})\b/) ?? [];
  if (port === undefined) return undefined;
  return `Port ${port} is taken: the program is running already, perhaps in another pane. Stop it there with Ctrl-C, then run the step again.`;
}

function moduleMissing({ lines }: Ended): string | undefined {
  const [, name] =
    firstMatch(lines, /Cannot find (?:module|package) '([^']{1,200})'/) ??
    firstMatch(lines, /No module named '?([\w.]{1,100})'?/) ??
    [];
  if (name === undefined) return undefined;
  const file = name.split("/").at(-1) ?? name;
  return `\`${file}\` was not found. Check the import's spelling and that the file is saved, then run the step again.`;
}

function fileMissing({ lines }: Ended): string | undefined {
  const [, name] =
    firstMatch(lines, /ENOENT: no such file or directory, \w+ '([^']{1,200})'/) ??
    firstMatch(lines, /(?:^|[\s:])([^\s:]{1,200}): No such file or directory/) ??
    [];
  if (name === undefined) return undefined;
  return `There is no file \`${name.split("/").at(-1)}\` here. Check its name, or reset the lesson's files, and run the step again.`;
}

function noResult({ lines }: Ended): string | undefined {
  if (firstMatch(lines, /\bTimeoutError\b|The operation timed out/) === undefined) return undefined;
  return "It waited for a result and none came in time. Is a worker running in the worker pane? Start it, then run the step again.";
}

function unknownCause({ command, pane, exit, lines }: Ended): string {
  const said =
    lines.findLast((line) => /error|exception|failed|fatal|refused/i.test(line)) ?? lastWords(lines);
  const quote = said === undefined ? "" : ` It said: “${shortened(said)}”.`;
  return `\`${command}\` ended with exit code ${exit}.${quote} Read what it printed in the ${pane} pane, then run the step again.`;
}

/** The last line with something on it. */
export function lastWords(lines: readonly string[]): string | undefined {
  return lines.findLast((line) => line.trim() !== "" && line.trim() !== "^C");
}

export function shortened(line: string): string {
  const text = line.trim();
  return text.length > 160 ? `${text.slice(0, 159)}…` : text;
}

interface SourcePlace {
  readonly file: string;
  readonly line: string;
}

/** The first place in a file of the learner's: not in a package, not inside Node. */
function sourcePlace(lines: readonly string[]): SourcePlace | undefined {
  for (const line of lines) {
    if (line.includes("node_modules") || line.includes("node:internal")) continue;
    const [, file, number] =
      /([\w.-]{1,100}\.(?:[cm]?[jt]sx?|py))(?::|\(|", line )(\d{1,6})/.exec(line.slice(0, 500)) ?? [];
    if (file !== undefined && number !== undefined) return { file, line: number };
  }
  return undefined;
}

function firstMatch(lines: readonly string[], pattern: RegExp): RegExpExecArray | undefined {
  for (const line of lines) {
    const found = pattern.exec(line.slice(0, 1000));
    if (found !== null) return found;
  }
  return undefined;
}
