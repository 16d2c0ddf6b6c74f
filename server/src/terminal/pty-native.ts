import type { EventEmitter } from "node:events";
import type { IPty } from "@lydell/node-pty";
import type { Pty, PtyFactory, PtyOptions } from "./pty.ts";
import { openPtyInput } from "./pty-input.ts";

/** What node-pty's terminals have beside their documented interface. */
interface UndocumentedPty extends Pick<EventEmitter, "on"> {
  readonly fd: number;
  destroy(): void;
}

/** The best rung: node-pty's prebuilt binding. Undefined where none is installed for this system. */
export async function loadNativePty(): Promise<PtyFactory | undefined> {
  const binding = await import("@lydell/node-pty").catch(() => undefined);
  if (binding === undefined) return undefined;
  return {
    rung: "native",
    open: (options) => wrap(binding.spawn(options.file, [...options.args], spawnOptions(options))),
  };
}

function spawnOptions(options: PtyOptions): Parameters<typeof import("@lydell/node-pty").spawn>[2] {
  const { cols, rows, cwd, env } = options;
  // `encoding: null` gives bytes: characters that are cut between two reads stay whole.
  return { name: env["TERM"] ?? "xterm-256color", cols, rows, cwd, env: { ...env }, encoding: null };
}

function wrap(terminal: IPty): Pty {
  const undocumented = terminal as unknown as UndocumentedPty;
  const input = openPtyInput(undocumented.fd);
  let open = true;
  const ended = (): void => {
    open = false;
    input[Symbol.dispose]();
  };
  // Without a listener of ours it would throw read and write errors, which only say that the program is gone.
  undocumented.on("error", () => {});
  // The descriptor is closed by then, and its number free for something else.
  undocumented.on("close", ended);
  terminal.onExit(ended);
  return {
    pid: terminal.pid,
    write: (data) => {
      if (open) input.write(data);
    },
    resize: (cols, rows) => {
      if (open) resizeIfThere(terminal, cols, rows);
    },
    onData: (listener) => {
      (terminal.onData as unknown as (listener: (bytes: Uint8Array) => void) => void)(listener);
    },
    onExit: (listener) => {
      terminal.onExit(({ exitCode, signal }) => listener(signal ? 128 + signal : exitCode));
    },
    close: () => {
      if (!open) return;
      ended();
      undocumented.destroy();
    },
  };
}

/** Between the program's end and the news of it, the descriptor is closed: a size for it means nothing any more. */
function resizeIfThere(terminal: IPty, cols: number, rows: number): void {
  try {
    terminal.resize(cols, rows);
  } catch (error) {
    if (!/EBADF|ENOTTY/.test(String(error))) throw error;
  }
}
