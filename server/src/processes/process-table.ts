import { execFile } from "node:child_process";
import { readdir, readFile, readlink } from "node:fs/promises";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Enough for `ps` to print every environment of a busy machine. */
const PS_OUTPUT_BYTES = 64 * 1024 * 1024;

/** What marks the processes of one session. */
export interface Marks {
  /** `NAME=value` in the environment. Children inherit it, also those that `setsid` and `nohup` took out of the tree. */
  readonly entry: string;
  /**
   * A folder that only this session works in. Some programs write their title over their environment, and
   * redis-server is one; but it works in its own data folder.
   */
  readonly directory: string;
}

/**
 * Pids of every living process with one of the marks, except this one.
 *
 * Linux reads `/proc`; elsewhere `ps` is asked, which shows the environments of one's own processes.
 */
export async function findMarked(marks: Marks): Promise<readonly number[]> {
  const pids = process.platform === "linux" ? await scanProc(marks) : await scanPs(marks.entry);
  return pids.filter((pid) => pid !== process.pid);
}

async function scanProc({ entry, directory }: Marks): Promise<number[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name)).map(Number);
  const wanted = Buffer.from(`\0${entry}\0`);
  const marked = await Promise.all(
    pids.map(async (pid) => (await environHolds(pid, wanted)) || (await worksIn(pid, directory))),
  );
  return pids.filter((_, index) => marked[index]);
}

/** Processes of other users and those that ended meanwhile cannot be read; neither is ours. */
async function environHolds(pid: number, wanted: Buffer): Promise<boolean> {
  const environ = await readFile(`/proc/${pid}/environ`).catch(() => Buffer.alloc(0));
  return Buffer.concat([Buffer.from("\0"), environ, Buffer.from("\0")]).includes(wanted);
}

/** A folder that was removed under a process still has its name, with a note at the end. */
async function worksIn(pid: number, directory: string): Promise<boolean> {
  const folder = await readlink(`/proc/${pid}/cwd`).catch(() => "");
  return folder === directory || folder.startsWith(`${directory}/`);
}

async function scanPs(entry: string): Promise<number[]> {
  const { stdout } = await run("ps", ["axeww", "-o", "pid=,command="], { maxBuffer: PS_OUTPUT_BYTES });
  return stdout
    .split("\n")
    .filter((line) => ` ${line} `.includes(` ${entry} `))
    .map((line) => Number.parseInt(line, 10));
}

/**
 * What tells a process from a later one with the same pid: the time it started, as the system writes it.
 * `undefined` when there is no such process, or only its zombie.
 */
export async function startTime(pid: number): Promise<string | undefined> {
  if (process.platform !== "linux") return psField(pid, "lstart");
  const fields = await procStat(pid);
  return fields === undefined || fields.state === "Z" ? undefined : fields.startTicks;
}

/** The pid of a process's parent, or `undefined` when the process is gone. */
export async function parentOf(pid: number): Promise<number | undefined> {
  if (process.platform === "linux") return (await procStat(pid))?.parent;
  const field = await psField(pid, "ppid");
  return field === undefined ? undefined : Number(field);
}

/** The file name of what a process runs, such as `sh`. */
export async function nameOf(pid: number): Promise<string | undefined> {
  const name =
    process.platform === "linux"
      ? await readFile(`/proc/${pid}/comm`, "utf8").catch(() => undefined)
      : await psField(pid, "comm");
  return name?.trim().split("/").at(-1);
}

/** @see proc(5), `/proc/pid/stat`: the name in parentheses may itself hold spaces and parentheses. */
async function procStat(
  pid: number,
): Promise<{ state: string; parent: number; startTicks: string } | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return { state: fields[0] ?? "", parent: Number(fields[1]), startTicks: fields[19] ?? "" };
}

async function psField(pid: number, field: "lstart" | "ppid" | "comm"): Promise<string | undefined> {
  const answer = await run("ps", ["-o", `${field}=`, "-p", String(pid)]).catch(() => undefined);
  return answer?.stdout.trim() || undefined;
}
