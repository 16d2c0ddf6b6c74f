import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";

const root = resolve(import.meta.dirname, "../..");

/** A playground of the test's own: real server process, own workspace, own Redis, free port. */
export interface Playground extends AsyncDisposable {
  /** The start address with its token: `http://127.0.0.1:<port>/?token=…`. */
  readonly url: string;
  /** `http://127.0.0.1:<port>` */
  readonly origin: string;
  readonly workspace: string;
  readonly process: ChildProcess;
  /** Everything the server has printed so far. */
  output(): string;
  /** SIGTERM, then wait for the end; removes the workspace. Safe to call twice. */
  stop(): Promise<void>;
}

export interface PlaygroundOptions {
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly args?: readonly string[];
}

/**
 * Starts the built server and waits for its ready line.
 *
 * @throws Error with everything the server printed, when it ends before it is ready.
 */
export async function startPlayground(options: PlaygroundOptions = {}): Promise<Playground> {
  const workspace = await mkdtemp(join(tmpdir(), "playground-"));
  const child = spawn(
    process.execPath,
    ["server/dist/main.js", "--port", "0", "--no-open", "--workspace", workspace, ...(options.args ?? [])],
    { cwd: root, stdio: ["ignore", "pipe", "pipe"], env: environment(options.env) },
  );
  const lines: string[] = [];
  const url = await readyUrl(child, lines);
  const stop = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill("SIGTERM");
      await once(child, "exit");
    }
    await rm(workspace, { recursive: true, force: true });
  };
  return {
    url,
    origin: new URL(url).origin,
    workspace,
    process: child,
    output: () => lines.join("\n"),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

/** The test's environment without a Redis that the developer may have set, plus the test's own wishes. */
function environment(extra: PlaygroundOptions["env"] = {}): NodeJS.ProcessEnv {
  const { REDIS_URL: _url, ...rest } = process.env;
  return Object.fromEntries(Object.entries({ ...rest, ...extra }).filter(([, value]) => value !== undefined));
}

async function readyUrl(child: ChildProcess, lines: string[]): Promise<string> {
  return new Promise<string>((fulfil, reject) => {
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`The server ended with ${code}:\n${lines.join("\n")}`)));
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream! }).on("line", (line) => {
        lines.push(line);
        const url = /http:\/\/127\.0\.0\.1:\d+\/\?token=\S+/.exec(line)?.[0];
        if (url !== undefined) fulfil(url);
      });
    }
  });
}
