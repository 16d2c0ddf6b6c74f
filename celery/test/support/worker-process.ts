import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createInterface } from "node:readline";

export interface WorkerProcess extends AsyncDisposable {
  readonly pid: number;
  /** Everything it wrote so far, stdout and stderr, line by line. */
  readonly lines: readonly string[];
  /** Exit code or signal, once it has ended. */
  readonly exited: Promise<number | NodeJS.Signals>;
  /** Settles with the first line that matches, already written or still to come. Rejects when the worker ends first. */
  line(pattern: RegExp): Promise<string>;
  /** Signals the worker's main process only. */
  kill(signal: NodeJS.Signals): void;
  /** Signals its whole process group: pool children too. */
  killGroup(signal: NodeJS.Signals): void;
}

export interface WorkerProcessOptions {
  /** Arguments of `celery`, e.g. `["-A", "fault-app", "worker", "-l", "info"]`. */
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
}

const CELERY = new URL("../../bin/celery.mjs", import.meta.url).pathname;

/** Starts the built `celery` command as a terminal would: in a process group of its own. */
export function startCelery(options: WorkerProcessOptions): WorkerProcess {
  const child = spawn(process.execPath, [CELERY, ...options.args], {
    cwd: options.cwd,
    env: { ...process.env, NO_COLOR: "1", ...options.env },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  return new SpawnedWorker(child);
}

class SpawnedWorker implements WorkerProcess {
  readonly pid: number;
  readonly lines: string[] = [];
  readonly exited: Promise<number | NodeJS.Signals>;
  readonly #waiting = new Set<{ pattern: RegExp; resolve: (line: string) => void }>();

  constructor(child: ChildProcess) {
    this.pid = child.pid as number;
    this.exited = once(child, "exit").then(([code, signal]) => (code ?? signal) as number | NodeJS.Signals);
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream! }).on("line", (line) => this.#onLine(line));
    }
  }

  async line(pattern: RegExp): Promise<string> {
    const known = this.lines.find((line) => pattern.test(line));
    if (known !== undefined) return known;
    const found = new Promise<string>((resolve) => this.#waiting.add({ pattern, resolve }));
    const gone = this.exited.then((status) => {
      throw new Error(`celery ended with ${status} before ${String(pattern)}:\n${this.lines.join("\n")}`);
    });
    return Promise.race([found, gone]);
  }

  kill(signal: NodeJS.Signals): void {
    signalIfThere(this.pid, signal);
  }

  killGroup(signal: NodeJS.Signals): void {
    signalIfThere(-this.pid, signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.killGroup("SIGKILL");
    await this.exited;
  }

  #onLine(line: string): void {
    this.lines.push(line);
    for (const waiter of this.#waiting) {
      if (!waiter.pattern.test(line)) continue;
      this.#waiting.delete(waiter);
      waiter.resolve(line);
    }
  }
}

function signalIfThere(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

/** The pool children of a worker, by asking /proc: what a test kills must be what the system calls a child. */
export async function childPids(parent: number): Promise<readonly number[]> {
  const children = await readFile(`/proc/${parent}/task/${parent}/children`, "utf8");
  return children.trim().split(/\s+/).filter(Boolean).map(Number);
}
