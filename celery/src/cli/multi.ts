import { constants, hostname } from "node:os";
import { expandFileName } from "../worker/node-name.ts";
import { type Command, type CommandContext, UsageError } from "./command.ts";
import { paint } from "./logging.ts";
import { type MultiNode, makeNodes, shellLine } from "./multi/nodes.ts";
import { NAMING_OPTIONS, parseMulti } from "./multi/parse.ts";
import { forgetPid, type Launcher, pidOf, sendSignal, startNode, untilGone } from "./multi/process.ts";
import { plural } from "./option-values.ts";
import { type OptionSpec, renderHelp } from "./options.ts";
import { VERSION_BANNER } from "./version.ts";

const OUTPUT_OPTIONS: readonly OptionSpec[] = [
  { name: "nosplash", help: "Do not show the program's name and version." },
  { name: "verbose", help: "Show the command lines that are run." },
];

const ACTIONS: readonly (readonly [string, string])[] = [
  ["start <names|N> [worker options]", "Start workers in the background."],
  ["stop <names|N> [-SIGNAL]", "Tell them to end. Default: TERM, which lets running tasks end."],
  ["stopwait <names|N> [-SIGNAL]", "And wait until they are gone (also stop_verify)."],
  ["restart <names|N> [-SIGNAL] [worker options]", "And start them again."],
  ["kill <names|N>", "Kill them with KILL: running tasks are lost unless they ack late."],
  ["names <names|N>", "Show the full names."],
  ["show <names|N> [worker options]", "Show the command lines that start would run."],
  ["get <name> <names|N> [worker options]", "Show the command line of one."],
  ["expand <template> <names|N>", "Fill %n, %h, %d and %p in for each."],
  ["help", "Show this."],
];

export const command: Command = {
  name: "multi",
  summary: "Start multiple worker instances.",
  help: renderHelp({
    usage: "celery [-A MODULE] multi ACTION NAMES [OPTIONS]",
    about:
      "Start, stop and restart workers in the background. Pidfiles and logfiles are %n.pid and %n%I.log in the current directory unless " +
      "--pidfile and --logfile say otherwise; every action needs the same ones. An option may be for some of them: -c:1 5, -Q:1-3 images, -l:data DEBUG.",
    examples: [
      "celery -A tasks multi start 3 -c 2 -l info",
      "celery -A tasks multi start image data -c 3 -c:image 10",
      "celery -A tasks multi start 2 --pidfile=run/%n.pid",
      "celery -A tasks multi stopwait 2 --pidfile=run/%n.pid",
    ],
    options: [...NAMING_OPTIONS, ...OUTPUT_OPTIONS],
    lists: [{ title: "Actions", rows: ACTIONS }],
  }),
  run: (args, context) => runMulti(args, context),
};

/** What every action works with. */
interface Cluster {
  readonly nodes: readonly MultiNode[];
  readonly signal: NodeJS.Signals;
  readonly launcher: Launcher;
  readonly context: CommandContext;
  readonly isVerbose: boolean;
  /** Says something that `-q` silences. */
  note(text: string): void;
  style(text: string, color: number): string;
}

type Action = (cluster: Cluster) => Promise<number> | number;

const OVER_NODES: Readonly<Record<string, Action>> = {
  start,
  stop: (cluster) => stop(cluster, false),
  stopwait: (cluster) => stop(cluster, true),
  stop_verify: (cluster) => stop(cluster, true),
  restart,
  kill,
  names: ({ nodes, context }) =>
    say(
      context,
      nodes.map(({ name }) => name),
    ),
  show: ({ nodes, context }) =>
    say(
      context,
      nodes.map(({ argv }) => shellLine(["celery", ...argv])),
    ),
};
/** These show what others do, and nothing else. */
const QUIET_ACTIONS: ReadonlySet<string> = new Set(["names", "show"]);

const FLAGS: ReadonlySet<string> = new Set(["--nosplash", "--verbose", "--quiet", "-q", "--no-color", "-C"]);

async function runMulti(args: readonly string[], context: CommandContext): Promise<number> {
  const flags = new Set(args.filter((word) => FLAGS.has(word)));
  const [action, ...words] = args.filter((word) => !FLAGS.has(word));
  if (action === undefined || action === "help") return say(context, [command.help.trimEnd()]);
  if (action === "get" || action === "expand") return showOne(action, words, context, flags);
  const act = Object.hasOwn(OVER_NODES, action) ? OVER_NODES[action] : undefined;
  if (!act) throw new UsageError(`Invalid command: ${action}`);
  const cluster = makeCluster(words, context, flags);
  if (!QUIET_ACTIONS.has(action) && !flags.has("--nosplash"))
    cluster.note(`celery multi v${VERSION_BANNER}\n`);
  return act(cluster);
}

function makeCluster(words: readonly string[], context: CommandContext, flags: ReadonlySet<string>): Cluster {
  const args = parseMulti(words);
  const { global, cwd, env, stdout } = context;
  const isQuiet = global.quiet || flags.has("-q") || flags.has("--quiet");
  const hasColor = global.color && stdout.isTTY === true && !flags.has("--no-color") && !flags.has("-C");
  return {
    nodes: makeNodes(args, { hostname: hostname(), cwd, globals: globalWords(context) }),
    signal: readSignal(args.signal),
    launcher: { command: [process.execPath, ...process.execArgv, process.argv[1] ?? ""], cwd, env },
    context,
    isVerbose: flags.has("--verbose"),
    note: (text) => {
      if (!isQuiet) stdout.write(text);
    },
    style: (text, color) => paint(text, hasColor ? color : undefined),
  };
}

/** `-b` and `--result-backend` reach the nodes by the environment; `--workdir` is where this process is already. */
function globalWords({ global }: CommandContext): readonly string[] {
  return global.app === undefined ? [] : ["-A", global.app];
}

function readSignal(given: string | undefined): NodeJS.Signals {
  if (given === undefined) return "SIGTERM";
  const known = Object.entries(constants.signals);
  const found = known.find(([name, number]) => [name, name.slice(3), String(number)].includes(given));
  if (found) return found[0] as NodeJS.Signals;
  throw new UsageError(`There is no signal '-${given}'.`);
}

function showOne(
  action: "get" | "expand",
  [wanted, ...words]: readonly string[],
  context: CommandContext,
  flags: ReadonlySet<string>,
): number {
  if (wanted === undefined)
    throw new UsageError(`Missing argument: ${action === "get" ? "which node?" : "the template."}`);
  const { nodes } = makeCluster(words, context, flags);
  if (action === "expand")
    return say(
      context,
      nodes.map(({ name }) => expandFileName(wanted, name)),
    );
  const node = nodes.find(({ name }) => name === wanted);
  return node ? say(context, [shellLine(["celery", ...node.argv])]) : 1;
}

async function start(cluster: Cluster): Promise<number> {
  const signal = cluster.context.interrupted();
  cluster.note("> Starting nodes...\n");
  let status = 0;
  for (const node of cluster.nodes) {
    cluster.note(`\t> ${node.name}: `);
    if (!(await startOne(node, cluster, signal))) status = 1;
  }
  return status;
}

async function startOne(node: MultiNode, cluster: Cluster, signal: AbortSignal): Promise<boolean> {
  if (cluster.isVerbose) cluster.note(`\n  ${shellLine(["celery", ...node.argv])}\n`);
  const outcome = await startNode(node, cluster.launcher, signal);
  if (outcome.kind === "started") cluster.note(`${cluster.style("OK", 32)}\n`);
  else cluster.note(`${cluster.style("FAILED", 31)}\n* ${node.name}: ${outcome.why}\n`);
  return outcome.kind === "started";
}

/** Those that run, by their pidfiles; the others are named as down. */
function running(cluster: Cluster): readonly (readonly [node: MultiNode, pid: number])[] {
  return cluster.nodes.flatMap((node) => {
    const pid = pidOf(node);
    if (pid !== undefined) return [[node, pid] as const];
    cluster.note(`> ${node.name}: ${cluster.style("DOWN", 35)}\n`);
    return [];
  });
}

/** @returns those that got the signal. */
function signalAll(cluster: Cluster): readonly (readonly [node: MultiNode, pid: number])[] {
  const nodes = running(cluster);
  if (nodes.length > 0) cluster.note(`${cluster.style("> Stopping nodes...", 34)}\n`);
  return nodes.filter(([node, pid]) => {
    cluster.note(`\t> ${node.name}: ${cluster.signal.slice(3)} -> ${pid}\n`);
    const outcome = sendSignal(pid, cluster.signal);
    if (outcome === "sent") return true;
    notSignalled(node, pid, outcome, cluster);
    cluster.note(`> ${node.name}: DOWN\n`);
    return false;
  });
}

function notSignalled(node: MultiNode, pid: number, why: "gone" | "refused", cluster: Cluster): void {
  if (why === "gone") {
    forgetPid(node, pid);
    cluster.note(`Could not signal ${node.name} (${pid}): No such process\n`);
    return;
  }
  cluster.note(
    `Could not signal ${node.name} (${pid}): that process belongs to another user. If it is the worker, do this as that user; ` +
      `if its number was given again, ${node.pidFile} is stale.\n`,
  );
}

async function stop(cluster: Cluster, wait: boolean): Promise<number> {
  const told = signalAll(cluster);
  if (wait) await waitFor(told, cluster);
  return 0;
}

/** Each ends in its own time; they are waited for in their order. */
async function waitFor(
  nodes: readonly (readonly [node: MultiNode, pid: number])[],
  cluster: Cluster,
): Promise<boolean> {
  const signal = cluster.context.interrupted();
  for (const [i, [node, pid]] of nodes.entries()) {
    const left = nodes.slice(i);
    const pids = left.map(([, leftPid]) => leftPid).join(", ");
    cluster.note(
      cluster.style(`> Waiting for ${left.length} ${plural(left.length, "node")} -> ${pids}...`, 34),
    );
    await untilGone(pid, signal, () => cluster.note("."));
    if (signal.aborted) return false;
    forgetPid(node, pid);
    cluster.note(`\n\t> ${node.name}: ${cluster.style("OK", 32)}\n`);
  }
  return true;
}

async function restart(cluster: Cluster): Promise<number> {
  if (!(await waitFor(signalAll(cluster), cluster))) return 1;
  const signal = cluster.context.interrupted();
  let status = 0;
  for (const node of cluster.nodes) {
    cluster.note(cluster.style(`> Restarting node ${node.name}: `, 34));
    if (!(await startOne(node, cluster, signal))) status = 1;
  }
  return status;
}

function kill(cluster: Cluster): number {
  for (const [node, pid] of running(cluster)) {
    cluster.note(`Sending KILL to node ${node.name} (${pid})\n`);
    const outcome = sendSignal(pid, "SIGKILL");
    if (outcome === "sent") forgetPid(node, pid);
    else notSignalled(node, pid, outcome, cluster);
  }
  return 0;
}

function say({ stdout }: CommandContext, lines: readonly string[]): number {
  stdout.write(`${lines.join("\n")}\n`);
  return 0;
}
