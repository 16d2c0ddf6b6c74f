import { randomBytes } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { freePort } from "../processes/index.ts";

/** The playground's own Redis: where it will listen, and what proves that whoever listens there is it. */
export interface OwnRedis {
  readonly port: number;
  /**
   * Made for this session only. It keeps other users of the machine out, and it is the proof of identity: no
   * Redis but the one started with our configuration file knows it.
   */
  readonly password: string;
  /** The configuration file, mode 0600; also what the emulator reads. */
  readonly configFile: string;
  /** With the password: for the shells. */
  readonly url: string;
}

/** Plenty for lessons, and far from what would trouble the learner's machine. */
const MEMORY = "128mb";

/**
 * Prepares a Redis of our own: a free loopback port, an empty directory, a password. Starts nothing.
 *
 * @param directory made, with its parents; nobody else's.
 */
export async function prepareOwnRedis(directory: string): Promise<OwnRedis> {
  const port = await freePort();
  const password = randomBytes(24).toString("hex");
  const configFile = join(directory, "redis.conf");
  const own = { port, password, configFile, url: `redis://:${password}@127.0.0.1:${port}/0` };
  await writeOwnRedis(own);
  return own;
}

/** Writes what its redis-server reads, again where somebody removed it. */
export async function writeOwnRedis({ port, password, configFile }: OwnRedis): Promise<void> {
  const data = join(dirname(configFile), "data");
  await mkdir(data, { recursive: true, mode: 0o700 });
  await writeFile(configFile, configuration(port, password, data), { mode: 0o600 });
}

/** `noeviction`, because a queue that forgets messages is none. Nothing is kept on disk unless the learner asks. */
function configuration(port: number, password: string, data: string): string {
  return [
    "# Made by Celery Playground for this session.",
    "bind 127.0.0.1",
    `port ${port}`,
    `requirepass ${password}`,
    `dir ${JSON.stringify(data)}`,
    'save ""',
    "appendonly no",
    `maxmemory ${MEMORY}`,
    "maxmemory-policy noeviction",
    "",
  ].join("\n");
}

/** What the emulator needs of a configuration file made by `prepareOwnRedis`. */
export async function readConfiguration(file: string): Promise<{ port: number; password: string }> {
  const lines = (await readFile(file, "utf8")).split("\n").map((line) => line.split(" "));
  const value = (key: string): string => lines.find(([name]) => name === key)?.[1] ?? "";
  return { port: Number(value("port")), password: value("requirepass") };
}
