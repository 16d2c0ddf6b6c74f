import { type CommandInfo, type ControlReply, REMOTE_COMMANDS } from "../control/index.ts";
import { OperationalError } from "../protocol/errors.ts";
import { formatPython } from "../protocol/python-repr.ts";
import { inOneLine, visible } from "../runtime/shown.ts";
import { type CommandContext, NOBODY_READS, UsageError } from "./command.ts";
import { paint } from "./logging.ts";
import type { OptionValues } from "./option-values.ts";
import { plural } from "./option-values.ts";
import { nearest, type OptionSpec, renderList } from "./options.ts";
import { withApp } from "./with-app.ts";

const GROUP = "Remote Control Options";

export const REMOTE_OPTIONS: readonly OptionSpec[] = [
  {
    name: "timeout",
    short: "t",
    value: "SECONDS",
    group: GROUP,
    help: "How long to wait for answers. Default: 1.",
  },
  {
    name: "destination",
    short: "d",
    value: "LIST",
    group: GROUP,
    help: "Ask only these nodes, separated by commas.",
  },
  { name: "json", short: "j", group: GROUP, help: "Answer in JSON." },
];

/** sysexits' EX_UNAVAILABLE, as Celery. */
const UNAVAILABLE = 69;

export type RemoteKind = CommandInfo["kind"];

/** What people may ask for, by name. */
function commandsOf(kind: RemoteKind): readonly CommandInfo[] {
  return REMOTE_COMMANDS.filter((command) => command.kind === kind && !command.hidden).toSorted((a, b) =>
    a.name < b.name ? -1 : 1,
  );
}

/** The text of `--list`. */
export function listCommands(kind: RemoteKind): string {
  const title = kind === "inspect" ? "Inspect Commands" : "Control Commands";
  return renderList(title, commandRows(kind));
}

export function commandRows(kind: RemoteKind): readonly (readonly [string, string])[] {
  return commandsOf(kind).map(({ name, signature, help }) => [
    signature === undefined ? name : `${name} ${signature}`,
    help,
  ]);
}

/** @throws UsageError in Celery's words, with the nearest name. */
export function findRemoteCommand(kind: RemoteKind, name: string | undefined): CommandInfo {
  if (name === undefined) throw new UsageError("Missing argument 'COMMAND'.");
  const known = commandsOf(kind);
  const found = known.find((command) => command.name === name);
  if (found) return found;
  const names = known.map((command) => command.name);
  const near = nearest(name, names)[0];
  const hint = near === undefined ? "" : ` Did you mean ${near}?`;
  throw new UsageError(
    `Command ${name} not recognized.${hint} Available ${kind} commands: ${names.join(", ")}`,
  );
}

/**
 * The words after a command's name, as the arguments that nodes understand.
 *
 * @throws UsageError that shows what the command takes.
 * @see celery 5.7.0 bin/control.py, `_compile_arguments`
 */
export function readArguments(
  info: CommandInfo,
  words: readonly string[],
): Readonly<Record<string, unknown>> {
  const named = info.args ?? [];
  const rest = words.slice(named.length);
  if (words.length < (info.required ?? 0) || (rest.length > 0 && info.variadic === undefined)) {
    throw new UsageError(`Command '${info.name}' takes ${takes(info)}`);
  }
  const values = named.slice(0, words.length).map(([name, kind], i) => {
    const value = readWord(words[i] as string, kind);
    if (value !== undefined) return [name, value] as const;
    throw new UsageError(
      `Invalid value for ${name}: '${words[i]}' is not ${KINDS[kind]}. Command '${info.name}' takes ${takes(info)}`,
    );
  });
  return { ...Object.fromEntries(values), ...(info.variadic !== undefined && { [info.variadic]: rest }) };
}

function takes({ signature }: CommandInfo): string {
  return signature === undefined ? "no arguments." : `arguments: ${signature}`;
}

const KINDS = { text: "a text", whole: "a whole number", number: "a number", flag: "true or false" } as const;

function readWord(word: string, kind: keyof typeof KINDS): unknown {
  switch (kind) {
    case "text":
      return word;
    case "whole":
      return /^[+-]?\d+$/.test(word) ? Number(word) : undefined;
    case "number":
      return word.trim() !== "" && Number.isFinite(Number(word)) ? Number(word) : undefined;
    case "flag": {
      if (/^(?:1|true|yes|on)$/i.test(word)) return true;
      return /^(?:0|false|no|off)$/i.test(word) ? false : undefined;
    }
  }
}

/** `-t` and `-d`, as `app.control` takes them. */
export function readAddress(values: OptionValues): {
  readonly timeout: number;
  readonly destination?: readonly string[];
} {
  const destination = values.list("destination");
  return { timeout: values.number("timeout", { min: 0 }) ?? 1, ...(destination && { destination }) };
}

/** Says what one node answered, as Celery does. `showAnswer`: not only whether it went well. */
export function sayAnswer(
  { node, answer }: Pick<ControlReply, "node" | "answer">,
  { stdout, global }: CommandContext,
  showAnswer: boolean,
): void {
  const color = global.color && stdout.isTTY === true;
  const [isOk, body] = pretty(answer);
  const style = (text: string, code: number): string => paint(text, color ? code : undefined);
  const arrow = global.quiet ? "" : `${style("->", 37)} `;
  const status = isOk ? style("OK", 32) : style("ERROR", 31);
  stdout.write(`${arrow} ${style(`${inOneLine(node)}: `, 36)}${status}\n`);
  if (showAnswer && body !== "") stdout.write(`${indent(visible(body))}\n`);
}

/** @see celery 5.7.0 bin/base.py, `CLIContext.pretty` */
function pretty(answer: unknown): readonly [isOk: boolean, text: string] {
  if (Array.isArray(answer)) return [true, prettyList(answer)];
  if (typeof answer === "string") return [true, answer];
  if (typeof answer !== "object" || answer === null) return [true, formatPython(answer)];
  if ("ok" in answer) return [true, indent(pretty(answer.ok)[1])];
  if ("error" in answer) return [false, indent(pretty(answer.error)[1])];
  return [true, JSON.stringify(sortKeys(answer), undefined, 4)];
}

function prettyList(items: readonly unknown[]): string {
  if (items.length === 0) return "- empty -";
  return items
    .map((item) => `* ${typeof item === "string" ? item : formatPython(item, { maxLevels: 0 })}`)
    .join("\n");
}

function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).map(([key, inner]) => [key, sortKeys(inner)] as const);
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

function indent(text: string): string {
  return text
    .split("\n")
    .map((line) => `    ${line}`)
    .join("\n");
}

/**
 * Asks the nodes that `-d` names, or all, and says each answer as it comes, unless it is to be JSON.
 *
 * @param onAnswered given the answers by node, when there are any; returns the exit status.
 */
export function askNodes(
  name: string,
  args: Readonly<Record<string, unknown>>,
  { values, context }: { readonly values: OptionValues; readonly context: CommandContext },
  onAnswered: (answers: Readonly<Record<string, unknown>>) => number,
): Promise<number> {
  const isJson = values.flag("json");
  const address = readAddress(values);
  return orUnavailable(context, () =>
    withApp(context, async ({ control }) => {
      const until = context.interrupted();
      const answers = await control.broadcast<unknown>(name, args, {
        ...address,
        until,
        reply: true,
        callback: (node, answer) => {
          if (!isJson) sayAnswer({ node, answer }, context, true);
        },
      });
      if (until.aborted) return sayAborted(until, context);
      return Object.keys(answers).length === 0 ? sayNobody(context) : onAnswered(answers);
    }),
  );
}

export function sayNobody({ stderr }: CommandContext): number {
  stderr.write("Error: No nodes replied within time constraint\n");
  return UNAVAILABLE;
}

/** click's word and status. */
export function sayAborted({ reason }: AbortSignal, { stderr }: CommandContext): number {
  if (reason !== NOBODY_READS) stderr.write("Aborted!\n");
  return 1;
}

export function sayCount(count: number, { stdout, global }: CommandContext): void {
  if (!global.quiet) stdout.write(`\n${count} ${plural(count, "node")} online.\n`);
}

/** A broker that is away is no fault of the command line: 69, as Celery since 5.7. */
export async function orUnavailable(context: CommandContext, work: () => Promise<number>): Promise<number> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof OperationalError)) throw error;
    context.stderr.write(`Error: ${error.message}\n`);
    return UNAVAILABLE;
  }
}
