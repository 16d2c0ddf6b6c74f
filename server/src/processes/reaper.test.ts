import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterEach, expect, test } from "vitest";
import { findMarked } from "./process-table.ts";
import { sweepSession } from "./sweep.ts";

/** A stand-in for the server: opens a reaper, then starts what a pane would, and waits. */
const SERVER = `
import { spawn } from "node:child_process";
import { openReaper } from ${JSON.stringify(new URL("./reaper.ts", import.meta.url).href)};
const [session, directory, command] = process.argv.slice(1);
const reaper = openReaper({ id: session, directory });
const env = { PATH: process.env.PATH, PLAYGROUND_SESSION: session };
spawn("/bin/sh", ["-c", command], { env, stdio: ["ignore", "inherit", "ignore"] });
process.on("SIGTERM", async () => { await reaper[Symbol.asyncDispose](); process.exit(0); });
setInterval(() => undefined, 1000);
`;

interface Stage {
  readonly server: ChildProcess;
  readonly session: string;
  readonly directory: string;
}

const servers: ChildProcess[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.kill("SIGKILL");
});

async function stage(command: string): Promise<Stage> {
  const directory = await mkdtemp(join(tmpdir(), "reaper-"));
  const session = randomUUID();
  const args = ["--import", "tsx", "--input-type=module", "-e", SERVER, session, directory, command];
  const server = spawn(process.execPath, args, {
    cwd: fileURLToPath(new URL("../../..", import.meta.url)),
    stdio: ["ignore", "pipe", "inherit"],
  });
  servers.push(server);
  // The command says when everything it starts is running.
  for await (const line of createInterface({ input: server.stdout! })) if (line === "started") break;
  return { server, session, directory };
}

const nowhere = "/no-folder-of-a-test";

const marked = (session: string): Promise<readonly number[]> =>
  findMarked({ entry: `PLAYGROUND_SESSION=${session}`, directory: nowhere });

test("given shells with children that left the process tree, when the server is killed, then all end within 10 seconds", async () => {
  const { server, session, directory } = await stage(
    "sleep 600 & setsid nohup sleep 600 >/dev/null 2>&1 & (trap '' TERM HUP INT; sleep 600 & sleep 600) & sleep 0.1; echo started; wait",
  );
  expect((await marked(session)).length).toBeGreaterThanOrEqual(4);
  const killed = performance.now();

  server.kill("SIGKILL");

  await expect.poll(() => marked(session), { timeout: 10_000, interval: 100 }).toEqual([]);
  await expect.poll(() => existsSync(directory), { timeout: 10_000 }).toBe(false);
  expect(performance.now() - killed).toBeLessThan(10_000);
}, 30_000);

test("given a server that ends in peace, when it dismisses the reaper, then nothing is left when it is gone", async () => {
  const { server, session, directory } = await stage(
    "setsid nohup sleep 600 >/dev/null 2>&1 & sleep 0.1; echo started",
  );

  server.kill("SIGTERM");
  await once(server, "exit");

  expect(await marked(session)).toEqual([]);
  expect(existsSync(directory)).toBe(false);
}, 30_000);

test("given processes of another session, when one is swept, then the other lives", async () => {
  const others = randomUUID();
  const child = spawn("sleep", ["600"], { env: { PATH: process.env["PATH"], PLAYGROUND_SESSION: others } });
  await once(child, "spawn");

  expect(await sweepSession({ id: randomUUID(), directory: nowhere }, 1_000)).toBe(0);
  expect(await marked(others)).toEqual([child.pid]);

  const ended = once(child, "exit");
  expect(await sweepSession({ id: others, directory: nowhere }, 5_000)).toBe(0);
  expect(await ended).toEqual([null, "SIGKILL"]);
});

test("given a program that works in the session's folder, when it hides its environment, then it is swept all the same", async () => {
  const directory = await mkdtemp(join(tmpdir(), "reaper-"));
  const child = spawn("sleep", ["600"], { cwd: directory, env: { PATH: process.env["PATH"] } });
  await once(child, "spawn");
  const ended = once(child, "exit");

  expect(await sweepSession({ id: randomUUID(), directory: directory.slice(0, -1) }, 1_000)).toBe(0);
  expect(child.exitCode).toBe(null);
  expect(await sweepSession({ id: randomUUID(), directory }, 5_000)).toBe(0);

  expect(await ended).toEqual([null, "SIGKILL"]);
});
