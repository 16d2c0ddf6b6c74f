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
  const port = fixed?.port ?? (await freePort());
  const dir = fixed?.dir ?? (await mkdtemp(join(tmpdir(), "celery-test-redis-")));
  const binary = process.env["REDIS_SERVER_BIN"] ?? "redis-server";
  const child = spawn(
    binary,
    ["--port", String(port), "--bind", "127.0.0.1", "--save", "", "--dir", dir, "--databases", "96", ...args],
    { stdio: ["ignore", "pipe", "inherit"], env: { ...process.env, LC_ALL: "C" } },
  );
  await ready(child);
  const stop = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill("SIGKILL");
      await once(child, "exit");
    }
    if (!fixed) await rm(dir, { recursive: true, force: true });
  };
  return { url: `redis://127.0.0.1:${port}`, port, process: child, stop, [Symbol.asyncDispose]: stop };
}

async function ready(child: ChildProcess): Promise<void> {
  const output: string[] = [];
  const lines = createInterface({ input: child.stdout! });
  await new Promise<void>((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code) =>
      reject(new Error(`redis-server exited with ${code}:\n${output.join("\n")}`)),
    );
    lines.on("line", (line) => {
      output.push(line);
      if (/ready to accept connections/i.test(line)) resolve();
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
