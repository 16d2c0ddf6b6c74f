import { execFile } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";

const run = promisify(execFile);

/** One living process. `started` tells it from a later one with the same pid, where the system says. */
export interface ProcessRow {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
  readonly session: number;
  /** The process group that its terminal's keys go to; -1 without a terminal. */
  readonly foreground: number;
  readonly started: string;
}

/** Every living process; zombies are not. Linux reads `/proc`, other systems are asked with `ps`. */
export async function listProcesses(): Promise<ProcessRow[]> {
  if (process.platform !== "linux") return listByPs();
  const names = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const rows = await Promise.all(names.map((name) => readProc(Number(name))));
  return rows.filter((row) => row !== undefined);
}

/** @see proc(5), `/proc/pid/stat`: the name in parentheses may itself hold spaces and parentheses. */
async function readProc(pid: number): Promise<ProcessRow | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  if (fields[0] === "Z" || fields[0] === "X") return undefined;
  const [parent = 0, group = 0, session = 0, , foreground = -1] = fields.slice(1, 6).map(Number);
  return { pid, parent, group, session, foreground, started: fields[19] ?? "" };
}

async function listByPs(): Promise<ProcessRow[]> {
  const { stdout } = await run("ps", ["-axo", "pid=,ppid=,pgid=,tpgid=,stat="], {
    maxBuffer: 8 * 1024 * 1024,
  });
  return stdout
    .trim()
    .split("\n")
    .map((line) => line.trim().split(/\s+/))
    .filter(([, , , , state]) => !state?.startsWith("Z"))
    .map(([pid, parent, group, foreground]) => ({
      pid: Number(pid),
      parent: Number(parent),
      group: Number(group),
      session: 0,
      foreground: Number(foreground),
      started: "",
    }));
}

/** A process, what is in the session that it leads, and all their children; itself first. */
export function familyOf(pid: number, rows: readonly ProcessRow[]): ProcessRow[] {
  const family = new Map<number, ProcessRow>();
  let found = rows.filter((row) => row.pid === pid || row.session === pid);
  found.sort((a, b) => Number(b.pid === pid) - Number(a.pid === pid));
  while (found.length > 0) {
    for (const row of found) family.set(row.pid, row);
    found = rows.filter((row) => family.has(row.parent) && !family.has(row.pid));
  }
  return [...family.values()];
}

/** The processes that a shell's terminal sends Ctrl-C to; none while the shell itself reads or there is no terminal. */
export function foregroundOf(shell: number, rows: readonly ProcessRow[]): ProcessRow[] {
  const row = rows.find(({ pid }) => pid === shell);
  if (row === undefined || row.foreground <= 0 || row.foreground === row.group) return [];
  return rows.filter(({ group }) => group === row.foreground);
}

/** Signals each. One that ended meanwhile is what we wanted; one of another user (`sudo`) is out of reach. */
export function signalAll(rows: readonly ProcessRow[], signal: NodeJS.Signals): void {
  for (const { pid } of rows) {
    try {
      process.kill(pid, signal);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== "ESRCH" && code !== "EPERM") throw error;
    }
  }
}

const LOOK_AGAIN_MS = 20;
const KILLED_WITHIN_MS = 2000;

/**
 * Ends processes and what they start meanwhile: hang-up and SIGTERM, after `graceMs` SIGKILL.
 *
 * @returns how many were still there 2 s after SIGKILL.
 */
export async function endFamily(pid: number, graceMs: number): Promise<number> {
  const before = familyOf(pid, await listProcesses());
  signalAll(before, "SIGHUP");
  signalAll(before, "SIGCONT");
  signalAll(
    before.filter((row) => row.pid !== pid),
    "SIGTERM",
  );
  if ((await waitForEnd(pid, before, graceMs)).length === 0) return 0;
  const deadline = performance.now() + KILLED_WITHIN_MS;
  for (;;) {
    const left = survivors(pid, before, await listProcesses());
    signalAll(left, "SIGKILL");
    if (left.length === 0 || performance.now() > deadline) return left.length;
    await delay(LOOK_AGAIN_MS);
  }
}

async function waitForEnd(
  pid: number,
  before: readonly ProcessRow[],
  withinMs: number,
): Promise<ProcessRow[]> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const left = survivors(pid, before, await listProcesses());
    if (left.length === 0 || performance.now() > deadline) return left;
    await delay(LOOK_AGAIN_MS);
  }
}

/** Those of before that live on (a child that left the session has no parent to be found by), and new children. */
function survivors(pid: number, before: readonly ProcessRow[], now: readonly ProcessRow[]): ProcessRow[] {
  const known = new Set(before.map((row) => `${row.pid} ${row.started}`));
  const left = new Map(familyOf(pid, now).map((row) => [row.pid, row]));
  for (const row of now) {
    if (!known.has(`${row.pid} ${row.started}`)) continue;
    for (const relative of familyOf(row.pid, now)) left.set(relative.pid, relative);
  }
  return [...left.values()];
}
