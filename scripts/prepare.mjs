// Gets a fresh clone ready for `npm test`: packages, Chromium, a real redis-server, Python's venv.
// Says what it installs and why; where it may not install, it says what to type and stops.
import { spawnSync } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import { delimiter, join } from "node:path";

const root = new URL("..", import.meta.url).pathname;

/** Debian packages the tests need, with the reason that is printed. */
const SYSTEM = [
  {
    package: "redis-server",
    why: "the tests run against a real Redis of their own (never yours)",
    found: () => process.env.REDIS_SERVER_BIN ?? onPath("redis-server") ?? onPath("valkey-server"),
  },
  { package: "chromium", why: "the browser tests drive a real Chromium", found: chromium },
  {
    package: "python3-venv",
    why: "the interop tests run the real Celery from PyPI",
    found: () => process.env.CELERY_PYTHON ?? (canMakeVenv() ? "python3 -m venv" : undefined),
  },
];

export function prepare() {
  requireNode();
  installPackages();
  const missing = SYSTEM.filter((need) => need.found() === undefined);
  if (missing.length > 0) installSystem(missing);
}

/** The Chromium that the browser tests drive: `CHROMIUM_BIN`, else the first on PATH. */
export function chromium() {
  return (
    process.env.CHROMIUM_BIN ?? onPath("chromium") ?? onPath("chromium-browser") ?? onPath("google-chrome")
  );
}

function requireNode() {
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return;
  fail(
    `This project needs Node 20.19 or newer; this is ${process.versions.node}. Install Node 24 and try again.`,
  );
}

/** `npm ci` when `node_modules` is missing or older than the lock file, so that a second run starts at once. */
function installPackages() {
  const lock = join(root, "package-lock.json");
  const installed = join(root, "node_modules", ".package-lock.json");
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(lock).mtimeMs) return;
  say("Installing the npm packages of package-lock.json (about a minute the first time)");
  run("npm", ["ci", "--no-audit", "--no-fund"], "npm ci failed; see above.");
}

function installSystem(missing) {
  for (const need of missing) say(`Needed: ${need.package}, because ${need.why}.`);
  const packages = missing.map((need) => need.package);
  const command = `apt-get install -y ${packages.join(" ")}`;
  const sudo = process.getuid?.() === 0 ? [] : ["sudo", "-n"];
  if (onPath("apt-get") === undefined || (sudo.length > 0 && !works("sudo", ["-n", "true"]))) {
    fail(
      `Not installed here, because that needs ${onPath("apt-get") ? "root" : "a package manager this script knows (apt-get)"}.\n` +
        `On Debian or Ubuntu type:  sudo ${command}\n` +
        "On macOS:  brew install redis python && brew install --cask chromium\n" +
        "Or point to them: REDIS_SERVER_BIN, CHROMIUM_BIN, CELERY_PYTHON. Then run npm test again.",
    );
  }
  say(`Running: ${[...sudo, command].join(" ")}`);
  const apt = (...args) => {
    const [program, ...rest] = [...sudo, "apt-get", ...args];
    run(program, rest, `That failed. Run it yourself to see why: sudo ${command}`);
  };
  apt("update", "-qq");
  apt("install", "-y", "-qq", "--no-install-recommends", ...packages);
}

function canMakeVenv() {
  return works("python3", ["-c", "import venv, ensurepip"]);
}

function works(command, args) {
  return spawnSync(command, args, { stdio: "ignore" }).status === 0;
}

function onPath(name) {
  const folders = (process.env.PATH ?? "").split(delimiter);
  return folders.map((folder) => join(folder, name)).find((file) => existsSync(file));
}

function run(command, args, problem) {
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const result = spawnSync(command, args, { cwd: root, stdio: ["ignore", "inherit", "inherit"], env });
  if (result.status !== 0) fail(problem);
}

function say(text) {
  process.stdout.write(`▸ ${text}\n`);
}

function fail(text) {
  process.stderr.write(`\n✕ ${text}\n`);
  process.exit(1);
}

if (process.argv[1] === import.meta.filename) prepare();
