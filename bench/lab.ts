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
  /** Ends with the lab at the latest. */
  start(program: Program): Running;
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
  const programs = new Set<Running>();
  const start = (program: Program): Running => {
    const running = new Running({ ...program, env: { BENCH_REDIS_URL: url, ...program.env } });
    programs.add(running);
    return running;
  };
  const url = `redis://127.0.0.1:${port}/0`;
  const server = start({
    command: process.env["REDIS_SERVER_BIN"] ?? "redis-server",
    args: ["--port", `${port}`, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", folder],
    cwd: folder,
  });
  await server.line((line) => line.includes("Ready to accept connections"), 10_000);
  const redis = await RedisClient.open(port);
  return {
    url,
    redis,
    port,
    start,
    redisCpu: async () => cpuOf(String(await redis.call("INFO", "cpu"))),
    clear: async () => {
      await redis.call("FLUSHDB");
    },
    [Symbol.asyncDispose]: async () => {
      redis[Symbol.dispose]();
      await Promise.all([...programs].map((program) => program[Symbol.asyncDispose]()));
      await rm(folder, { recursive: true, force: true });
    },
  };
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
  what: string,
  isSo: () => Promise<boolean>,
  limitMs: number,
  everyMs: number,
): Promise<void> {
  const deadline = performance.now() + limitMs;
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error(`${what} took longer than ${limitMs / 1000} s`);
    await pause(everyMs);
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
