import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { PaneId, PtyRung } from "../protocol/index.ts";
import { ShellUnavailable } from "./errors.ts";
import { findProgram } from "./find-program.ts";
import {
  bashScript,
  pipesScript,
  posixScript,
  quoted,
  type ShellScriptOptions,
  zshScript,
} from "./shell-scripts.ts";

const FOLDER_PREFIX = "celery-playground-";
const LEFTOVER: RegExp = /^celery-playground-(\d{1,9})-(?:broker|worker|producer)-\w+$/;

export type ShellKind = "bash" | "zsh" | "sh";

/** How to start the pane's shell. `env` belongs on top of the pane's own. */
export interface ShellLaunch {
  readonly kind: ShellKind;
  readonly file: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** The shell says itself when a command begins; otherwise Enter has to be taken for it. */
  readonly saysBegin: boolean;
}

export interface ShellHome extends AsyncDisposable {
  readonly launch: ShellLaunch;
  /** A file with a command, for a shell without a terminal. Overwritten by the next: one command runs at a time. */
  writeCommand(command: string): Promise<string>;
}

export interface ShellHomeOptions {
  readonly pane: PaneId;
  readonly rung: PtyRung;
  readonly secret: string;
  readonly env: Readonly<Record<string, string>>;
  /** Takes this shell or none. */
  readonly kind?: ShellKind | undefined;
}

/**
 * Writes what the shell reads at its start into a folder of the pane's own, which only the user may read and which
 * goes with the pane. The history in it outlives the shell.
 *
 * @throws ShellUnavailable when there is no shell at all.
 */
export async function openShellHome(options: ShellHomeOptions): Promise<ShellHome> {
  const { pane, rung, secret, env } = options;
  const { kind, file } = await findShell(options);
  const temporary = env["TMPDIR"] ?? tmpdir();
  await removeLeftovers(temporary);
  const folder = await mkdtemp(join(temporary, `${FOLDER_PREFIX}${process.pid}-${pane}-`));
  const scripts = { pane, secret, history: join(folder, "history") };
  const launch =
    rung === "pipes" ? await pipesLaunch(folder, scripts) : await LAUNCHES[kind](folder, scripts);
  return {
    launch: { ...launch, kind, file, env: { SHELL: file, ...launch.env } },
    writeCommand: async (command) => {
      const script = join(folder, "command");
      await writeFile(script, `${command}\n`, { mode: 0o600 });
      return script;
    },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

/** A server that was killed could not remove its panes' folders. */
async function removeLeftovers(temporary: string): Promise<void> {
  const names = await readdir(temporary);
  const left = names.filter((name) => {
    const [, owner] = LEFTOVER.exec(name) ?? [];
    return owner !== undefined && !isAlive(Number(owner));
  });
  // Those of another user stay.
  await Promise.all(
    left.map((name) => rm(join(temporary, name), { recursive: true, force: true }).catch(() => {})),
  );
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ESRCH";
  }
}

async function findShell(options: ShellHomeOptions): Promise<{ kind: ShellKind; file: string }> {
  const kinds: ShellKind[] = options.kind === undefined ? ["bash", "zsh", "sh"] : [options.kind];
  for (const kind of kinds) {
    const file = await findProgram(kind, options.env["PATH"]);
    if (file !== undefined) return { kind, file };
  }
  throw new ShellUnavailable(`No shell was found: ${kinds.join(", ")}. Install bash and start again.`);
}

type Launch = Pick<ShellLaunch, "args" | "env" | "saysBegin">;
type MakeLaunch = (folder: string, scripts: ShellScriptOptions) => Promise<Launch>;

const LAUNCHES: Readonly<Record<ShellKind, MakeLaunch>> = {
  bash: bashLaunch,
  zsh: zshLaunch,
  sh: posixLaunch,
};

/**
 * Not `--rcfile`: Debian's bash reads `/etc/bash.bashrc` with it. The first prompt reads our script instead.
 * `/dev/null` as `INPUTRC` keeps the keys as readline has them; the script unsets it again.
 */
async function bashLaunch(folder: string, scripts: ShellScriptOptions): Promise<Launch> {
  const script = await write(folder, "bashrc", bashScript(scripts));
  return {
    args: ["--noprofile", "--norc", "-i"],
    env: {
      PROMPT_COMMAND: `. ${quoted(script)}`,
      INPUTRC: "/dev/null",
      BASH_SILENCE_DEPRECATION_WARNING: "1",
    },
    saysBegin: true,
  };
}

async function zshLaunch(folder: string, scripts: ShellScriptOptions): Promise<Launch> {
  await mkdir(join(folder, "zsh"));
  await write(join(folder, "zsh"), ".zshrc", zshScript(scripts));
  return { args: ["-d", "-i"], env: { ZDOTDIR: join(folder, "zsh") }, saysBegin: true };
}

async function posixLaunch(folder: string, scripts: ShellScriptOptions): Promise<Launch> {
  const script = await write(folder, "shrc", posixScript(scripts));
  return { args: ["-i"], env: { ENV: script }, saysBegin: false };
}

async function pipesLaunch(folder: string, scripts: ShellScriptOptions): Promise<Launch> {
  const script = await write(folder, "loop", pipesScript(scripts));
  return { args: [script], env: {}, saysBegin: true };
}

async function write(folder: string, name: string, text: string): Promise<string> {
  const file = join(folder, name);
  await writeFile(file, text, { mode: 0o600 });
  return file;
}
