import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { takeLock } from "./lock.ts";

let file = "";
beforeEach(async () => {
  file = join(await mkdtemp(join(tmpdir(), "lock-")), "run", "lock.json");
});
afterEach(() => rm(join(file, "../.."), { recursive: true }));

test("given a holder that lives, when another wants the workspace, then it learns who has it and where", async () => {
  const first = await takeLock(file, "one");
  if (!first.held) throw new Error("nobody had it");
  await first.lock.announce("http://127.0.0.1:1234/?token=x");

  const second = await takeLock(file, "two");

  expect(second).toMatchObject({
    held: false,
    by: { pid: process.pid, session: "one", url: "http://127.0.0.1:1234/?token=x" },
  });
});

test("given a lock, when it is looked at, then only its owner may read it", async () => {
  await takeLock(file, "one");

  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect((await stat(join(file, ".."))).mode & 0o777).toBe(0o700);
});

test("given a holder that let go, when another wants the workspace, then it gets it", async () => {
  const first = await takeLock(file, "one");
  if (!first.held) throw new Error("nobody had it");
  await first.lock[Symbol.asyncDispose]();

  expect(await takeLock(file, "two")).toMatchObject({ held: true, abandoned: undefined });
});

test("given a holder's pid that now belongs to another process, when the lock is wanted, then it is taken over", async () => {
  await takeLock(file, "one");
  const stale = { ...JSON.parse(await readFile(file, "utf8")), startTime: "another time" };
  await writeFile(file, JSON.stringify(stale));

  const second = await takeLock(file, "two");

  expect(second).toMatchObject({ held: true, abandoned: { session: "one" } });
});

test("given half a lock file, when the lock is wanted, then it is taken over", async () => {
  await takeLock(file, "one");
  await writeFile(file, '{"pid":');

  expect(await takeLock(file, "two")).toMatchObject({ held: true, abandoned: undefined });
});

test.each(["", "..", "../../home", "a/b"])(
  "given a lock that names the session %j, when it is wanted, then nothing of that name is to be cleaned up",
  async (session) => {
    await takeLock(file, "one");
    await writeFile(file, JSON.stringify({ pid: 1, startTime: "another time", session, url: null }));

    expect(await takeLock(file, "two")).toMatchObject({ held: true, abandoned: undefined });
  },
);

test("given a stale lock, when many want it at once, then exactly one gets it", async () => {
  await takeLock(file, "one");
  const stale = { ...JSON.parse(await readFile(file, "utf8")), startTime: "another time" };
  await writeFile(file, JSON.stringify(stale));

  const results = await Promise.all(Array.from({ length: 20 }, (_, n) => takeLock(file, `s${n}`)));

  expect(results.filter((result) => result.held)).toHaveLength(1);
});

test("given a lock that was taken over, when its old holder lets go, then the new one keeps it", async () => {
  const first = await takeLock(file, "one");
  if (!first.held) throw new Error("nobody had it");
  await rm(file);
  await takeLock(file, "two");

  await first.lock[Symbol.asyncDispose]();

  expect(JSON.parse(await readFile(file, "utf8"))).toMatchObject({ session: "two" });
});
