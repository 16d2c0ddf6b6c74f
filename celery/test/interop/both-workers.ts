import { hostname } from "node:os";
import { Celery } from "../../src/app/celery.ts";
import { commandLoaders } from "../../src/cli/commands.ts";
import { openConnection } from "../../src/redis/connection.ts";
import { runCommand } from "../support/command-run.ts";
import { startCelery, type WorkerProcess } from "../support/worker-process.ts";
import { PythonClient, type PythonProcess, startPython } from "./python-celery.ts";

export const OURS: string = `ts@${hostname()}`;
export const THEIRS: string = `py@${hostname()}`;

/** A worker of ours and one of Python's on one broker, and the real command line. */
export interface BothWorkers extends AsyncDisposable {
  readonly ours: WorkerProcess;
  readonly theirs: PythonProcess;
  readonly python: PythonClient;
  /** Runs the real `celery -A control_app …`. */
  readonly runTheirs: (...args: readonly string[]) => Promise<CommandOutcome>;
  /** Runs our `celery …`. */
  readonly runOurs: (...args: readonly string[]) => Promise<CommandOutcome>;
  /** Sends a task to each of the two; returns the ids. */
  sendToBoth(task: string, args: readonly unknown[], more?: object): Promise<Sent>;
}

export interface CommandOutcome {
  readonly status: number;
  readonly output: string;
}

export interface Sent {
  readonly ours: string;
  readonly theirs: string;
}

const FOLDER = import.meta.dirname;

export interface BothOptions {
  /** Of the pools. Default `-c 2`. */
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** Both take from the queue `celery`, and each from one of its own: `ts` and `py`. */
export async function startBothWorkers(
  url: string,
  { args: poolArgs = ["-c", "2"], env: more = {} }: BothOptions = {},
): Promise<BothWorkers> {
  await using redis = openConnection(url);
  await redis.call("FLUSHDB");
  const env = { REDIS_URL: url, ...more };
  const common = ["worker", "-l", "info", ...poolArgs];
  const ours = startCelery({
    args: ["-A", "control-app", ...common, "-n", "ts@%h", "-Q", "celery,ts"],
    cwd: FOLDER,
    env,
  });
  const [theirs, python] = await Promise.all([
    startPython(["-m", "celery", "-A", "control_app", ...common, "-n", "py@%h", "-Q", "celery,py"], env),
    PythonClient.open(url, "command_line.py"),
  ]);
  await Promise.all([ours.line(/ready\.$/), theirs.line(/ready\.$/)]);
  const send = (task: string, args: readonly unknown[], queue: string, more: object): Promise<string> =>
    python.ask({ command: "send", task, args, queue, ...more });
  return {
    ours,
    theirs,
    python,
    runTheirs: (...args) => python.ask({ command: "run", args }),
    runOurs: (...args) => runInProcess(url, args),
    sendToBoth: async (task, args, more = {}) => ({
      ours: await send(task, args, "ts", more),
      theirs: await send(task, args, "py", more),
    }),
    [Symbol.asyncDispose]: async () => {
      await ours[Symbol.asyncDispose]();
      await theirs[Symbol.asyncDispose]();
      await python[Symbol.asyncDispose]();
    },
  };
}

/** In this process: starting Node for each of them would take half a second every time. */
async function runInProcess(url: string, [name = "", ...args]: readonly string[]): Promise<CommandOutcome> {
  const load = commandLoaders[name];
  if (!load) throw new Error(`There is no command ${name}.`);
  const app = new Celery("control", { broker: url, backend: url });
  const { status, stdout, stderr } = await runCommand(await load(), args, { app });
  return { status, output: stdout + stderr };
}

/** Keys and JSON types, all the way down: what two answers must have in common to be taken for one another's. */
export function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.length === 0 ? [] : [shapeOf(value[0])];
  if (typeof value !== "object" || value === null) return value === null ? "null" : typeof value;
  const entries = Object.entries(value).map(([key, inner]) => [key, shapeOf(inner)] as const);
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}
