import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, open, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { until } from "../support/until.ts";

const CACHE = new URL("../../../.cache/", import.meta.url).pathname;
const SCRIPTS = new URL("./python/", import.meta.url).pathname;
const INSTALL_LIMIT_MS = 300_000;

/** What is installed. Its name changes with it, so that an older one that lacks something is not used. */
const ENVIRONMENT = "python-celery-flower";
const PACKAGES = ["celery[redis]", "flower"];

/**
 * A Python interpreter with the real Celery and Flower: `CELERY_PYTHON` if set, else a virtual environment in
 * `.cache/python-celery-flower` with the newest of PyPI, made once and kept.
 *
 * @throws Error that says what is missing and what to type.
 */
export async function findPython(): Promise<string> {
  const given = process.env["CELERY_PYTHON"];
  if (given !== undefined) {
    if (hasCelery(given)) return given;
    throw new Error(
      `CELERY_PYTHON=${given} cannot import celery, redis and flower. Install them there: ${given} -m pip install "celery[redis]" flower`,
    );
  }
  const python = join(CACHE, ENVIRONMENT, "bin", "python");
  if (!existsSync(python)) await makeEnvironment(join(CACHE, ENVIRONMENT));
  if (hasCelery(python)) return python;
  throw new Error(`${python} cannot import celery. Remove ${join(CACHE, ENVIRONMENT)} and try again.`);
}

function hasCelery(python: string): boolean {
  return spawnSync(python, ["-c", "import celery, redis, flower"], { stdio: "ignore" }).status === 0;
}

/** Test files run side by side: one of them makes it, the others wait. It gets its final name when it is complete. */
async function makeEnvironment(folder: string): Promise<void> {
  await mkdir(CACHE, { recursive: true });
  const lock = `${folder}.lock`;
  const mine = await open(lock, "wx").catch(() => undefined);
  if (!mine) return until(() => existsSync(folder) || !existsSync(lock), INSTALL_LIMIT_MS);
  try {
    const draft = `${folder}.${process.pid}`;
    await run(
      "python3",
      ["-m", "venv", draft],
      "Python 3 with its venv module is needed: apt-get install python3-venv, or brew install python.",
    );
    await run(
      join(draft, "bin", "python"),
      ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", ...PACKAGES],
      `pip could not install ${PACKAGES.join(" and ")} from PyPI.`,
    );
    await rename(draft, folder);
  } finally {
    await mine.close();
    await rm(lock, { force: true });
  }
}

async function run(command: string, args: readonly string[], problem: string): Promise<void> {
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"] });
  const output: string[] = [];
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk: Buffer) => output.push(chunk.toString()));
  const status = await new Promise((resolve) => {
    child.once("error", (error) => resolve(error.message));
    child.once("close", resolve);
  });
  if (status !== 0)
    throw new Error(
      `${problem}\nIt said (${String(status)}): ${output.join("")}\nOr set CELERY_PYTHON to a Python that has Celery.`,
    );
}

/** A running Python. */
export interface PythonProcess extends AsyncDisposable {
  readonly pid: number;
  readonly lines: readonly string[];
  readonly child: ChildProcess;
  /** The first line that fits, written already or still to come. */
  line(pattern: RegExp): Promise<string>;
}

export async function startPython(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<PythonProcess> {
  const child = spawn(await findPython(), args, {
    cwd: SCRIPTS,
    env: { ...process.env, PYTHONDONTWRITEBYTECODE: "1", PYTHONUNBUFFERED: "1", ...env },
    stdio: ["pipe", "pipe", "pipe"],
    detached: true,
  });
  const exited = once(child, "exit");
  const lines: string[] = [];
  for (const stream of [child.stdout, child.stderr])
    createInterface({ input: stream }).on("line", (line) => lines.push(line));
  const pid = child.pid as number;
  return {
    pid,
    child,
    lines,
    line: async (pattern) => {
      const find = (): string | undefined => lines.find((line) => pattern.test(line));
      await until(() => find() !== undefined || child.exitCode !== null, 30_000).catch(() => undefined);
      const found = find();
      if (found === undefined)
        throw new Error(`Python did not write ${String(pattern)}:\n${lines.join("\n")}`);
      return found;
    },
    [Symbol.asyncDispose]: async () => {
      // The whole group: a prefork worker has children.
      if (child.exitCode === null && child.signalCode === null) process.kill(-pid, "SIGKILL");
      await exited;
    },
  };
}

/** `celery -A interop_app worker …`, ready. */
export async function startPythonWorker(
  url: string,
  args: readonly string[] = ["-P", "solo"],
  env: Readonly<Record<string, string>> = {},
): Promise<PythonProcess> {
  const worker = await startPython(
    ["-m", "celery", "-A", "interop_app", "worker", "-l", "info", "-n", "py@%h", ...args],
    { REDIS_URL: url, ...env },
  );
  await worker.line(/ready\./);
  return worker;
}

/** Runs a `celery` command of the real Celery to its end. */
export async function pythonCelery(
  url: string,
  args: readonly string[],
): Promise<{ status: number | null; output: string }> {
  const command = await startPython(["-m", "celery", "-A", "interop_app", ...args], { REDIS_URL: url });
  const [status] = (await once(command.child, "close")) as [number | null];
  return { status, output: command.lines.join("\n") };
}

/** What Python's `get` said. */
export interface PythonOutcome {
  readonly value?: unknown;
  readonly state: string;
  readonly error?: string;
  readonly args?: readonly unknown[];
  readonly bases?: readonly string[];
  readonly module?: string;
  readonly traceback?: string | null;
}

/** The real Celery as a client. One question at a time. */
export class PythonClient implements AsyncDisposable {
  readonly #process: PythonProcess;
  readonly #answers: AsyncIterator<string>;

  private constructor(process: PythonProcess, answers: AsyncIterator<string>) {
    this.#process = process;
    this.#answers = answers;
  }

  static async open(url: string, script = "client.py"): Promise<PythonClient> {
    const process = await startPython([script], { REDIS_URL: url });
    const answers = createInterface({ input: process.child.stdout! })[Symbol.asyncIterator]();
    await answers.next();
    return new PythonClient(process, answers);
  }

  send(
    task: string,
    args: readonly unknown[],
    more: Readonly<Record<string, unknown>> = {},
  ): Promise<string> {
    return this.ask({ command: "send", task, args, ...more });
  }

  get(id: string): Promise<PythonOutcome> {
    return this.ask({ command: "get", id });
  }

  async ask<T>(request: Readonly<Record<string, unknown>>): Promise<T> {
    const answer = JSON.parse(await this.askText(JSON.stringify(request))) as { ok: T } | { fault: string };
    if ("fault" in answer) throw new Error(answer.fault);
    return answer.ok;
  }

  /** For what JavaScript's own JSON would change on the way. */
  async askText(request: string): Promise<string> {
    this.#process.child.stdin!.write(`${request}\n`);
    const { value: line, done } = await this.#answers.next();
    if (done) throw new Error(`Python ended:\n${this.#process.lines.join("\n")}`);
    return line;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#process[Symbol.asyncDispose]() as Promise<void>;
  }
}
