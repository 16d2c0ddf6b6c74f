import { type ChildProcess, spawn } from "node:child_process";
import { on, once } from "node:events";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { Redis } from "ioredis";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { redisUrl } from "../../../celery/test/support/redis-url.ts";
import { writeBinFolder } from "./bin-folder.ts";
import { type Broker, openBroker } from "./broker.ts";
import { chooseRedis } from "./chain.ts";
import { type OwnRedis, prepareOwnRedis } from "./own.ts";
import type { RedisSource } from "./source.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const noTraces = { queues: [], taskIds: [] };

let directory = "";
const children: ChildProcess[] = [];
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "own-redis-"));
});
afterEach(async () => {
  for (const child of children.splice(0)) await end(child);
  await rm(directory, { recursive: true });
});

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill("SIGKILL");
  await once(child, "exit");
}

/** What a pane does: a shell whose PATH starts with the bin folder. */
function inPane(own: OwnRedis, command: string): ChildProcess {
  const child = spawn("/bin/sh", ["-c", `exec ${command}`], {
    env: { PATH: `${join(directory, "bin")}:${process.env["PATH"]}`, REDIS_URL: own.url },
    stdio: ["pipe", "pipe", "inherit"],
  });
  children.push(child);
  return child;
}

async function prepare(source: RedisSource, path: string): Promise<OwnRedis> {
  const own = await prepareOwnRedis(join(directory, "redis"));
  await writeBinFolder({ folder: join(directory, "bin"), root, source, own, path });
  return own;
}

const real = await chooseRedis({
  url: undefined,
  explicit: process.env["REDIS_SERVER_BIN"],
  emulator: false,
  path: process.env["PATH"] ?? "",
  pythonEnvironments: [],
});

describe.each([
  ["a real server", real, process.env["PATH"] ?? ""],
  ["the emulator and our own redis-cli", { kind: "emulator" } as const, ""],
])("%s", (_, source, path) => {
  test("given the wrapper typed in a pane, when it is up, then it is ours, labelled and can be cleared", async () => {
    const own = await prepare(source, path);
    await using broker = openBroker(source, own);
    expect(broker.view).toMatchObject({ up: false, error: null });

    inPane(own, "redis-server");
    await broker.whenUp(AbortSignal.timeout(60_000));

    await run(own, "redis-cli set greeting hello");
    expect(await run(own, "redis-cli get greeting")).toBe("hello\n");
    await broker.clear(noTraces);
    expect(await run(own, "redis-cli dbsize")).toBe("0\n");
    expect(broker.view.label).toBe(
      source.kind === "emulator" ? "emulated Redis (js-redis-server)" : `Redis ${versionOf(source)}`,
    );
  });

  test("given a running server, when it ends and comes back, then the view says both", async () => {
    const own = await prepare(source, path);
    await using broker = openBroker(source, own);
    const first = inPane(own, "redis-server");
    await broker.whenUp(AbortSignal.timeout(60_000));

    first.kill("SIGKILL");
    await once(broker.events, "changed");
    expect(broker.view).toMatchObject({ up: false, error: expect.stringContaining("Start Redis") });

    inPane(own, "redis-server");
    await broker.whenUp(AbortSignal.timeout(60_000));
    expect(broker.view).toMatchObject({ up: true, error: null });
  });

  test("given our server, when somebody connects without the password, then nothing is answered", async () => {
    const own = await prepare(source, path);
    await using broker = openBroker(source, own);
    inPane(own, "redis-server");
    await broker.whenUp(AbortSignal.timeout(60_000));

    const refused = await run(own, `redis-cli -h 127.0.0.1 -p ${own.port} keys '*'`);

    expect(refused).toContain("NOAUTH");
  });

  test("given MONITOR in a pane, when a command is sent, then it is shown", async () => {
    const own = await prepare(source, path);
    await using broker = openBroker(source, own);
    inPane(own, "redis-server");
    await broker.whenUp(AbortSignal.timeout(60_000));

    const monitor = inPane(own, "redis-cli monitor");
    await shown(monitor, "OK");
    const seen = shown(monitor, '"celery" "message"');
    await run(own, "redis-cli lpush celery message");

    await seen;
  });

  test("given commands in a pipe, when redis-cli reads them, then each is answered for programs", async () => {
    const own = await prepare(source, path);
    await using broker = openBroker(source, own);
    inPane(own, "redis-server");
    await broker.whenUp(AbortSignal.timeout(60_000));

    const cli = inPane(own, "redis-cli");
    cli.stdin!.end('rpush list "two words" 2\nlrange list 0 -1\nget nothing\n');

    expect(await text(cli.stdout!)).toBe("2\ntwo words\n2\n\n");
  });
});

test("given somebody else's Redis at our port, when the broker meets it, then it is not ours and is never written", async () => {
  const theirs = new Redis(redisUrl(), { db: 30 });
  await theirs.set("precious", "1");
  const own = {
    ...(await prepareOwnRedis(join(directory, "redis"))),
    port: Number(new URL(redisUrl()).port),
  };
  await using broker: Broker = openBroker(real, own);

  await once(broker.events, "changed");
  await broker.clear(noTraces);

  expect(broker.view).toMatchObject({ up: false, error: expect.stringContaining("Another program's Redis") });
  expect(await theirs.get("precious")).toBe("1");
  await theirs.del("precious");
  theirs.disconnect();
});

test("given an external Redis with a password, when redis-cli is typed, then it gets in and nobody sees the password", async () => {
  const url = new URL(`${redisUrl()}/31`);
  const admin = new Redis(url.href);
  await admin.acl("SETUSER", "learner", "on", ">p@ss", "~*", "&*", "+@all");
  await admin.set("greeting", "hello");
  Object.assign(url, { username: "learner", password: "p%40ss" });
  const bin = join(directory, "external-bin");
  const asked = join(directory, "asked");
  await mkdir(asked);
  const spy = `#!/bin/sh\necho "$@" >> ${join(asked, "arguments")}\nexec $(PATH=$REAL_PATH command -v redis-cli) "$@"\n`;
  await writeFile(join(asked, "redis-cli"), spy, { mode: 0o700 });
  const source = { kind: "external", url: url.href } as const;
  await writeBinFolder({ folder: bin, root, source, own: undefined, path: asked });

  const child = spawn(join(bin, "redis-cli"), ["get", "greeting"], {
    env: { PATH: process.env["PATH"], REAL_PATH: process.env["PATH"] },
    stdio: ["ignore", "pipe", "inherit"],
  });

  expect(await text(child.stdout)).toBe("hello\n");
  expect(await readFile(join(asked, "arguments"), "utf8")).not.toMatch(/p(?:@|%40)ss/);
  await admin.flushdb();
  admin.disconnect();
});

test("given an external Redis, when it is cleared, then only what our tasks left is gone", async () => {
  const url = `${redisUrl()}/31`;
  const theirs = new Redis(url);
  const message = (id: string): string => JSON.stringify({ body: "", headers: { id, task: "tasks.add" } });
  await theirs.rpush("celery", message("theirs"), message("ours"), "not json");
  await theirs.set("celery-task-meta-ours", "{}");
  await theirs.set("celery-task-meta-theirs", "{}");
  await theirs.hset("unacked", "tag", `[${message("ours")},"","celery"]`);
  await using broker = openBroker({ kind: "external", url }, undefined);
  await broker.whenUp(AbortSignal.timeout(60_000));

  await broker.clear({ queues: ["celery"], taskIds: ["ours"] });

  expect(await theirs.lrange("celery", 0, -1)).toEqual([message("theirs"), "not json"]);
  expect((await theirs.keys("*")).toSorted()).toEqual(["celery", "celery-task-meta-theirs"]);
  expect(broker.view.label).toMatch(/^(?:Redis|Valkey) \d/);
  await theirs.flushdb();
  theirs.disconnect();
});

async function run(own: OwnRedis, command: string): Promise<string> {
  const child = inPane(own, command);
  child.stdin!.end();
  return text(child.stdout!);
}

/** Resolves once the program has printed `words`. */
async function shown(child: ChildProcess, words: string): Promise<void> {
  let output = "";
  for await (const [chunk] of on(child.stdout!, "data", { signal: AbortSignal.timeout(60_000) })) {
    output += String(chunk);
    if (output.includes(words)) return;
  }
}

function versionOf(source: RedisSource): string {
  return source.kind === "server" ? source.binary.version : "";
}
