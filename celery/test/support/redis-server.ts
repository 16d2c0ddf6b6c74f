import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

export interface TestRedis extends AsyncDisposable {
  /** `redis://127.0.0.1:<port>`, no database number. */
  readonly url: string;
  readonly port: number;
  readonly process: ChildProcess;
  /** Ends the server and removes its directory. Safe to call twice. */
  stop(): Promise<void>;
}

/**
 * Starts a redis-server of the test's own: free loopback port, empty directory, nothing written to disk
 * unless `args` say so. Waits for its own "Ready to accept connections" line, so that a foreign server on the
 * same port can never be mistaken for it.
 *
 * @param args more redis-server arguments, e.g. `["--appendonly", "yes"]`.
 * @param fixed reuse a port and directory, to restart a server with its data.
 */
export async function startRedisServer(
  args: readonly string[] = [],
  fixed?: { port: number; dir: string },
): Promise<TestRedis> {
  const dir = fixed?.dir ?? (await mkdtemp(join(tmpdir(), "celery-test-redis-")));
  const { child, port } = await listen(["--dir", dir, ...args], fixed?.port);
  const stop = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill("SIGKILL");
      await once(child, "exit");
    }
    if (!fixed) await rm(dir, { recursive: true, force: true });
  };
  return { url: `redis://127.0.0.1:${port}`, port, process: child, stop, [Symbol.asyncDispose]: stop };
}

/** Others look for a port too: one that was free may be taken a moment later, and then another will do. */
async function listen(
  args: readonly string[],
  fixedPort: number | undefined,
  attempts = 5,
): Promise<{ child: ChildProcess; port: number }> {
  const port = fixedPort ?? (await freePort());
  const own = ["--port", String(port), "--bind", "127.0.0.1", "--save", "", "--databases", "96"];
  const child = spawn(process.env["REDIS_SERVER_BIN"] ?? "redis-server", [...own, ...args], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, LC_ALL: "C" },
  });
  const problem = await untilReady(child);
  if (problem === undefined) return { child, port };
  const isTaken = problem.includes("Address already in use");
  if (!isTaken || fixedPort !== undefined || attempts === 1) throw new Error(problem);
  return listen(args, undefined, attempts - 1);
}

/** @returns what it said when it did not start. */
async function untilReady(child: ChildProcess): Promise<string | undefined> {
  const output: string[] = [];
  const lines = createInterface({ input: child.stdout! });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve(`redis-server exited with ${code}:\n${output.join("\n")}`));
    lines.on("line", (line) => {
      output.push(line);
      if (/ready to accept connections/i.test(line)) resolve(undefined);
    });
  });
}

/** A port that was free a moment ago on 127.0.0.1. */
export async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}
