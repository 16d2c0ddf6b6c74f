import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { type AddressInfo, connect, createServer } from "node:net";
import { networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { Redis } from "ioredis";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { redisUrl } from "../../celery/test/support/redis-url.ts";
import { SERVER_COMMAND, spawnServer, startServer, TestPage } from "../test/support/page.ts";
import type { Session } from "./processes/index.ts";
import { findMarked } from "./processes/process-table.ts";

const course = fileURLToPath(new URL("../test/fixtures/course", import.meta.url));
const lessons = ["--lessons", course];

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "main-test-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function sessionOf(workspace: string): Promise<Session> {
  const { session } = JSON.parse(await readFile(join(workspace, ".run/lock.json"), "utf8"));
  return { id: session, directory: join(workspace, ".run", session) };
}

const findSession = ({ id, directory }: Session): Promise<readonly number[]> =>
  findMarked({ entry: `PLAYGROUND_SESSION=${id}`, directory });

/** A PATH with nothing of a Redis, as on a machine that has none. */
async function pathWithoutRedis(): Promise<string> {
  const bin = join(folder, "bin");
  await mkdir(bin);
  await symlink(process.execPath, join(bin, "node"));
  for (const name of ["bash", "sh", "sleep", "cat", "env", "python3", "mkdir"]) {
    const found = spawnSync("/bin/sh", ["-c", `command -v ${name}`], { encoding: "utf8" }).stdout.trim();
    if (found !== "") await symlink(found, join(bin, name));
  }
  return bin;
}

function addressesOnTheNetwork(): readonly string[] {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return all.filter(({ internal, family }) => !internal && family === "IPv4").map(({ address }) => address);
}

/** How a start went that was not to last. */
async function startAndEnd(
  options: Parameters<typeof spawnServer>[1],
): Promise<{ code: number; said: string }> {
  const child = spawnServer(join(folder, "workspace"), options);
  const ended = once(child, "exit");
  const [said, errors] = await Promise.all([text(child.stdout!), text(child.stderr!)]);
  const [code] = await ended;
  return { code: code as number, said: said + errors };
}

describe("ending", () => {
  test("given programs in the panes, when the server gets Ctrl-C, then all is gone within 5 seconds and it ends with 0", async () => {
    await using server = await startServer({ args: lessons });
    await using page = await TestPage.open(server);
    await page.until(() => page.newest("redis")?.redis.up === true, "Redis");
    page.type("worker", "setsid nohup sleep 600 >/dev/null 2>&1 & sleep 600\n");
    page.type("producer", "trap '' HUP TERM INT; sleep 600\n");
    await page.until(() => page.paneState("producer")?.phase === "busy", "the producer's program");
    const session = await sessionOf(server.workspace);
    await expect.poll(async () => (await findSession(session)).length).toBeGreaterThanOrEqual(6);
    const asked = performance.now();

    server.process.kill("SIGINT");
    const [code] = await once(server.process, "exit");

    expect(code).toBe(0);
    expect(performance.now() - asked).toBeLessThan(5_000);
    expect(await findSession(session)).toEqual([]);
    await expect(readFile(join(server.workspace, ".run/lock.json"))).rejects.toThrow("ENOENT");
  });

  test("given programs that left their shells, when the server is killed, then all is gone within 10 seconds", async () => {
    await using server = await startServer({ args: lessons });
    await using page = await TestPage.open(server);
    await page.until(() => page.newest("redis")?.redis.up === true, "Redis");
    page.type(
      "worker",
      "setsid nohup sleep 600 >/dev/null 2>&1 & setsid nohup redis-server --port 0 >/dev/null 2>&1 &\n",
    );
    page.type("producer", "nohup sleep 600 >/dev/null 2>&1 & disown; sleep 600\n");
    const session = await sessionOf(server.workspace);
    await expect.poll(async () => (await findSession(session)).length).toBeGreaterThanOrEqual(6);
    const killed = performance.now();

    server.process.kill("SIGKILL");

    await expect.poll(() => findSession(session), { interval: 100 }).toEqual([]);
    expect(performance.now() - killed).toBeLessThan(10_000);
  });

  test("given npm, when it is killed, then the server that it started ends by itself", async () => {
    const workspace = join(folder, "workspace");
    const script = `require("node:child_process").spawn("sh", ["-c", process.argv[1] + "; true"], { stdio: "inherit" });
      setInterval(() => undefined, 1000);`;
    const command = [
      process.execPath,
      ...SERVER_COMMAND,
      ...lessons,
      "--port",
      "0",
      "--no-open",
      "--end-with-launcher",
    ];
    const npm = spawn(process.execPath, ["-e", script, [...command, "--workspace", workspace].join(" ")], {
      cwd: fileURLToPath(new URL("../..", import.meta.url)),
      stdio: ["ignore", "pipe", "inherit"],
    });
    await new Promise<void>((resolve) => {
      npm.stdout?.on("data", (chunk) => String(chunk).includes("is ready") && resolve());
    });
    const second = await sessionOf(workspace);
    expect((await findSession(second)).length).toBeGreaterThan(0);

    npm.kill("SIGKILL");

    await expect.poll(() => findSession(second), { interval: 100 }).toEqual([]);
    await expect.poll(() => existsSync(join(workspace, ".run/lock.json"))).toBe(false);
  });
});

describe("starting", () => {
  test("given a port that is taken, when it is asked for, then the answer says which and what to do", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    await once(other, "listening");
    const port = (other.address() as AddressInfo).port;

    const { code, said } = await startAndEnd({ args: [...lessons, "--port", String(port)] });

    expect(code).toBe(1);
    expect(said).toContain(`Port ${port} is taken by another program. Choose another with --port N`);
    other.close();
  });

  test("given REDIS_URL where nobody listens, when it starts, then it says so and ends", async () => {
    const { code, said } = await startAndEnd({
      args: lessons,
      env: { REDIS_URL: "redis://127.0.0.1:1" },
    });

    expect(code).toBe(1);
    expect(said).toContain("REDIS_URL is redis://127.0.0.1:1, but no Redis answers there");
    expect(said).not.toContain("    at ");
  });

  test("given a playground that runs, when another wants its workspace, then it is told where that one is", async () => {
    await using first = await startServer({ args: lessons });

    const child = spawnServer(first.workspace, { args: lessons });
    const [said, [code]] = await Promise.all([text(child.stderr!), once(child, "exit")]);

    expect(code).toBe(1);
    expect(said).toContain(`A playground runs already with the files in ${first.workspace}`);
    expect(said).toContain(first.url);
    expect(said).toContain("--workspace another-folder");
    expect(
      (await fetch(`${first.origin}/health`, { headers: { authorization: `Bearer ${first.token}` } })).status,
    ).toBe(200);
  });

  test("given a playground that was killed, when the next one starts, then it takes over what was left", async () => {
    const workspace = join(folder, "workspace");
    await using first = await startServer({ args: lessons, workspace });
    const session = await sessionOf(workspace);
    first.process.kill("SIGKILL");
    await once(first.process, "exit");

    await using _second = await startServer({ args: lessons, workspace });

    expect(await findSession(session)).toEqual([]);
    expect(await sessionOf(workspace)).not.toEqual(session);
  });

  test("given --host 0.0.0.0 alone, when it starts, then it refuses and says what that would mean", async () => {
    const { code, said } = await startAndEnd({ args: [...lessons, "--host", "0.0.0.0"] });

    expect(code).toBe(2);
    expect(said).toContain("would offer a shell on this machine");
  });

  test("given no redis-server anywhere, when it starts, then the emulator serves, says what it is, and queues work", async () => {
    await using server = await startServer({
      args: [...lessons],
      env: { PATH: await pathWithoutRedis(), REDIS_SERVER_BIN: undefined },
    });
    await using page = await TestPage.open(server);
    await page.until(() => page.newest("redis")?.redis.up === true, "the emulator");

    expect(page.newest("redis")?.redis).toMatchObject({
      kind: "emulator",
      label: "emulated Redis (js-redis-server)",
    });
    expect(page.notice("emulator")).toContain("emulated Redis");
    await page.ask({ type: "open-lesson", lesson: "01-first" });
    expect(await page.ask({ type: "run", step: "push" })).toMatchObject({ type: "done" });
    await page.until(() => page.newest("queue")?.queue.queues[0]?.length === 2, "two messages");
  });

  test("given REDIS_URL with somebody's data, when lessons are opened and reset, then all of it is still there", async () => {
    const url = `${redisUrl()}/32`;
    const theirs = new Redis(url);
    await theirs.rpush("celery", "theirs");
    await theirs.set("precious", "1");
    await using server = await startServer({ args: lessons, env: { REDIS_URL: url } });
    await using page = await TestPage.open(server);
    await page.until(() => page.newest("redis")?.redis.up === true, "Redis");

    await page.ask({ type: "open-lesson", lesson: "01-first" });
    await page.ask({ type: "reset", scope: "lesson" });
    await page.ask({ type: "open-lesson", lesson: "02-second" });

    expect(page.newest("redis")?.redis).toMatchObject({ kind: "external", url });
    expect(page.paneState("broker")).toMatchObject({ phase: "idle" });
    expect(await theirs.lrange("celery", 0, -1)).toEqual(["theirs"]);
    expect(await theirs.get("precious")).toBe("1");
    await theirs.flushdb();
    theirs.disconnect();
  });
});

describe("keeping others out", () => {
  test("given a frame of 10 MB, when it is sent, then the socket closes with 1009 and the server goes on", async () => {
    await using server = await startServer({ args: lessons });
    await using page = await TestPage.open(server);
    const closed = once(page.socket, "close");

    page.socket.send(Buffer.alloc(10 * 1024 * 1024));

    expect((await closed)[0]).toBe(1009);
    await using _again = await TestPage.open(server);
  });

  test("given sockets of other pages, of nobody and of nonsense, when they come, then each is refused and no shell hears it", async () => {
    await using server = await startServer({ args: lessons });
    const url = `${server.origin.replace("http", "ws")}/ws`;
    const refusals: readonly (readonly [number, Record<string, string>])[] = [
      [401, { origin: server.origin }],
      [403, { origin: "http://evil.com", authorization: `Bearer ${server.token}` }],
      [403, { origin: "null", authorization: `Bearer ${server.token}` }],
      [403, {}],
      [403, { host: "evil.com", authorization: `Bearer ${server.token}` }],
      [401, { authorization: "Bearer wrong" }],
    ];
    for (const [status, headers] of refusals) {
      const socket = new WebSocket(url, { headers });
      const [, response] = await once(socket, "unexpected-response");
      expect([headers, response.statusCode]).toEqual([headers, status]);
      socket.on("error", () => undefined);
      socket.terminate();
    }
    const elsewhere = new WebSocket(url.replace("/ws", "/terminal/ws"), {
      headers: { authorization: `Bearer ${server.token}` },
    });
    expect((await once(elsewhere, "unexpected-response"))[1].statusCode).toBe(404);
    elsewhere.on("error", () => undefined);
    elsewhere.terminate();

    await using page = await TestPage.open(server);
    for (const nonsense of [
      "{",
      "[]",
      '{"type":"run"}',
      '{"type":"nothing"}',
      '{"__proto__":{"type":"ping"}}',
      "x".repeat(60_000),
      '{"type":"save","request":"mine","path":5}',
    ]) {
      page.socket.send(nonsense);
    }
    page.socket.send(Buffer.from([9, 9, 9]));
    await page.until(
      () => page.messages.filter((each) => each.type === "error").length === 8,
      "eight refusals",
    );
    expect(page.messages.filter((each) => each.type === "error" && each.request === "mine")).toHaveLength(1);
    expect(await page.ask({ type: "open-lesson", lesson: "no/../such" })).toMatchObject({
      code: "not-found",
    });
  });

  test("given ways out of the workspace, when a page asks to write or read there, then each is refused in words", async () => {
    await using server = await startServer({ args: lessons });
    await using page = await TestPage.open(server);
    await page.ask({ type: "open-lesson", lesson: "01-first" });
    const outside = join(folder, "outside.ts");
    await writeFile(outside, "theirs\n");
    const file = join(server.workspace, "01-first/answer.ts");
    await rm(file);
    await symlink(outside, file);

    for (const path of [
      "../outside.ts",
      "../../outside.ts",
      outside,
      "answer.ts/../../x",
      ".playground.json",
    ]) {
      const refusal = { type: "error", message: expect.stringContaining("is not a file of this lesson") };
      expect(await page.ask({ type: "save", path, text: "x", base: "" })).toMatchObject(refusal);
      expect(await page.ask({ type: "reset", scope: "file", path })).toMatchObject(refusal);
    }
    const link = { type: "error", message: expect.stringContaining('"answer.ts" is a link') };
    expect(await page.ask({ type: "save", path: "answer.ts", text: "x", base: "" })).toMatchObject(link);
    expect(await page.ask({ type: "apply-edit", edit: "correct" })).toMatchObject(link);
    for (const path of [
      "/..%2f..%2fpackage.json",
      "/assets/..%2f..%2f..%2fpackage.json",
      "/%2e%2e%2fpackage.json",
    ]) {
      const headers = { authorization: `Bearer ${server.token}` };
      const response = await fetch(server.origin + path, { headers });
      expect([path, response.status]).toEqual([path, 404]);
    }

    expect(await readFile(outside, "utf8")).toBe("theirs\n");
    expect(JSON.stringify(page.messages)).not.toContain("theirs");
  });

  test("given secrets in the server's environment, when shells run, then none of them is there, nor the token", async () => {
    const canaries = Object.fromEntries(
      [
        "NODE_OPTIONS_X",
        "LD_PRELOAD_X",
        "npm_config_token",
        "AWS_SECRET_ACCESS_KEY",
        "GITHUB_TOKEN",
        "SSH_AUTH_SOCK",
        "MY_SECRET",
      ].map((name) => [name, `canary-${name}`]),
    );
    await using server = await startServer({ args: lessons, env: { ...canaries, LOG_LEVEL: "debug" } });
    await using page = await TestPage.open(server);
    await page.until(() => page.newest("redis")?.redis.up === true, "Redis");

    const pids = await findSession(await sessionOf(server.workspace));
    expect(pids.length).toBeGreaterThanOrEqual(4);
    for (const pid of pids) {
      const environment = await readFile(`/proc/${pid}/environ`, "utf8");
      expect(environment).not.toContain("canary-");
      expect(environment).not.toContain(server.token);
      expect(await readFile(`/proc/${pid}/cmdline`, "utf8")).not.toContain(server.token);
    }
    expect(await readFile(`/proc/${server.process.pid}/cmdline`, "utf8")).not.toContain(server.token);
    expect(server.output().split(server.token)).toHaveLength(2); // the ready line, and no log
  });

  test("given a server, when it is looked at from the network or by another user, then there is nothing to connect to or read", async () => {
    await using server = await startServer({ args: lessons });
    await using page = await TestPage.open(server);
    await page.until(() => page.newest("redis")?.redis.up === true, "Redis");
    const session = await sessionOf(server.workspace);
    const redisPort = new URL(page.newest("redis")?.redis.url ?? "").port;

    for (const address of addressesOnTheNetwork()) {
      for (const port of [new URL(server.origin).port, redisPort]) {
        const socket = connect(Number(port), address);
        const [error] = await once(socket, "error");
        expect(error.code).toBe("ECONNREFUSED");
      }
    }
    for (const path of [join(server.workspace, ".run"), session.directory, join(session.directory, "bin")]) {
      expect((await stat(path)).mode & 0o077).toBe(0);
    }
    expect((await stat(join(session.directory, "redis/redis.conf"))).mode & 0o077).toBe(0);
    expect((await stat(join(server.workspace, ".run/lock.json"))).mode & 0o077).toBe(0);
  });
});
