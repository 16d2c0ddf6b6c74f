import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { createInterface } from "node:readline";

export interface Program {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Lines that are kept of what a program says, for the error when it fails. */
const KEPT_LINES = 40;

/** A running program, in a process group of its own: its children are measured and ended with it. */
export class Running implements AsyncDisposable {
  readonly pid: number;
  readonly child: ChildProcess;
  readonly #lines: string[] = [];
  readonly #readers: { wanted: (line: string) => boolean; resolve: (line: string) => void }[] = [];
  readonly #exited: Promise<unknown>;

  constructor({ command, args, cwd, env }: Program) {
    this.child = spawn(command, args, {
      cwd,
      env: { ...process.env, NO_COLOR: "1", NODE_ENV: "production", ...env },
      stdio: ["pipe", "pipe", "pipe"],
      detached: true,
    });
    this.#exited = new Promise((resolve) => {
      this.child.once("error", (error) => {
        this.#onLine(error.message);
        resolve(undefined);
      });
      this.child.once("exit", resolve);
    });
    this.child.stdin?.on("error", () => undefined); // ended before it had read what we wrote
    for (const stream of [this.child.stdout, this.child.stderr]) {
      if (stream) createInterface({ input: stream }).on("line", (line) => this.#onLine(line));
    }
    this.pid = this.child.pid ?? 0;
  }

  /** The next line that is JSON. @throws Error with its last words when it ends before, or takes longer. */
  async json<T>(limitMs: number): Promise<T> {
    return JSON.parse(await this.line((line) => line.startsWith("{"), limitMs)) as T;
  }

  async line(wanted: (line: string) => boolean, limitMs: number): Promise<string> {
    const found = new Promise<string>((resolve) => this.#readers.push({ wanted, resolve }));
    const ended = this.#exited.then(() => new Promise((resolve) => setTimeout(resolve, 200)));
    const line = await Promise.race([found, ended.then(() => undefined), after(limitMs)]);
    if (line !== undefined) return line;
    throw new Error(
      `${this.child.spawnargs.join(" ")} did not say what was waited for:\n${this.#lines.join("\n")}`,
    );
  }

  /** What it said last. */
  lastWords(): string {
    return this.#lines.join("\n");
  }

  /** CPU seconds so far, of it and all its children. */
  cpuSeconds(): number {
    return sum(group(this.pid).map(({ ticks }) => ticks)) / TICKS_PER_SECOND;
  }

  /** Resident memory of it and all its children, MB. Pages that they share count for each. */
  residentMb(): number {
    return sum(group(this.pid).map(({ pages }) => pages)) * (PAGE_BYTES / 1e6);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.pid > 0) killGroup(this.pid);
    await this.#exited;
  }

  #onLine(line: string): void {
    this.#lines.push(line);
    if (this.#lines.length > KEPT_LINES) this.#lines.shift();
    const reader = this.#readers[0];
    if (!reader?.wanted(line)) return;
    this.#readers.shift();
    reader.resolve(line);
  }
}

/** Runs a program to its end. @throws Error when it fails or takes longer. */
export async function runToEnd(program: Running, limitMs: number): Promise<void> {
  const ended = await Promise.race([once(program.child, "exit"), after(limitMs)]);
  if (ended?.[0] !== 0)
    throw new Error(`${program.child.spawnargs.join(" ")} failed:\n${program.lastWords()}`);
}

function after(ms: number): Promise<undefined> {
  return new Promise((resolve) => setTimeout(resolve, ms, undefined).unref());
}

/** Linux counts CPU time in these on every architecture that Node runs on. */
const TICKS_PER_SECOND = 100;
const PAGE_BYTES = 4096;

interface ProcessStat {
  readonly ticks: number;
  readonly pages: number;
}

/** Every process of the group. @see proc(5), `/proc/[pid]/stat` */
function group(leader: number): readonly ProcessStat[] {
  const stats = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(readStat);
  return stats.filter((stat) => stat?.group === leader).map((stat) => stat as ProcessStat);
}

function readStat(pid: string): (ProcessStat & { readonly group: number }) | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The name is in brackets and may hold anything; what follows is numbers.
    const fields = stat
      .slice(stat.lastIndexOf(")") + 2)
      .split(" ")
      .map(Number);
    const field = (number: number): number => fields[number - 3] ?? 0;
    return { group: field(5), ticks: field(14) + field(15) + field(16) + field(17), pages: field(24) };
  } catch {
    return undefined; // ended meanwhile
  }
}

function killGroup(leader: number): void {
  try {
    process.kill(-leader, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
