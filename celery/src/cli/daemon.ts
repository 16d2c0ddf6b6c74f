import { spawn } from "node:child_process";
import { closeSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { type CommandContext, UsageError } from "./command.ts";
import { DaemonError } from "./daemon-error.ts";
import { openLog } from "./log-file.ts";
import { makeFolder } from "./make-folder.ts";
import type { OptionSpec, ParsedOptions } from "./options.ts";

const GROUP = "Daemonization Options";
const AS_ANOTHER_USER =
  "start the command as that user, e.g. with `sudo -u NAME celery …` or systemd's User=";

/** Celery's options for running in the background, for `worker` and `beat`. */
export const DAEMON_OPTIONS: readonly OptionSpec[] = [
  { name: "detach", short: "D", group: GROUP, help: "Start in the background, and return at once." },
  {
    name: "logfile",
    short: "f",
    value: "FILE",
    group: GROUP,
    help: "Write the log here instead of to stderr. Expands %n (name), %h (host), %d (domain), %p (both); %i and %I are empty: all processes write one file.",
  },
  {
    name: "pidfile",
    value: "FILE",
    group: GROUP,
    help: "Write the process id here while it runs; with it, no second one is started. Expands as --logfile.",
  },
  { name: "uid", value: "USER", group: GROUP, help: `Refused: ${AS_ANOTHER_USER}.` },
  { name: "gid", value: "GROUP", group: GROUP, help: "Refused, as --uid." },
  {
    name: "umask",
    value: "UMASK",
    group: GROUP,
    help: "Refused: set it in the shell, `umask 022; celery …`.",
  },
  {
    name: "executable",
    value: "FILE",
    group: GROUP,
    help: "Refused: the Node that runs this runs the background, too.",
  },
];

export interface DaemonArguments {
  readonly detach: boolean;
  readonly logFile: string | undefined;
  readonly pidFile: string | undefined;
}

const REFUSED: Readonly<Record<string, string>> = {
  uid: `--uid is not supported: ${AS_ANOTHER_USER}.`,
  gid: `--gid is not supported: ${AS_ANOTHER_USER}.`,
  umask: "--umask is not supported: set it in the shell that starts the command, `umask 022; celery …`.",
  executable: "--executable is not supported: start celery with the Node that is to run it.",
};

/** @throws UsageError that says what to do instead of an option that is not there. */
export function refuseDaemonOptions(values: ParsedOptions["values"]): void {
  const faults = Object.keys(REFUSED).filter((name) => values[name] !== undefined);
  if (faults.length > 0) throw new UsageError(faults.map((name) => REFUSED[name]).join("\n"));
}

/**
 * Starts this same command line in the background, without `--detach`, and returns. What it says before its log is open goes to the
 * log file, too.
 *
 * @throws DaemonError when the log file cannot be written: nobody would ever learn what went wrong.
 */
export function startDetached(self: NodeJS.Process, args: DaemonArguments, { cwd }: CommandContext): void {
  const [, script = "", ...words] = self.argv;
  const log = args.logFile === undefined ? "ignore" : openLog(resolve(cwd, args.logFile));
  const child = spawn(self.execPath, [...self.execArgv, script, ...words.flatMap(withoutDetach)], {
    cwd,
    env: self.env,
    detached: true,
    stdio: ["ignore", log, log],
  });
  child.unref();
  if (typeof log === "number") closeSync(log);
}

/** `-D` may stand among other one-letter flags: `-EBD`. */
function withoutDetach(word: string): readonly string[] {
  if (word === "--detach" || word === "-D") return [];
  return [/^-[EB]*D[EB]*$/.test(word) ? word.replace("D", "") : word];
}

/** Says whether a process lives. */
export type IsAlive = (pid: number) => boolean;

/**
 * Writes the process's id to a file that no living process has, until disposed.
 *
 * @throws DaemonError in Celery's words when another one runs already.
 * @see celery 5.7.0 platforms.py, `Pidfile`
 */
export function takePidFile(
  path: string,
  pid: number,
  warn: (text: string) => void,
  isAlive: IsAlive = processLives,
): Disposable {
  const other = readPid(path);
  if (other !== undefined && other !== pid && isAlive(other)) {
    throw new DaemonError(`Pidfile (${path}) already exists.\nSeems we're already running? (pid: ${other})`);
  }
  if (other !== undefined) {
    warn("Stale pidfile exists - Removing it.");
    rmSync(path, { force: true });
  }
  writePid(path, pid);
  return {
    [Symbol.dispose]: () => {
      if (readPid(path) === pid) rmSync(path, { force: true });
    },
  };
}

/** `wx`: of two that start at once, one gets it. */
function writePid(path: string, pid: number): void {
  try {
    makeFolder(dirname(path));
    writeFileSync(path, `${pid}\n`, { flag: "wx", mode: 0o644 });
  } catch (cause) {
    throw new DaemonError(`The pidfile ${path} cannot be written: ${String(cause)}`, { cause });
  }
}

/** 0: there is a file, and no process id in it. */
function readPid(path: string): number | undefined {
  try {
    return Number.parseInt(readFileSync(path, "utf8"), 10) || 0;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/**
 * Whether a process of this number lives that can be ours. One that may not be signalled is another user's: the number was given
 * again, e.g. after a reboot.
 *
 * @see celery 5.7.0 platforms.py, `Pidfile.remove_if_stale`, and apps/multi.py, `Node.send`
 */
export function processLives(pid: number): boolean {
  if (pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ESRCH" || code === "EPERM") return false;
    throw error;
  }
}
