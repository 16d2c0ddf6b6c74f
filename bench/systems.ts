import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Program } from "./processes.ts";

const ROOT = new URL("..", import.meta.url).pathname;
const SUBJECTS = new URL("subjects/", import.meta.url).pathname;

/** What a client program can be asked to do; see `subjects/client.mjs`. */
export type ClientWork = "fill" | "awaited" | "concurrent" | "bulk" | "round-trip" | "gets";

/** Which keys tell how far a system is. */
export interface Wire {
  readonly name: "celery" | "bullmq" | "bee-queue";
  /** Counts finished tasks cheaply; may count a few other keys too. */
  readonly progress: readonly string[];
  /** Lists or counts finished tasks exactly; only for few. */
  readonly finished: readonly string[];
}

/** One way to run tasks: a library with a configuration. */
export interface System {
  readonly name: string;
  readonly title: string;
  readonly wire: Wire;
  readonly worker: Program;
  /** Undefined: there is nothing to compare. */
  readonly client: (work: ClientWork, count: number) => Program | undefined;
  /** Tasks of one drain: about a second's worth. */
  readonly drainTasks: number;
}

const CELERY_WIRE: Wire = {
  name: "celery",
  progress: ["DBSIZE"],
  finished: ["KEYS", "celery-task-meta-*"],
};

const BULLMQ_WIRE: Wire = {
  name: "bullmq",
  progress: ["ZCARD", "bull:bench:completed"],
  finished: ["ZCARD", "bull:bench:completed"],
};

const BEE_WIRE: Wire = {
  name: "bee-queue",
  progress: ["SCARD", "bq:bench:succeeded"],
  finished: ["SCARD", "bq:bench:succeeded"],
};

/** Every system, ours first. @throws Error that says what is missing and what to type. */
export function allSystems(): readonly System[] {
  const python = findPython();
  const all = [
    ours("ours-async", "async -c 100", ["-P", "async", "-c", "100"], 40_000),
    ours("ours-prefork", "prefork -c 2", ["-P", "prefork", "-c", "2"], 15_000),
    ours("ours-solo", "solo", ["-P", "solo"], 15_000),
    celery(python, "celery-prefork", "prefork -c 2", ["-P", "prefork", "-c", "2"]),
    celery(python, "celery-solo", "solo", ["-P", "solo"]),
    library("bullmq", BULLMQ_WIRE, 1, 6000),
    library("bullmq", BULLMQ_WIRE, 50, 25_000),
    library("bullmq", BULLMQ_WIRE, 100, 25_000),
    library("bee-queue", BEE_WIRE, 50, 25_000),
    { ...library("celery-node", CELERY_WIRE, 1, 12_000), name: "celery-node", title: "celery-node" },
    { ...library("bare", CELERY_WIRE, 2, 50_000), name: "bare", title: "bare loop 50 × 2" },
  ];
  return all;
}

/** Fills a queue in Celery's format: all that speak it take the same messages. */
export function celeryFiller(count: number): Program {
  return client("ours", "fill", count);
}

/** What our own worker is started with when it is to be looked at closely. */
export function probedWorker(): Program {
  const probe = join(SUBJECTS, "heap-probe.mjs");
  return node(["--expose-gc", "--import", probe, ...oursArguments(["-P", "async", "-c", "100"])]);
}

function ours(name: string, pool: string, args: readonly string[], drainTasks: number): System {
  return {
    name,
    title: `ours ${pool}`,
    wire: CELERY_WIRE,
    worker: node(oursArguments(args)),
    client: (work, count) => client("ours", work, count),
    drainTasks,
  };
}

function oursArguments(args: readonly string[]): readonly string[] {
  return [join(ROOT, "celery/bin/celery.mjs"), "-A", "tasks", "worker", ...args];
}

function celery(python: string, name: string, pool: string, args: readonly string[]): System {
  const run = (...all: readonly string[]): Program => ({
    command: python,
    args: all,
    cwd: SUBJECTS,
    env: { PYTHONDONTWRITEBYTECODE: "1" },
  });
  return {
    name,
    title: `Celery ${pool}`,
    wire: CELERY_WIRE,
    worker: run("-m", "celery", "-A", "celery_app", "worker", ...args),
    client: (work, count) =>
      work === "concurrent" ? undefined : run("celery_client.py", work, String(count)),
    drainTasks: 3000,
  };
}

function library(module: string, wire: Wire, concurrency: number, drainTasks: number): System {
  return {
    name: `${module}-${concurrency}`,
    title: `${module} ${concurrency}`,
    wire,
    worker: node(["worker.mjs", module, String(concurrency)]),
    client: (work, count) => client(module, work, count),
    drainTasks,
  };
}

function client(module: string, work: ClientWork, count: number): Program {
  return node(["--expose-gc", "client.mjs", module, work, String(count)]);
}

function node(args: readonly string[]): Program {
  return { command: process.execPath, args, cwd: SUBJECTS };
}

/** The Python of the interop tests: `CELERY_PYTHON`, else the environment that they have made. */
function findPython(): string {
  const python = process.env["CELERY_PYTHON"] ?? join(ROOT, ".cache/python-celery-flower/bin/python");
  if (existsSync(python)) return python;
  throw new Error(
    `There is no ${python}. Run the interop tests once (npx vitest run --project redis celery/test/interop), ` +
      "or set CELERY_PYTHON to a Python that has celery[redis].",
  );
}
