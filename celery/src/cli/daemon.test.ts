import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { refuseDaemonOptions, takePidFile } from "./daemon.ts";
import { DaemonError } from "./daemon-error.ts";

let folder: string;
let path: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "daemon-"));
  path = join(folder, "run", "w1.pid");
});
afterEach(() => rm(folder, { recursive: true }));

const nobodyLives = (): boolean => false;

test("given no pidfile, when it is taken, then it holds the id, and is gone afterwards", async () => {
  const pidFile = takePidFile(path, 4711, () => undefined);

  expect(await readFile(path, "utf8")).toBe("4711\n");
  pidFile[Symbol.dispose]();
  expect(existsSync(path)).toBe(false);
});

test("given a pidfile of a living process, when it is taken, then the error says which, and the file stays", async () => {
  using _first = takePidFile(path, process.ppid, () => undefined);

  expect(() => takePidFile(path, process.pid, () => undefined)).toThrow(DaemonError);
  expect(() => takePidFile(path, process.pid, () => undefined)).toThrow(
    `Pidfile (${path}) already exists.\nSeems we're already running? (pid: ${process.ppid})`,
  );
  expect(await readFile(path, "utf8")).toBe(`${process.ppid}\n`);
});

test.each(["4711\n", "rubbish", ""])(
  "given a pidfile that nobody keeps, %j, when it is taken, then it is replaced and that is said",
  async (text) => {
    takePidFile(path, 1, () => undefined)[Symbol.dispose]();
    await writeFile(path, text);
    const said: string[] = [];

    using _mine = takePidFile(path, 12, (line) => void said.push(line), nobodyLives);

    expect(said).toEqual(["Stale pidfile exists - Removing it."]);
    expect(await readFile(path, "utf8")).toBe("12\n");
  },
);

test("given a pidfile that another has taken over, when ours is given up, then theirs stays", async () => {
  const mine = takePidFile(path, 12, () => undefined);
  await writeFile(path, "13\n");

  mine[Symbol.dispose]();

  expect(await readFile(path, "utf8")).toBe("13\n");
});

test("given options for another user, when they are used, then the error says what to do instead", () => {
  expect(() => refuseDaemonOptions({ uid: "celery", umask: "022" })).toThrow(
    /--uid is not supported: start the command as that user[^]*--umask is not supported/,
  );
  expect(() => refuseDaemonOptions({ pidfile: "x" })).not.toThrow();
});
