import { spawnSync } from "node:child_process";
import { mkdir, mkdtemp, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { needsBuild, needsInstall, sourceStamp } from "./bootstrap.mjs";

let root = "";
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "bootstrap-"));
});
afterEach(() => rm(root, { recursive: true }));

async function put(path: string, text = "", seconds = 1_000): Promise<void> {
  const file = join(root, path);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, text);
  await utimes(file, seconds, seconds);
}

async function putBuilt(): Promise<void> {
  for (const file of ["celery/dist/index.js", "server/dist/main.js", "client/dist/index.html"])
    await put(file);
  await put("server/src/main.ts", "1");
  await put("client/src/main.tsx", "1");
  await put(".cache/build-stamp", sourceStamp(root));
}

test("given a fresh clone, when it starts, then packages are installed and all is built", async () => {
  await put("package-lock.json");

  expect(needsInstall(root)).toBe(true);
  expect(needsBuild(root, sourceStamp(root))).toBe(true);
});

test("given packages of an older lock file, when it starts, then they are installed again", async () => {
  await put("package-lock.json", "", 1_000);
  await put("node_modules/.package-lock.json", "", 999);
  expect(needsInstall(root)).toBe(true);

  await put("node_modules/.package-lock.json", "", 1_000);
  expect(needsInstall(root)).toBe(false);
});

test("given an installation that was interrupted, when it starts, then it is done again", async () => {
  await put("package-lock.json");
  await put("node_modules/express/package.json", "{}", 2_000);

  expect(needsInstall(root)).toBe(true);
});

test("given a build of these sources, when it starts, then nothing is built", async () => {
  await putBuilt();

  expect(needsBuild(root, sourceStamp(root))).toBe(false);
});

test.each([
  ["is newer", () => put("server/src/main.ts", "1", 2_000)],
  ["is an older one that was put back", () => put("server/src/main.ts", "2", 500)],
  ["is gone", () => rm(join(root, "client/src/main.tsx"))],
  ["is new", () => put("celery/src/new.ts", "1", 500)],
])("given a build, when a source %s, then it is built again", async (_, change) => {
  await putBuilt();

  await change();

  expect(needsBuild(root, sourceStamp(root))).toBe(true);
});

test("given a build, when only a test changed or a result is missing, then only the latter is built again", async () => {
  await putBuilt();
  await put("server/src/main.test.ts", "new", 2_000);
  expect(needsBuild(root, sourceStamp(root))).toBe(false);

  await rm(join(root, "client/dist/index.html"));
  expect(needsBuild(root, sourceStamp(root))).toBe(true);
});

test("given a Node that is too old, when it starts, then it says what to install and stops", () => {
  const start = fileURLToPath(new URL("start.mjs", import.meta.url));
  for (const version of ["18.20.4", "20.18.9", "21.7.3", "22.11.0"]) {
    const fake = `Object.defineProperty(process.versions, "node", { value: "${version}" }); await import("${start}")`;
    const result = spawnSync(process.execPath, ["--input-type=module", "-e", fake], { encoding: "utf8" });
    expect(result.stderr).toContain(`this is Node ${version}`);
    expect(result.stderr).toContain("Install Node 24");
    expect(result.status).toBe(1);
  }
});
