import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { freePort, startRedisServer, type TestRedis } from "./redis-server.ts";

const run = promisify(execFile);

/** Files of a certificate that is its own authority. */
export interface TestCertificate extends AsyncDisposable {
  readonly cert: string;
  readonly key: string;
}

/** @param names as in `subjectAltName`, e.g. `IP:127.0.0.1`. */
export async function makeCertificate(names: string): Promise<TestCertificate> {
  const dir = await mkdtemp(join(tmpdir(), "celery-test-tls-"));
  const [cert, key] = [join(dir, "cert.pem"), join(dir, "key.pem")];
  const subject = ["-subj", "/CN=celery-test", "-addext", `subjectAltName=${names}`];
  const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"];
  await run("openssl", ["req", "-x509", ...curve, "-keyout", key, "-out", cert, ...subject]);
  return { cert, key, [Symbol.asyncDispose]: () => rm(dir, { recursive: true, force: true }) };
}

/** A server that speaks TLS only, and only with clients that have the certificate too unless `args` say otherwise. */
export async function startTlsRedis(
  { cert, key }: TestCertificate,
  args: readonly string[] = [],
): Promise<TestRedis> {
  const port = await freePort();
  const tls = [
    "--tls-port",
    port,
    "--tls-cert-file",
    cert,
    "--tls-key-file",
    key,
    "--tls-ca-cert-file",
    cert,
  ];
  const server = await startRedisServer(["--port", "0", ...tls.map(String), ...args]);
  return { ...server, port, url: `rediss://127.0.0.1:${port}` };
}

export interface SentinelLab extends AsyncDisposable {
  /** `sentinel://…` without `master_name`. */
  readonly url: string;
  readonly masterName: string;
  /** Kills the master with -9; settles when the Sentinel has made another one. */
  failOver(): Promise<void>;
}

/** A master, its replica, and a Sentinel that promotes within a second or two. */
export async function startSentinelLab(): Promise<SentinelLab> {
  const first = await startRedisServer(["--repl-diskless-sync-delay", "0"]);
  const port = await freePort();
  const second = await startRedisServer(["--replicaof", "127.0.0.1", String(first.port)]);
  const dir = await mkdtemp(join(tmpdir(), "celery-test-sentinel-"));
  const config = join(dir, "sentinel.conf");
  await writeFile(
    config,
    `port ${port}
bind 127.0.0.1
dir ${dir}
sentinel monitor mymaster 127.0.0.1 ${first.port} 1
sentinel down-after-milliseconds mymaster 500
sentinel failover-timeout mymaster 3000
`,
  );
  const binary = process.env["REDIS_SERVER_BIN"] ?? "redis-server";
  const child = spawn(binary, [config, "--sentinel"], { stdio: ["ignore", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout });
  const said = (text: string): Promise<void> =>
    new Promise((resolve) => {
      const look = (line: string): void => {
        if (!line.includes(text)) return;
        lines.off("line", look);
        resolve();
      };
      lines.on("line", look);
    });
  await said("+slave slave 127.0.0.1");
  return {
    url: `sentinel://127.0.0.1:${port}`,
    masterName: "mymaster",
    failOver: async () => {
      const switched = said("+switch-master");
      first.process.kill("SIGKILL");
      await switched;
    },
    [Symbol.asyncDispose]: async () => {
      child.kill("SIGKILL");
      await once(child, "exit");
      await Promise.all([first.stop(), second.stop(), rm(dir, { recursive: true, force: true })]);
    },
  };
}
