import { once } from "node:events";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { chooseRedis } from "./chain.ts";
import { withoutPassword } from "./url.ts";

const nothing = {
  url: undefined,
  explicit: undefined,
  emulator: false,
  path: "",
  pythonEnvironments: [],
  usualPlaces: [],
};

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "chain-"));
});
afterEach(() => rm(folder, { recursive: true }));

async function program(name: string, output: string): Promise<string> {
  const file = join(folder, name);
  await writeFile(file, `#!/bin/sh\necho '${output}'\n`);
  await chmod(file, 0o755);
  return file;
}

test("given no server program anywhere, when Redis is chosen, then it is the emulator", async () => {
  expect(await chooseRedis(nothing)).toEqual({ kind: "emulator" });
});

test("given an old redis-server and a newer valkey-server on PATH, when Redis is chosen, then it is Valkey", async () => {
  await program("redis-server", "Redis server v=6.0.16 sha=00000000:0 malloc=jemalloc");
  const valkey = await program("valkey-server", "Valkey server v=8.0.1 sha=00000000:0 malloc=jemalloc");

  const chosen = await chooseRedis({ ...nothing, path: `/nowhere:${folder}` });

  expect(chosen).toEqual({ kind: "server", binary: { path: valkey, product: "Valkey", version: "8.0.1" } });
});

test("given a redis-server on PATH that does not run, when Redis is chosen, then it is passed over", async () => {
  await writeFile(join(folder, "redis-server"), "not a program", { mode: 0o755 });

  expect(await chooseRedis({ ...nothing, path: folder })).toEqual({ kind: "emulator" });
});

test("given REDIS_SERVER_BIN that is no server, when Redis is chosen, then the error quotes it", async () => {
  const explicit = await program("other", "GNU cat 9.1");

  await expect(chooseRedis({ ...nothing, explicit })).rejects.toThrow(`REDIS_SERVER_BIN is "${explicit}"`);
});

test("given REDIS_SERVER_BIN that is too old, when Redis is chosen, then the error names both versions", async () => {
  const explicit = await program("old", "Redis server v=6.0.9 sha=00000000:0");

  await expect(chooseRedis({ ...nothing, explicit })).rejects.toThrow(/Redis 6\.0\.9.*6\.2 or newer/);
});

test("given the wish for the emulator, when a real server is installed, then it is the emulator all the same", async () => {
  await program("redis-server", "Redis server v=7.0.15 sha=00000000:0");

  expect(await chooseRedis({ ...nothing, path: folder, emulator: true })).toEqual({ kind: "emulator" });
});

test("given REDIS_URL where nobody listens, when Redis is chosen, then the error says so without its password", async () => {
  const url = "redis://:secret-word@127.0.0.1:1/0";

  const failure = await chooseRedis({ ...nothing, url }).catch((error: Error) => error.message);

  expect(failure).toContain(
    "REDIS_URL is redis://:**@127.0.0.1:1/0, but no Redis answers there (ECONNREFUSED)",
  );
  expect(failure).not.toContain("secret-word");
});

test("given REDIS_URL where a listener says nothing, when Redis is chosen, then it fails within 5 seconds", async () => {
  const silent = createServer(() => undefined).listen(0, "127.0.0.1");
  await once(silent, "listening");
  const started = performance.now();

  const chosen = chooseRedis({
    ...nothing,
    url: `redis://127.0.0.1:${(silent.address() as AddressInfo).port}`,
  });

  await expect(chosen).rejects.toThrow("no Redis answers there");
  expect(performance.now() - started).toBeLessThan(5_000);
  silent.close();
}, 10_000);

test("given REDIS_URL where a web server listens, when Redis is chosen, then the error says so in plain words", async () => {
  const web = createServer((socket) => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"));
  web.listen(0, "127.0.0.1");
  await once(web, "listening");

  const chosen = chooseRedis({
    ...nothing,
    url: `redis://127.0.0.1:${(web.address() as AddressInfo).port}`,
  });

  await expect(chosen).rejects.toThrow("no Redis answers there (another kind of server does)");
  web.close();
});

test("given REDIS_URL that is no URL, when Redis is chosen, then the error shows how to write one", async () => {
  await expect(chooseRedis({ ...nothing, url: "localhost:6379" })).rejects.toThrow(
    "redis://localhost:6379/0",
  );
});

test.each([
  ["redis://localhost:6379/0", "redis://localhost:6379/0"],
  ["redis://:pw@localhost:6379/0", "redis://:**@localhost:6379/0"],
  ["rediss://me:pw@host/1", "rediss://me:**@host/1"],
  ["no url", "no url"],
])("given the address %j, when it is shown, then it reads %j", (url, shown) => {
  expect(withoutPassword(url)).toBe(shown);
});
