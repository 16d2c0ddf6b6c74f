import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { PtyRung } from "../protocol/index.ts";
import { ShellUnavailable } from "./errors.ts";
import { findProgram } from "./find-program.ts";
import type { TerminalLog } from "./pane.ts";
import type { Pty, PtyFactory } from "./pty.ts";
import { loadNativePty } from "./pty-native.ts";
import { pipesPty } from "./pty-pipes.ts";
import { pythonPty } from "./pty-python.ts";
import { scriptPty } from "./pty-script.ts";

const run = promisify(execFile);

/** Long enough for a cold Python on a busy machine. */
const PROBE_MS = 5000;

export interface ChoosePtyOptions {
  /** The shells' environment: `python3` and `script` are looked for on its `PATH`. */
  readonly env: Readonly<Record<string, string>>;
  readonly log: TerminalLog;
  /** Takes this rung or none; for tests, and for who knows better. */
  readonly forced?: PtyRung | undefined;
}

/**
 * The best way to a terminal that works here, tried for real: a binding may load and still get no terminal from the
 * system. Best first: node-pty, Python, `script(1)`, pipes.
 *
 * @throws ShellUnavailable when the forced rung does not work.
 */
export async function choosePty(options: ChoosePtyOptions): Promise<PtyFactory> {
  const { env, log, forced } = options;
  const rungs = LADDER.filter(([rung]) => forced === undefined || rung === forced);
  for (const [rung, find] of rungs) {
    const factory = await find(env);
    const works = factory !== undefined && (rung === "pipes" || (await givesTerminal(factory, env)));
    if (works) return factory;
    log.info({ rung, installed: factory !== undefined }, "this way to a terminal does not work here");
  }
  throw new ShellUnavailable(
    `Panes by "${forced}" do not work on this machine. Leave the choice out to get what does.`,
  );
}

type Find = (env: Readonly<Record<string, string>>) => Promise<PtyFactory | undefined>;

const LADDER: readonly (readonly [PtyRung, Find])[] = [
  ["native", () => loadNativePty()],
  ["python", findPython],
  ["script", findScript],
  ["pipes", () => Promise.resolve(pipesPty())],
];

async function findPython(env: Readonly<Record<string, string>>): Promise<PtyFactory | undefined> {
  const python = await findProgram("python3", env["PATH"]);
  return python === undefined ? undefined : pythonPty(python);
}

/** Only util-linux's: others take other options, and their systems have the rungs above. */
async function findScript(env: Readonly<Record<string, string>>): Promise<PtyFactory | undefined> {
  const script = process.platform === "linux" ? await findProgram("script", env["PATH"]) : undefined;
  if (script === undefined) return undefined;
  const about = await run(script, ["--version"], { timeout: PROBE_MS }).catch(() => ({ stdout: "" }));
  const [, major, minor] = /util-linux (\d+)\.(\d+)/.exec(about.stdout) ?? [];
  if (major === undefined) return undefined;
  return scriptPty(script, Number(major) * 100 + Number(minor) >= 236);
}

/** Asks a shell in it whether its output is a terminal. */
async function givesTerminal(factory: PtyFactory, env: Readonly<Record<string, string>>): Promise<boolean> {
  const args = ["-c", "test -t 1 && echo yes; read -r answer"];
  let pty: Pty | undefined;
  try {
    pty = factory.open({ file: "/bin/sh", args, cwd: "/", env, cols: 80, rows: 24 });
    return await saysYes(pty);
  } catch {
    // The system has no terminals to give (a container without /dev/ptmx): the next rung then.
    return false;
  } finally {
    pty?.close();
  }
}

function saysYes(pty: Pty): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => finish(false), PROBE_MS);
    const finish = (works: boolean): void => {
      clearTimeout(timer);
      resolve(works);
    };
    pty.onData((bytes) => {
      if (Buffer.from(bytes).includes("yes")) finish(true);
    });
    pty.onExit(() => finish(false));
  });
}
