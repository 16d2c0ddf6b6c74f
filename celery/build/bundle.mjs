// Makes the programs of `dist` from `src`, after `tsc` has checked it and written the types: a few files instead of 350, because
// a worker's start is the loading of its modules (ADR 35).
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { leanRedis, loadTogether } from "./plugins.mjs";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const DIST = join(ROOT, "dist");
/** What starts by itself; `ownModule` names all but the first. The doors of the package come from its package.json. */
const PROGRAMS = [
  "src/cli/main.ts",
  "src/app/typescript-hooks.ts",
  "src/pool/child-main.ts",
  "src/transport/heartbeat-thread.ts",
];

await main();

async function main() {
  const { exports } = JSON.parse(await readFile(join(ROOT, "package.json"), "utf8"));
  const { outputFiles, metafile } = await build({
    absWorkingDir: ROOT,
    entryPoints: [...Object.values(exports).map(({ source }) => source), ...PROGRAMS],
    bundle: true,
    // Every module once, whichever door it is reached through: errors must be of the same class for the worker and the app.
    splitting: true,
    outdir: "dist",
    outbase: "src",
    // As deep as most sources, so that a path that starts at a module is the same in both.
    chunkNames: "chunks/[name]-[hash]",
    format: "esm",
    platform: "node",
    target: "node20.19",
    // It finds its own files beside itself.
    external: ["tsx"],
    banner: {
      js: 'import { createRequire as $$require } from "node:module"; const require = $$require(import.meta.url);',
    },
    plugins: [loadTogether(ROOT), leanRedis(ROOT)],
    sourcemap: "linked",
    sourcesContent: false,
    legalComments: "eof",
    metafile: true,
    write: false,
    logLevel: "warning",
  });
  const files = new Map(outputFiles.map(({ path, text }) => [path, text]));
  leaveOutForeignMaps(files, metafile);
  files.set(join(DIST, "THIRD-PARTY-LICENSES.txt"), await licenses(metafile));
  await writeAll(files);
  await removeOthers(files);
}

/** Of a package nobody needs the map, and Node reads it at every start once somebody has asked for source maps. */
function leaveOutForeignMaps(files, { outputs }) {
  for (const [name, { inputs }] of Object.entries(outputs)) {
    const path = join(ROOT, name);
    if (name.endsWith(".map") || !Object.keys(inputs).every(isForeign)) continue;
    files.delete(`${path}.map`);
    files.set(path, files.get(path).replace(/\n\/\/# sourceMappingURL=.*\n*$/, "\n"));
  }
}

function isForeign(input) {
  return input.includes("node_modules/") || input.startsWith("lean-redis:");
}

/** Their texts go where their code goes. */
async function licenses({ inputs }) {
  const packages = new Set(
    Object.keys(inputs)
      .filter((input) => input.includes("node_modules/"))
      .map((input) => packageOf(input)),
  );
  const texts = [];
  for (const folder of [...packages].sort()) {
    const { name, version, license } = JSON.parse(await readFile(join(ROOT, folder, "package.json"), "utf8"));
    const file = (await readdir(join(ROOT, folder))).find((entry) => /^licen[sc]e/i.test(entry));
    const text = file === undefined ? "" : `\n${(await readFile(join(ROOT, folder, file), "utf8")).trim()}\n`;
    texts.push(`${name} ${version} (${license})\n${text}`);
  }
  return texts.join(`\n${"-".repeat(80)}\n\n`);
}

function packageOf(input) {
  return /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input)[0];
}

/** What others import comes first, and a file is there or not: a worker that starts meanwhile gets the old or the new. */
async function writeAll(files) {
  const order = [...files.keys()].sort((a, b) => Number(isEntry(a)) - Number(isEntry(b)));
  for (const path of order) {
    const text = files.get(path);
    const old = await readFile(path, "utf8").catch(() => undefined);
    if (old === text) continue;
    await mkdir(dirname(path), { recursive: true });
    const next = join(dirname(path), `.${basename(path)}.${process.pid}`);
    await writeFile(next, text);
    await rename(next, path);
  }
}

function isEntry(path) {
  return !relative(DIST, path).startsWith("chunks");
}

/** Programs of earlier builds; the types are tsc's. */
async function removeOthers(files) {
  for (const entry of await readdir(DIST, { recursive: true })) {
    const path = join(DIST, entry);
    if (/\.js(?:\.map)?$/.test(path) && !files.has(path)) await rm(path, { force: true });
  }
}
