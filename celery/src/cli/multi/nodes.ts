import { resolve } from "node:path";
import { expandFileName } from "../../worker/node-name.ts";
import { UsageError } from "../command.ts";
import { GLOBAL_WORDS, type MultiArguments, type NodeOptions } from "./parse.ts";

/** One worker of `celery multi`. */
export interface MultiNode {
  /** `celery1@host`. */
  readonly name: string;
  readonly pidFile: string;
  readonly logFile: string;
  /** Everything after `celery` on its command line. */
  readonly argv: readonly string[];
}

export interface NodeDefaults {
  readonly hostname: string;
  readonly cwd: string;
  /** Words for every node before `worker`, e.g. `-A tasks`. */
  readonly globals: readonly string[];
}

const [PID_FILE, LOG_FILE] = ["%n.pid", "%n%I.log"];

/**
 * The nodes that a command line means: `3`, or names.
 *
 * @throws UsageError for an option of a node that there is not.
 * @see celery 5.7.0 apps/multi.py, `MultiParser`
 */
export function makeNodes(args: MultiArguments, defaults: NodeDefaults): readonly MultiNode[] {
  if (args.names.length === 0)
    throw new UsageError("Which nodes? Name them, or say how many: celery multi start 3");
  const options = new Map(args.options);
  const takeOption = (...words: readonly string[]): string | undefined => {
    const found = words.map((word) => options.get(word)).find((value) => value != null);
    for (const word of words) options.delete(word);
    return found ?? undefined;
  };
  const host = takeOption("--hostname", "-n", "--suffix") ?? defaults.hostname;
  const namePrefix = takeOption("--prefix") ?? "";
  const rangePrefix = takeOption("--range-prefix") ?? "celery";
  const isRange = args.names.length === 1 && /^\d+$/.test(args.names[0] ?? "");
  const shorts = isRange ? countTo(Number(args.names[0])) : args.names;
  const prefix = isRange ? rangePrefix : namePrefix;
  const special = spreadNamespaces(args.namespaces, shorts, isRange);
  return shorts.map((short) => {
    const name = nodeName(short, prefix, host, defaults.hostname);
    const own = special.get(name) ?? special.get(short) ?? new Map<string, string | null>();
    return makeNode(name, new Map([...options, ...own]), args.passthrough, defaults);
  });
}

function countTo(n: number): readonly string[] {
  return Array.from({ length: n }, (_, i) => String(i + 1));
}

/** `%h` stands for this machine in a name that has its host part. */
function nodeName(short: string, prefix: string, host: string, hostname: string): string {
  const full = short.includes("@") ? short : `${prefix}${short}@${host}`;
  return full.replaceAll("%h", hostname).replaceAll("%n", hostname.split(".")[0] ?? hostname);
}

/** Options by the node's short name: `1-3` and `1,2` are taken apart; a number is a place in the list of names. */
function spreadNamespaces(
  namespaces: ReadonlyMap<string, NodeOptions>,
  shorts: readonly string[],
  isRange: boolean,
): ReadonlyMap<string, NodeOptions> {
  const spread = new Map<string, NodeOptions>();
  for (const [written, options] of namespaces) {
    for (const part of written.split(",").flatMap((item) => expandRange(item, isRange))) {
      const node = isRange || !/^\d+$/.test(part) ? part : shorts[Number(part) - 1];
      if (node === undefined)
        throw new UsageError(`There is no node number ${part}: there are ${shorts.length}.`);
      spread.set(node, new Map([...(spread.get(node) ?? []), ...options]));
    }
  }
  return spread;
}

/** With names, a dash is a part of a name. */
function expandRange(text: string, isRange: boolean): readonly string[] {
  const range = isRange ? /^(\d+)-(\d+)$/.exec(text) : null;
  if (!range) return [text];
  const [first, last] = [Number(range[1]), Number(range[2])];
  return countTo(Math.max(0, last - first + 1)).map((i) => String(first + Number(i) - 1));
}

function makeNode(
  name: string,
  options: ReadonlyMap<string, string | null>,
  passthrough: readonly string[],
  { cwd, globals }: NodeDefaults,
): MultiNode {
  const expand = (pattern: string): string => expandFileName(pattern, name);
  const pidFile = resolve(cwd, expand(options.get("--pidfile") ?? PID_FILE));
  const logFile = resolve(cwd, expand(options.get("--logfile") ?? options.get("-f") ?? LOG_FILE));
  const isGlobal = ([word]: readonly [string, string | null]): boolean =>
    GLOBAL_WORDS.some(({ name: long, short }) => word === `--${long}` || word === `-${short}`);
  const own = [...options].filter(
    ([word]) => !["--pidfile", "--logfile", "-f", "-D", "--detach"].includes(word),
  );
  const words = (list: readonly (readonly [string, string | null])[]): readonly string[] =>
    list.flatMap(([word, value]) => formatOption(word, value === null ? null : expand(value)));
  const argv = [
    ...globals,
    ...words(own.filter(isGlobal)),
    "worker",
    "--detach",
    "-n",
    name,
    ...words(own.filter((option) => !isGlobal(option))),
    `--pidfile=${pidFile}`,
    `--logfile=${logFile}`,
    ...passthrough,
  ];
  return { name, pidFile, logFile, argv };
}

function formatOption(word: string, value: string | null): readonly string[] {
  if (value === null) return [word];
  return word.startsWith("--") ? [`${word}=${value}`] : [word, value];
}

/** Words as a shell would need them. */
export function shellLine(words: readonly string[]): string {
  return words
    .map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`))
    .join(" ");
}
