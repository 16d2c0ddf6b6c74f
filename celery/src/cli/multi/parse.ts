import { UsageError } from "../command.ts";
import type { OptionSpec } from "../options.ts";
import { WORKER_OPTIONS } from "../worker-options.ts";

/** Options by their word on the command line, `-c` or `--concurrency`; null: given without a value. */
export type NodeOptions = ReadonlyMap<string, string | null>;

/** What stands on the command line after `celery multi start`. */
export interface MultiArguments {
  /** Names of nodes, or one number of them. */
  readonly names: readonly string[];
  readonly options: NodeOptions;
  /** `-c:1 5`, `-Q:image,data fast`: options of some nodes, by what stands after the colon. */
  readonly namespaces: ReadonlyMap<string, NodeOptions>;
  /** After `--`. */
  readonly passthrough: readonly string[];
  /** `-9`, `-KILL`, `-SIGINT`: of stop and restart. */
  readonly signal: string | undefined;
}

/** What concerns the names, before nodes have any. */
export const NAMING_OPTIONS: readonly OptionSpec[] = [
  { name: "hostname", short: "n", value: "HOST", help: "Host part of all names. Default: this machine's." },
  { name: "suffix", value: "HOST", help: "As --hostname." },
  { name: "prefix", value: "TEXT", help: "Before every name." },
  { name: "range-prefix", value: "TEXT", help: "Before the numbers of a range. Default: celery." },
];

/** Of `celery` itself, also understood here. */
export const GLOBAL_WORDS: readonly OptionSpec[] = [
  { name: "app", short: "A", value: "MODULE", help: "" },
  { name: "broker", short: "b", value: "URL", help: "" },
  { name: "result-backend", value: "URL", help: "" },
  { name: "workdir", value: "PATH", help: "" },
  { name: "no-color", short: "C", help: "" },
  { name: "quiet", short: "q", help: "" },
];

const REFUSED: Readonly<Record<string, string>> = {
  "--cmd": "Nodes are started with this very celery; a command of one's own is not supported.",
  "--append": "Write what is to be appended after -- instead.",
  "--executable": "Nodes run with the Node.js that runs this.",
};

/**
 * Reads the words as Celery does, but for one thing: `--concurrency 3` is understood as well as `--concurrency=3`.
 *
 * @throws UsageError
 * @see celery 5.7.0 apps/multi.py, `NamespacedOptionParser`
 */
export function parseMulti(words: readonly string[]): MultiArguments {
  const names: string[] = [];
  const options = new Map<string, string | null>();
  const namespaces = new Map<string, Map<string, string | null>>();
  const queue = words.filter((word) => word !== "");
  const result = { passthrough: [] as readonly string[], signal: undefined as string | undefined };
  while (queue.length > 0) {
    const word = queue.shift() as string;
    if (word === "--") result.passthrough = queue.splice(0);
    else if (isSignal(word)) result.signal = word.slice(1);
    else if (word.startsWith("-")) addOption(word, queue, options, namespaces);
    else names.push(word);
  }
  return { names, options, namespaces, ...result };
}

function addOption(
  word: string,
  queue: string[],
  options: Map<string, string | null>,
  namespaces: Map<string, Map<string, string | null>>,
): void {
  const equals = word.startsWith("--") ? word.indexOf("=") : -1;
  const [name = "", namespace] = (equals < 0 ? word : word.slice(0, equals)).split(":");
  const refusal = REFUSED[name];
  if (refusal !== undefined) throw new UsageError(`'${name}': ${refusal}`);
  const value = equals >= 0 ? word.slice(equals + 1) : takesValue(name) ? (queue.shift() ?? null) : null;
  if (namespace === undefined) options.set(name, value);
  else namespaces.set(namespace, new Map(namespaces.get(namespace)).set(name, value));
}

/** An option that nobody knows is left to the worker, which says so. */
function takesValue(word: string): boolean {
  const specs = [...WORKER_OPTIONS, ...NAMING_OPTIONS, ...GLOBAL_WORDS];
  const spec = specs.find(({ name, short, aliases = [] }) =>
    word.startsWith("--") ? [name, ...aliases].includes(word.slice(2)) : short === word.slice(1),
  );
  return spec?.value !== undefined;
}

function isSignal(word: string): boolean {
  return /^-(?:\d+|(?:SIG)?[A-Z][A-Z0-9]{2,})$/.test(word);
}
