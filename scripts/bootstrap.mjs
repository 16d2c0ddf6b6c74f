// Makes a fresh clone ready and starts the server in this process: packages when they are missing or older than the lock
// file, a build when a source is newer than the last one. When nothing is to do, this costs a few milliseconds.
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import module from "node:module";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** What the built server and page are made of. */
const SOURCES = [
  "celery/src",
  "celery/build",
  "celery/package.json",
  "celery/tsconfig.json",
  "server/src",
  "server/package.json",
  "server/tsconfig.json",
  "client/src",
  "client/build",
  "client/public",
  "client/index.html",
  "client/package.json",
  "client/vite.config.ts",
  "tsconfig.base.json",
  "package-lock.json",
];

/** Who started us: npm, or a shell. Another parent later on means that it was killed. */
const LAUNCHER = process.ppid;

const OUTPUTS = ["celery/dist/index.js", "server/dist/main.js", "client/dist/index.html"];

export async function start(args) {
  const wantsHelp = args.some((arg) => arg === "--help" || arg === "-h");
  if (wantsHelp && !isBuilt(ROOT)) return say(SHORT_HELP);
  try {
    if (needsInstall(ROOT)) await install();
    const stamp = sourceStamp(ROOT);
    if (needsBuild(ROOT, stamp)) await build(stamp);
  } catch (error) {
    return fail(error);
  }
  if (process.ppid !== LAUNCHER) return;
  // npm cannot pass on that it was killed, so the server watches whether it is still there.
  if (process.env.npm_lifecycle_event !== undefined) process.argv.push("--end-with-launcher");
  // Node 22.1 and newer keep what they compiled, and start a fifth sooner the next time.
  module.enableCompileCache?.(join(ROOT, ".cache/node"));
  await import("../server/dist/main.js");
}

/** `npm ci` writes this file last, so a half-done installation does not have it. */
export function needsInstall(root) {
  const installed = modified(join(root, "node_modules/.package-lock.json"));
  return installed === undefined || installed < modified(join(root, "package-lock.json"));
}

/** @param stamp what the sources are now, from `sourceStamp`. */
export function needsBuild(root, stamp) {
  return !isBuilt(root) || readText(stampFile(root)) !== stamp;
}

function isBuilt(root) {
  return OUTPUTS.every((file) => existsSync(join(root, file)));
}

/**
 * Names, sizes and times of all sources as text: differs after any change, also after a file was removed or an older one
 * was put back.
 */
export function sourceStamp(root) {
  const files = SOURCES.flatMap((path) => filesBelow(join(root, path)));
  return files
    .filter((file) => !/\.test\.tsx?$/.test(file))
    .sort((a, b) => (a < b ? -1 : 1))
    .map((file) => {
      const { size, mtimeMs } = statSync(file);
      return `${relative(root, file)} ${size} ${mtimeMs}`;
    })
    .join("\n");
}

function filesBelow(path) {
  if (!existsSync(path)) return [];
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path, { withFileTypes: true }).flatMap((entry) => filesBelow(join(path, entry.name)));
}

function stampFile(root) {
  return join(root, ".cache/build-stamp");
}

async function install() {
  say("Installing the packages (only the first time; about a minute) …");
  const npm = process.env.npm_execpath;
  const [command, ...args] = npm?.endsWith(".js") ? [process.execPath, npm] : ["npm"];
  // npm shows its own progress; its warnings about packages for other systems would only worry.
  await run("npm ci", command, [...args, "ci", "--no-audit", "--no-fund", "--loglevel=error"], {
    stdio: "inherit",
  });
}

async function build(stamp) {
  const started = performance.now();
  const progress = showProgress("Building the server and the page");
  const typescript = join(ROOT, "node_modules/typescript/bin/tsc");
  const vite = join(ROOT, "node_modules/vite/bin/vite.js");
  const stop = new AbortController();
  try {
    await Promise.all([
      run("tsc", process.execPath, [typescript, "-b", "server"], { end: stop.signal }),
      run("the bundle of celery", process.execPath, [join(ROOT, "celery/build/bundle.mjs")], {
        end: stop.signal,
      }),
      run("vite build", process.execPath, [vite, "build", "--logLevel", "warn"], {
        cwd: join(ROOT, "client"),
        end: stop.signal,
      }),
    ]);
  } finally {
    // When one failed, nobody waits for the other.
    stop.abort();
    progress.end();
  }
  mkdirSync(dirname(stampFile(ROOT)), { recursive: true });
  writeFileSync(stampFile(ROOT), stamp);
  say(`Built in ${((performance.now() - started) / 1000).toFixed(1)} s.`);
}

/** A line that grows a dot a second: on a slow machine the first build takes a while. */
function showProgress(text) {
  process.stdout.write(`${text} …`);
  const timer = setInterval(() => process.stdout.write("."), 1000);
  return {
    end() {
      clearInterval(timer);
      process.stdout.write("\n");
    },
  };
}

/** How long a program may take to end after Ctrl-C. npm waits for its downloads; what it leaves is done again anyway. */
const PATIENCE_MS = 1_500;

/**
 * Runs a program to its end. It gets a process group of its own, because TypeScript's compiler is the child of a
 * child: Ctrl-C ends the whole group, and so does the end of whoever launched us.
 */
function run(name, command, args, { cwd = ROOT, stdio = ["ignore", "pipe", "pipe"], end } = {}) {
  const child = spawn(command, args, { cwd, stdio, detached: true });
  const output = [];
  for (const stream of [child.stdout, child.stderr]) stream?.on("data", (chunk) => output.push(chunk));
  let isStopped = false;
  const stop = () => {
    if (!isStopped) signalGroup(child, "SIGINT");
    isStopped = true;
    setTimeout(() => signalGroup(child, "SIGKILL"), PATIENCE_MS).unref();
  };
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
  const watch = setInterval(() => process.ppid !== LAUNCHER && stop(), 1_000);
  end?.addEventListener("abort", () => signalGroup(child, "SIGKILL"));
  return new Promise((resolve, reject) => {
    child.once("error", (error) => reject(new Failure(`${name} could not be started: ${error.message}`, 1)));
    child.once("close", (code) => {
      if (isStopped) return reject(new Failure("Stopped.", 130));
      if (code === 0) return resolve();
      return reject(
        new Failure(`${Buffer.concat(output).toString()}\n${name} failed with exit code ${code}.`, 1),
      );
    });
  }).finally(() => {
    clearInterval(watch);
    process.off("SIGINT", stop);
    process.off("SIGTERM", stop);
  });
}

/** A group that is gone is what was wanted. */
function signalGroup(child, signal) {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, signal);
  } catch (error) {
    if (error.code !== "ESRCH") throw error;
  }
}

class Failure extends Error {
  constructor(message, exit) {
    super(message);
    this.exit = exit;
  }
}

function fail(error) {
  if (!(error instanceof Failure)) throw error;
  const advice =
    error.exit === 130 ? "npm start goes on where it was stopped." : "Type npm start to try again.";
  process.stderr.write(`\n${error.message} ${advice}\n`);
  process.exitCode = error.exit;
}

function modified(file) {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs;
}

function readText(file) {
  return existsSync(file) ? readFileSync(file, "utf8") : undefined;
}

function say(text) {
  process.stdout.write(`${text}\n`);
}

const SHORT_HELP = `Usage: npm start -- [--port N] [--no-open] [--workspace DIR] [--emulator]

Installs what is missing, builds, starts Celery Playground and prints the address of its page.
After the first start, --help lists all options.`;
