import { execFile } from "node:child_process";
import { readdir, readFile, readlink } from "node:fs/promises";
import { promisify } from "node:util";
import type { Pty, PtyFactory, PtyOptions } from "./pty.ts";
import { ptyOfChild, startChild } from "./pty-child.ts";
import { quoted } from "./shell-scripts.ts";

const run = promisify(execFile);

/**
 * The third rung: `script(1)` of util-linux records a terminal session, here to nowhere.
 *
 * @param keepsEcho whether it knows `--echo` (2.36 and later). Without, nothing that is typed into a program that does
 *   not echo by itself is seen.
 */
export function scriptPty(script: string, keepsEcho: boolean): PtyFactory {
  return { rung: "script", open: (options) => openScript(script, keepsEcho, options) };
}

function openScript(script: string, keepsEcho: boolean, options: PtyOptions): Pty {
  const { cols, rows, file, args, env } = options;
  const shell = env["SHELL"] === undefined ? "" : `export SHELL=${quoted(env["SHELL"])}; `;
  const command = `${shell}stty cols ${cols} rows ${rows}; exec ${[file, ...args].map(quoted).join(" ")}`;
  const echo = keepsEcho ? ["--echo", "always"] : [];
  const recorder = startChild(script, ["-q", "-e", "-f", ...echo, "-c", command, "/dev/null"], {
    cwd: options.cwd,
    // `script` runs the command with this shell.
    env: { ...env, SHELL: "/bin/sh" },
  });
  const resize = resizer(recorder.pid);
  return {
    ...ptyOfChild(recorder),
    write: (data) => {
      if (recorder.stdin?.writable) recorder.stdin.write(data);
    },
    resize: (columns, lines) => resize(columns, lines),
  };
}

/** `script` follows the size of its own terminal and has none, so the program's terminal is resized from outside. */
function resizer(recorder: number | undefined): (cols: number, rows: number) => void {
  let wanted: readonly string[] | undefined;
  let busy = false;
  const work = async (): Promise<void> => {
    busy = true;
    while (wanted !== undefined && recorder !== undefined) {
      const size = wanted;
      wanted = undefined;
      const terminal = await terminalOf(recorder);
      // The program may end meanwhile; then there is nothing to resize.
      if (terminal !== undefined) await run("stty", ["-F", terminal, ...size]).catch(() => undefined);
    }
    busy = false;
  };
  return (cols, rows) => {
    wanted = ["cols", `${cols}`, "rows", `${rows}`];
    if (!busy) void work();
  };
}

/** The terminal of the first child that has one. */
async function terminalOf(recorder: number): Promise<string | undefined> {
  const tasks = await readdir(`/proc/${recorder}/task`).catch(() => []);
  for (const task of tasks) {
    const children = await readFile(`/proc/${recorder}/task/${task}/children`, "utf8").catch(() => "");
    for (const child of children.split(" ").filter(Boolean)) {
      const terminal = await readlink(`/proc/${child}/fd/0`).catch(() => "");
      if (terminal.startsWith("/dev/pts/")) return terminal;
    }
  }
  return undefined;
}
