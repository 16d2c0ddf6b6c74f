import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Program, Running } from "./processes.ts";
import { RedisClient } from "./redis-client.ts";

/** Where what is measured runs: one Redis of our own on loopback, and the programs that were started. */
export interface Lab extends AsyncDisposable {
  /** The database that is measured; the others hold what is prepared. */
  readonly url: string;
  readonly redis: RedisClient;
  readonly port: number;
  /** Ends with the measurement that it was started for. */
  start(program: Program): Running;
  /** Aborts when the measurement under way has taken too long. */
  readonly signal: AbortSignal;
  /**
   * One measurement. Whatever was started in it is ended after it.
   *
   * @throws Error when it takes longer than `limitMs`: a system that hangs is told of, not waited for.
   */
  measure<T>(limitMs: number, work: () => Promise<T>): Promise<T>;
  /** CPU seconds that Redis has used. */
  redisCpu(): Promise<number>;
  /** Empties the measured database. */
  clear(): Promise<void>;
}

/** The database where messages wait until they are copied to where they are measured. */
export const STORE_DB = 1;

export async function openLab(): Promise<Lab> {
  const folder = await mkdtemp(join(tmpdir(), "celery-bench-"));
  const port = await freePort();
  const url = `redis://127.0.0.1:${port}/0`;
  const server = new Running({
    command: process.env["REDIS_SERVER_BIN"] ?? "redis-server",
    args: ["--port", `${port}`, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", folder],
    cwd: folder,
  });
  const bounded = new Bounded(url);
  await server.line((line) => line.includes("Ready to accept connections"), 10_000);
  const redis = await RedisClient.open(port);
  return {
    url,
    redis,
    port,
    start: (program) => bounded.start(program),
    get signal() {
      return bounded.signal;
    },
    measure: (limitMs, work) => bounded.run(limitMs, work),
    redisCpu: async () => cpuOf(String(await redis.call("INFO", "cpu"))),
    clear: async () => {
      await redis.call("FLUSHDB");
    },
    [Symbol.asyncDispose]: async () => {
      redis[Symbol.dispose]();
      await bounded.end();
      await server[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** How long a measurement that is over may take to notice. */
const GRACE_MS = 15_000;

/** Runs measurements one after the other, each with its own time and programs. */
class Bounded {
  readonly #url: string;
  readonly #programs = new Set<Running>();
  #control = new AbortController();

  constructor(url: string) {
    this.#url = url;
  }

  get signal(): AbortSignal {
    return this.#control.signal;
  }

  start(program: Program): Running {
    const running = new Running({ ...program, env: { BENCH_REDIS_URL: this.#url, ...program.env } });
    this.#programs.add(running);
    return running;
  }

  async run<T>(limitMs: number, work: () => Promise<T>): Promise<T> {
    const control = new AbortController();
    this.#control = control;
    const tooLong = new Error(`It was not over after ${limitMs / 1000} seconds.`);
    // With its programs gone, whatever it waits for fails.
    const timer = setTimeout(() => void this.end().then(() => control.abort(tooLong)), limitMs);
    try {
      return await Promise.race([work(), neverLaterThan(limitMs + GRACE_MS)]);
    } catch (error) {
      throw control.signal.aborted ? new Error(`${tooLong.message} ${(error as Error).message}`) : error;
    } finally {
      clearTimeout(timer);
      await this.end();
    }
  }

  async end(): Promise<void> {
    const running = [...this.#programs];
    this.#programs.clear();
    await Promise.all(running.map((program) => program[Symbol.asyncDispose]()));
  }
}

function neverLaterThan(ms: number): Promise<never> {
  return new Promise((_resolve, reject) => {
    setTimeout(() => reject(new Error("Nor did it end then.")), ms).unref();
  });
}

function cpuOf(info: string): number {
  const seconds = (name: string): number => Number(new RegExp(`^${name}:(.*)$`, "m").exec(info)?.[1]);
  return seconds("used_cpu_sys") + seconds("used_cpu_user");
}

async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("no free port");
  return address.port;
}

/** Looks every `everyMs` until it is so. @throws Error naming what was waited for. */
export async function until(
  { signal }: Pick<Lab, "signal">,
  what: string,
  isSo: () => Promise<boolean>,
  limitMs: number,
  everyMs: number,
): Promise<void> {
  const deadline = performance.now() + limitMs;
  while (!(await isSo())) {
    if (signal.aborted) throw new Error(`${what} did not come`);
    if (performance.now() > deadline) throw new Error(`${what} took longer than ${limitMs / 1000} s`);
    await pause(everyMs);
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
