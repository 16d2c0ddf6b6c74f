import { existsSync } from "node:fs";
import { mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { until } from "../../test/support/until.ts";
import { openLogFile } from "./log-file.ts";

let folder: string;
let log: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "log-file-"));
  log = join(folder, "w1.log");
});
afterEach(() => rm(folder, { recursive: true }));

const noWarning = (text: string): void => expect.unreachable(text);

async function has(path: string, text: string): Promise<void> {
  await until(async () => (await readFile(path, "utf8").catch(() => "")) === text);
}

test("given a log file, when it is opened again, then it is continued, and folders on the way are made", async () => {
  const log = join(folder, "deep", "w1.log");
  for (const text of ["first\n", "second\n"]) {
    await using file = openLogFile(log, noWarning);
    file.write(text);
  }

  expect(await readFile(log, "utf8")).toBe("first\nsecond\n");
  expect(() => openLogFile(folder, noWarning)).toThrow(/log file .* cannot be written/);
});

test("given a log file, when many lines come at once, then they are all there, in their order", async () => {
  const lines = Array.from({ length: 1000 }, (_, i) => `line ${i}\n`);
  {
    await using file = openLogFile(log, noWarning);
    for (const line of lines) file.write(line);
  }

  expect(await readFile(log, "utf8")).toBe(lines.join(""));
});

test("given log rotation, when the file is moved, deleted or replaced, then the next line is in a file of its name", async () => {
  await using file = openLogFile(log, noWarning);
  file.write("first\n");
  await has(log, "first\n");

  await rename(log, `${log}.1`);
  file.write("second\n");
  await has(log, "second\n");
  await rm(log);
  file.write("third\n");
  await has(log, "third\n");
  await rename(log, `${log}.2`);
  await writeFile(log, "made by logrotate\n");
  file.write("fourth\n");
  await has(log, "made by logrotate\nfourth\n");

  expect(await readFile(`${log}.1`, "utf8")).toBe("first\n");
  expect(await readFile(`${log}.2`, "utf8")).toBe("third\n");
});

test("given a place where no new file can be made, when the file was moved, then the old one takes the lines, and that is said once", async () => {
  const moved = `${folder}-moved`;
  const said: string[] = [];
  await using file = openLogFile(log, (text) => said.push(text));
  await rename(folder, moved);
  await writeFile(folder, "in the way");
  try {
    file.write("first\n");
    await has(join(moved, "w1.log"), "first\n");
    file.write("second\n");
    await has(join(moved, "w1.log"), "first\nsecond\n");
    expect(said).toEqual([
      expect.stringMatching(/log file .*w1\.log cannot be written, lines may be missing/),
    ]);
  } finally {
    await rm(folder);
    await rename(moved, folder);
  }
});

test.runIf(existsSync("/dev/full"))(
  "given a full disk, when lines are written, then that is said once, and nothing is thrown",
  async () => {
    const said: string[] = [];
    {
      await using file = openLogFile("/dev/full", (text) => said.push(text));
      file.write("first\n");
      await until(() => said.length > 0);
      file.write("second\n");
    }

    expect(said).toEqual([expect.stringContaining("ENOSPC")]);
  },
);
