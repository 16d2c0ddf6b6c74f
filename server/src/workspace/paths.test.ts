import { execFileSync } from "node:child_process";
import { link, mkdir, mkdtemp, readdir, readFile, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";
import { isPlainPath, readConfined, writeConfined } from "./paths.ts";
import { WorkspaceRefused } from "./workspace.ts";

const SECRET = "secret";
let base: string;
let root: string;
beforeEach(async () => {
  base = await realpath(await mkdtemp(join(tmpdir(), "confined-")));
  root = join(base, "root");
  await mkdir(join(root, "sub"), { recursive: true });
  await writeFile(join(root, "inside.ts"), "inside");
  await mkdir(join(base, "outside"));
  await writeFile(join(base, "outside/file"), SECRET);
  // A sibling whose name begins like the root's: the classic hole of comparing by prefix.
  await mkdir(join(base, "root-secret"));
  await writeFile(join(base, "root-secret/file"), SECRET);
});
afterEach(() => rm(base, { recursive: true, force: true }));

const TARGETS = [
  "../outside/file",
  "../root-secret/file",
  "sub/../../outside/file",
  "./../outside/file",
  "sub/./../../outside/file",
  ".../../outside/file",
  "..//outside/file",
  "/etc/passwd",
  "//etc/passwd",
  "/../etc/passwd",
  "../../../../../../etc/passwd",
  "~/x",
  "~root/x",
  "C:/Windows/win.ini",
  "c:x",
  "//server/share/x",
  "?/C:/x",
  "inside.ts/../../outside/file",
  "inside.ts#/../../outside/file",
  "inside.ts?raw",
  "inside.ts::$DATA",
  "INSID~1.TS/..",
  "sub/",
  "sub//x",
  ".hidden",
  "sub/.hidden",
  "x.",
  "x..",
  "sub /x",
  "x ",
  " x",
  "con",
  "nul.txt",
  "aux.ts",
  "com1",
  "sub/lpt9.x",
  "..",
  ".",
  "",
];

/** The ways in which a path is written to get past a look at it. */
const DISGUISES: readonly ((path: string) => string)[] = [
  (path) => path,
  (path) => path.replaceAll("/", "\\"),
  (path) => path.replaceAll("..", "%2e%2e"),
  (path) => path.replaceAll("/", "%2f"),
  (path) => path.replaceAll("/", "%252F"),
  (path) => path.replaceAll("..", ".%00."),
  (path) => path.replaceAll("..", "\uff0e\uff0e"),
  (path) => path.replaceAll("/", "\u2215"),
  (path) => path.replaceAll("/", "\u2044"),
  (path) => path.replaceAll("..", "..\u0000"),
  (path) => `${path}\u0000.ts`,
  (path) => `inside.ts\u0000/${path}`,
  (path) => `sub/${path}`.normalize("NFD"),
  (path) => `e\u0301/${path}`,
  (path) => `${path}\n`,
  (path) => `\t${path}`,
  (path) => `file://${path}`,
  (path) => path.replaceAll("..", "..;"),
  (path) => path.replaceAll("..", "\u202e.."),
];

const VARIANTS = [...new Set(TARGETS.flatMap((target) => DISGUISES.map((disguise) => disguise(target))))];

test("given hundreds of paths that lead out, when they are read and written, then each is refused and nothing changes", {
  timeout: 60_000,
}, async () => {
  expect(VARIANTS.length).toBeGreaterThan(500);
  for (const path of VARIANTS) {
    expect(isPlainPath(path), JSON.stringify(path)).toBe(false);
    await expect(readConfined(root, path), JSON.stringify(path)).rejects.toThrow(WorkspaceRefused);
    await expect(writeConfined(root, path, "evil"), JSON.stringify(path)).rejects.toThrow(WorkspaceRefused);
  }
  expect(await readFile(join(base, "outside/file"), "utf8")).toBe(SECRET);
  expect((await readdir(base)).toSorted()).toEqual(["outside", "root", "root-secret"]);
  expect((await readdir(root)).toSorted()).toEqual(["inside.ts", "sub"]);
});

test("given any text as a path, when it is read, then it is refused or is a plain name under the root", {
  timeout: 60_000,
}, async () => {
  const part = fc.oneof(fc.string(), fc.constantFrom("..", ".", "/", "\\", "\0", "inside.ts", "sub", "%2e"));
  await fc.assert(
    fc.asyncProperty(fc.array(part, { maxLength: 6 }), async (parts) => {
      const path = parts.join("");
      const text = await readConfined(root, path).catch((error: unknown) => error);
      if (text instanceof WorkspaceRefused) return;
      expect(path).toMatch(/^[\w.-]+(?:\/[\w.-]+)*$/);
      expect(String(text)).not.toBe(SECRET);
    }),
    { numRuns: 2000 },
  );
});

test.each([
  ["a link to a file", (at: string) => symlink(join(at, "../outside/file"), join(at, "x"))],
  ["a relative link", (at: string) => symlink("../outside/file", join(at, "x"))],
  [
    "a link to a link",
    async (at: string) => {
      await symlink("../outside/file", join(at, "y"));
      await symlink("y", join(at, "x"));
    },
  ],
  ["a link to nothing", (at: string) => symlink("../outside/new", join(at, "x"))],
  ["a hard link", (at: string) => link(join(at, "../outside/file"), join(at, "x"))],
  ["a folder", (at: string) => mkdir(join(at, "x"))],
  ["a pipe", async (at: string) => void execFileSync("mkfifo", [join(at, "x")])],
])("given %s in a file's place, when it is read, then that is refused at once", async (_, make) => {
  await make(root);
  await expect(readConfined(root, "x")).rejects.toThrow(WorkspaceRefused);
});

test("given a link in a file's place, when it is written, then the link is replaced and its target is left alone", async () => {
  await symlink("../outside/file", join(root, "x"));
  await writeConfined(root, "x", "mine");
  expect(await readFile(join(root, "x"), "utf8")).toBe("mine");
  expect(await readFile(join(base, "outside/file"), "utf8")).toBe(SECRET);
});

test("given a link in a folder's place, when a file in it is read or written, then that is refused", async () => {
  await symlink("../outside", join(root, "d"));
  await expect(readConfined(root, "d/file")).rejects.toThrow(WorkspaceRefused);
  await expect(writeConfined(root, "d/file", "evil")).rejects.toThrow(WorkspaceRefused);
  await expect(writeConfined(root, "d/deep/new", "evil")).rejects.toThrow(WorkspaceRefused);
  expect(await readdir(join(base, "outside"))).toEqual(["file"]);
});

test("given a missing file or folder, when it is read, then there is nothing; when it is written, then it is made", async () => {
  expect(await readConfined(root, "gone.ts")).toBeUndefined();
  expect(await readConfined(root, "gone/x.ts")).toBeUndefined();
  await expect(readConfined(root, "inside.ts/x.ts")).rejects.toThrow('"inside.ts" is a link or a file');
  await writeConfined(root, "made/deep/x.ts", "text");
  expect(String(await readConfined(root, "made/deep/x.ts"))).toBe("text");
});

/** Swaps a folder for a link to the outside and back, as fast as it can. */
const SWAPPER = `
  const { renameSync } = require("node:fs");
  const { workerData, parentPort } = require("node:worker_threads");
  const state = new Int32Array(workerData.state);
  parentPort.postMessage("on");
  while (Atomics.load(state, 0) === 0) {
    try {
      renameSync(workerData.folder, workerData.kept);
      renameSync(workerData.link, workerData.folder);
      renameSync(workerData.folder, workerData.link);
      renameSync(workerData.kept, workerData.folder);
    } catch {}
    Atomics.add(state, 1, 1);
  }
`;

test("given a folder that is swapped for a link all the time, when files in it are read and written, then nothing outside is touched", async () => {
  await writeFile(join(root, "sub/file"), "inside");
  await symlink("../outside", join(base, "link"));
  const state = new SharedArrayBuffer(8);
  const workerData = { state, folder: join(root, "sub"), kept: join(base, "kept"), link: join(base, "link") };
  const swapper = new Worker(SWAPPER, { eval: true, workerData });
  const counts = new Int32Array(state);
  const seen = new Set<string>();
  for (let round = 0; round < 2000 || Atomics.load(counts, 1) < 10_000; round += 1) {
    const text = await readConfined(root, "sub/file").catch(() => undefined);
    if (text !== undefined) seen.add(text.toString("utf8"));
    await writeConfined(root, "sub/file", "inside").catch(() => undefined);
  }
  Atomics.store(counts, 0, 1);
  await swapper.terminate();

  expect([...seen]).toEqual(["inside"]);
  expect(await readFile(join(base, "outside/file"), "utf8")).toBe(SECRET);
  expect(await readdir(join(base, "outside"))).toEqual(["file"]);
}, 60_000);
