import { UsageError } from "./command.ts";

/** One option of a command line, as it is parsed and as `--help` shows it. */
export interface OptionSpec {
  /** Long name without dashes, e.g. `time-limit`. */
  readonly name: string;
  /** One letter, e.g. `c`. */
  readonly short?: string;
  /** Further long names. */
  readonly aliases?: readonly string[];
  /** What stands for the value in `--help`; an option without it is a flag. */
  readonly value?: string;
  readonly help: string;
  /** Heading in `--help`; "Options" if absent. */
  readonly group?: string;
}

export interface ParsedOptions {
  /** By long name: the value given last, or `true` for a flag; absent = not given. */
  readonly values: Readonly<Record<string, string | true | undefined>>;
  readonly positionals: readonly string[];
  /** What was left when `stopAtPositional` stopped: the first positional and all after it. */
  readonly rest: readonly string[];
}

export interface ParseRules {
  /** Stop at the first word that is no option (`celery -A x worker -c 2` stops at `worker`). */
  readonly stopAtPositional?: boolean;
  /** How many positionals are understood; more are refused. Without it, none. */
  readonly maxPositionals?: number;
}

/**
 * Parses `--name value`, `--name=value`, `-n value`, `-nvalue`, bundled flags (`-EB`) and `--`. `--help` is
 * understood everywhere as the flag `help`.
 *
 * @throws UsageError in click's words, with the nearest known option for a misspelt one.
 */
export function parseOptions(
  specs: readonly OptionSpec[],
  args: readonly string[],
  rules: ParseRules = {},
): ParsedOptions {
  const queue = [...args];
  const values: Record<string, string | true | undefined> = {};
  const positionals: string[] = [];
  while (queue.length > 0) {
    const word = queue[0] as string;
    const isOption = word.startsWith("-") && word !== "-";
    if (!isOption && rules.stopAtPositional) break;
    queue.shift();
    if (word === "--") positionals.push(...queue.splice(0));
    else if (word.startsWith("--")) takeLong(specs, word, queue, values);
    else if (isOption) takeShort(specs, word, queue, values);
    else positionals.push(word);
  }
  refuseExtra(positionals, rules.maxPositionals ?? 0);
  return { values, positionals, rest: queue };
}

const HELP: OptionSpec = { name: "help", help: "Show this message and exit." };

function takeLong(
  specs: readonly OptionSpec[],
  word: string,
  queue: string[],
  values: Record<string, string | true | undefined>,
): void {
  const [name, inline] = splitOnce(word.slice(2));
  const spec = [...specs, HELP].find((s) => s.name === name || s.aliases?.includes(name));
  if (!spec) throw new UsageError(`No such option '--${name}'.${didYouMean(specs, name)}`);
  if (spec.value === undefined) {
    if (inline !== undefined) throw new UsageError(`Option '--${name}' does not take a value.`);
    values[spec.name] = true;
  } else {
    values[spec.name] = inline ?? nextValue(`--${name}`, queue);
  }
}

function takeShort(
  specs: readonly OptionSpec[],
  word: string,
  queue: string[],
  values: Record<string, string | true | undefined>,
): void {
  for (let i = 1; i < word.length; i++) {
    const letter = word[i] as string;
    const spec = specs.find((s) => s.short === letter);
    if (!spec) throw new UsageError(`No such option '-${letter}'.`);
    if (spec.value === undefined) {
      values[spec.name] = true;
      continue;
    }
    const attached = word.slice(i + 1).replace(/^=/, "");
    values[spec.name] = attached || nextValue(`-${letter}`, queue);
    return;
  }
}

function nextValue(option: string, queue: string[]): string {
  const value = queue.shift();
  if (value === undefined) throw new UsageError(`Option '${option}' requires an argument.`);
  return value;
}

function splitOnce(text: string): [string, string | undefined] {
  const at = text.indexOf("=");
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}

function refuseExtra(positionals: readonly string[], max: number): void {
  const extra = positionals.slice(max);
  if (extra.length === 0) return;
  throw new UsageError(`Got unexpected extra argument${extra.length > 1 ? "s" : ""} (${extra.join(" ")})`);
}

function didYouMean(specs: readonly OptionSpec[], name: string): string {
  const known = specs.flatMap((s) => [s.name, ...(s.aliases ?? [])]);
  const near = nearest(name, known)[0];
  return near === undefined ? "" : ` Did you mean '--${near}'?`;
}

/** The candidates within a third of a word's length of edits, nearest first. */
export function nearest(word: string, candidates: readonly string[]): readonly string[] {
  const limit = Math.max(1, Math.ceil(word.length / 3));
  return candidates
    .map((candidate) => ({ candidate, distance: editDistance(word, candidate) }))
    .filter(({ distance }) => distance <= limit)
    .sort((a, b) => a.distance - b.distance)
    .map(({ candidate }) => candidate);
}

function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = (previous[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      row.push(Math.min(change, (previous[j] as number) + 1, (row[j - 1] as number) + 1));
    }
    previous = row;
  }
  return previous[b.length] as number;
}

export interface HelpText {
  /** After "Usage: ", e.g. `celery worker [OPTIONS]`. */
  readonly usage: string;
  readonly about: string;
  readonly examples?: readonly string[];
  readonly options: readonly OptionSpec[];
  /** Further titled lists, e.g. the commands. */
  readonly lists?: readonly {
    readonly title: string;
    readonly rows: readonly (readonly [string, string])[];
  }[];
}

/** Lays a `--help` page out as click does: two columns, at most 80 wide. */
export function renderHelp(text: HelpText): string {
  const parts = [`Usage: ${text.usage}`, indent(text.about)];
  if (text.examples)
    parts.push(`${indent("Examples:")}\n\n${text.examples.map((e) => `    $ ${e}`).join("\n")}`);
  const groups = new Map<string, OptionSpec[]>();
  for (const spec of [...text.options, HELP]) {
    const title = spec.group ?? "Options";
    groups.set(title, [...(groups.get(title) ?? []), spec]);
  }
  for (const [title, specs] of groups)
    parts.push(
      rows(
        title,
        specs.map((s) => [optionLabel(s), s.help]),
      ),
    );
  for (const list of text.lists ?? []) parts.push(rows(list.title, list.rows));
  return `${parts.join("\n\n")}\n`;
}

/** One titled list of a help page, alone. */
export function renderList(title: string, entries: readonly (readonly [string, string])[]): string {
  return `${rows(title, entries)}\n`;
}

function optionLabel(spec: OptionSpec): string {
  const names = [
    spec.short && `-${spec.short}`,
    `--${spec.name}`,
    ...(spec.aliases ?? []).map((a) => `--${a}`),
  ];
  return names.filter(Boolean).join(", ") + (spec.value === undefined ? "" : ` ${spec.value}`);
}

function rows(title: string, entries: readonly (readonly [string, string])[]): string {
  const width = Math.min(32, Math.max(...entries.map(([left]) => left.length)) + 4);
  const lines = entries.flatMap(([left, right]) => {
    const wrapped = wrap(right, 78 - width);
    const first =
      left.length + 4 > width ? [`  ${left}`] : [`  ${left.padEnd(width - 2)}${wrapped.shift() ?? ""}`];
    return [...first, ...wrapped.map((line) => " ".repeat(width) + line)];
  });
  return `${title}:\n${lines.map((line) => line.trimEnd()).join("\n")}`;
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width)
      lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

function indent(text: string): string {
  return text
    .split("\n")
    .flatMap((line) => wrap(line, 76))
    .map((line) => (line ? `  ${line}` : ""))
    .join("\n");
}
