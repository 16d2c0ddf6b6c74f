import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { redisUrl } from "../../test/support/redis-url.ts";
import { until } from "../../test/support/until.ts";
import { Celery } from "../app/celery.ts";

// Workers are started, which on a busy machine takes its time.
vi.setConfig({ testTimeout: 120_000 });

const url = `${redisUrl()}/73`;
const CELERY = new URL("../../bin/celery.mjs", import.meta.url).pathname;
const APPS = new URL("../../test/support/apps/", import.meta.url).pathname;

interface Outcome {
  readonly status: number | null;
  readonly output: string;
}

async function multi(folder: string, ...args: readonly string[]): Promise<Outcome> {
  const files = [`--pidfile=${folder}/%n.pid`, `--logfile=${folder}/log/%n.log`];
  const child = spawn(process.execPath, [CELERY, "-A", "multi-app", "multi", ...args, ...files], {
    cwd: APPS,
    env: { ...process.env, REDIS_URL: url, NO_COLOR: "1" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk: Buffer) => (output += chunk.toString()));
  const [status] = (await once(child, "close")) as [number | null];
  return { status, output };
}

/** A folder for pids and logs; whatever still runs at the end is killed. */
async function aFolder(...names: readonly string[]): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "celery-multi-"));
  onTestFinished(async () => {
    await multi(folder, "kill", ...names);
    await rm(folder, { recursive: true, force: true });
  });
  return folder;
}

const pidOf = (folder: string, node: string): number =>
  Number(readFileSync(join(folder, `${node}.pid`), "utf8"));

function lives(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

describe("celery multi", () => {
  test("given two nodes, when started, used, restarted and stopped, then they run in the background, and are gone in the end", async () => {
    const folder = await aFolder("m1", "m2");
    const [m1, m2] = [`m1@${hostname()}`, `m2@${hostname()}`];
    const nodes = ["m1", "m2", "-c", "1", "-l", "info", "-Q:m1", "one", "-Q:m2", "two"];

    const started = await multi(folder, "start", ...nodes);
    expect(started.output).toMatch(
      new RegExp(`^celery multi v.*\n> Starting nodes\\.\\.\\.\n\t> ${m1}: OK\n\t> ${m2}: OK\n$`),
    );
    expect(started.status).toBe(0);
    const pids = ["m1", "m2"].map((node) => pidOf(folder, node));
    expect(pids.map(lives)).toEqual([true, true]);

    const app = new Celery("multi", { broker: url, backend: url });
    onTestFinished(() => app.close());
    const result = await app.sendTask("multi.where", [], { queue: "two" });
    expect(await result.get({ timeout: 20 })).toBe(m2);
    expect(readFileSync(join(folder, "log", "m2.log"), "utf8")).toContain("multi.where");

    expect((await multi(folder, "start", "m1")).output).toContain(`it runs already (pid ${pids[0]}`);

    const restarted = await multi(folder, "restart", ...nodes);
    expect(restarted.output).toContain(`> Restarting node ${m1}: OK`);
    expect(pids.map(lives)).toEqual([false, false]);

    const again = ["m1", "m2"].map((node) => pidOf(folder, node));
    const stopped = await multi(folder, "stopwait", "m1", "m2");
    expect(stopped.output).toContain(`\t> ${m1}: TERM -> ${again[0]}\n`);
    expect(stopped.output).toContain(`\t> ${m2}: OK\n`);
    expect(again.map(lives)).toEqual([false, false]);
    expect(existsSync(join(folder, "m1.pid"))).toBe(false);
    expect((await multi(folder, "stop", "m1")).output).toContain(`> ${m1}: DOWN\n`);
  });

  test("given a node that was killed, when stopped, then it is said that it is gone, and its pidfile is, too", async () => {
    const folder = await aFolder("gone");
    const node = `gone@${hostname()}`;
    await multi(folder, "start", "gone", "-c", "1");
    const pid = pidOf(folder, "gone");

    expect((await multi(folder, "kill", "gone")).output).toContain(`Sending KILL to node ${node} (${pid})\n`);
    await until(() => !lives(pid));
    await writeFile(join(folder, "gone.pid"), `${pid}\n`);

    expect((await multi(folder, "stop", "gone")).output).toContain(
      `Could not signal ${node} (${pid}): No such process\n> ${node}: DOWN\n`,
    );
    expect(existsSync(join(folder, "gone.pid"))).toBe(false);
  });

  test("given a node that cannot start, when started, then it is said, with its log, and the status is 1", async () => {
    const folder = await aFolder("bad");

    const { status, output } = await multi(folder, "start", "bad", "--pool=nonsense");

    expect(status).toBe(1);
    expect(output).toContain(
      `> bad@${hostname()}: FAILED\n* bad@${hostname()}: exit status 2; see ${folder}/log/bad.log`,
    );
    expect(readFileSync(join(folder, "log", "bad.log"), "utf8")).toContain("nonsense");
  });

  test("given nodes, when shown, named, expanded and asked for, then nothing is started", async () => {
    const folder = await aFolder("m1");
    const node = `m1@${hostname()}`;
    const line = `celery -A multi-app worker --detach -n ${node} -c 3 --pidfile=${folder}/m1.pid --logfile=${folder}/log/m1.log`;

    expect(await multi(folder, "show", "m1", "-c", "3")).toEqual({ status: 0, output: `${line}\n` });
    expect(await multi(folder, "get", node, "m1", "-c", "3")).toEqual({ status: 0, output: `${line}\n` });
    expect((await multi(folder, "get", "nobody", "m1")).status).toBe(1);
    expect((await multi(folder, "names", "2")).output).toBe(`celery1@${hostname()}\ncelery2@${hostname()}\n`);
    expect((await multi(folder, "expand", "/var/%n.x", "m1")).output).toBe("/var/m1.x\n");
    expect((await multi(folder, "dance", "m1")).output).toContain("Invalid command: dance");
    expect(existsSync(join(folder, "m1.pid"))).toBe(false);
  });
});
