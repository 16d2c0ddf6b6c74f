import { existsSync, statSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { makeFolder } from "./make-folder.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "make-folder-"));
});
afterEach(() => rm(folder, { recursive: true }));

test("given a folder with others on the way, when made, and made again, then all are there", () => {
  const deep = join(folder, "a", "b", "c");

  makeFolder(deep);
  makeFolder(deep);

  expect(statSync(deep).isDirectory()).toBe(true);
});

test("given a file on the way, when made, then the error is the system's", async () => {
  await writeFile(join(folder, "file"), "");

  expect(() => makeFolder(join(folder, "file"))).toThrow("EEXIST");
  expect(() => makeFolder(join(folder, "file", "a"))).toThrow("ENOTDIR");
});

test.runIf(existsSync("/proc/self"))(
  "given a file system that makes no folders, when made, then it gives up",
  () => {
    expect(() => makeFolder("/proc/no-such/folder")).toThrow(/ENOENT|EACCES|EPERM/);
  },
);
