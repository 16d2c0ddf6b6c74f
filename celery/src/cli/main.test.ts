import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { afterAll, beforeAll, expect, test } from "vitest";
import { commandLoaders } from "./commands.ts";
import { runCommandLine } from "./main.ts";
import { VERSION } from "./version.ts";

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "celery-test-cli-"));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

interface Ran {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `celery …` in this process, in an empty folder. */
function celery(...args: readonly string[]): Promise<Ran> {
  return celeryIn({}, ...args);
}

async function celeryIn(env: Readonly<Record<string, string>>, ...args: readonly string[]): Promise<Ran> {
  const streams = { stdout: new PassThrough(), stderr: new PassThrough() };
  const self = {
    argv: ["node", "celery", ...args],
    env,
    cwd: () => dir,
    chdir: (to: string) => process.chdir(to),
    ...streams,
  };
  const status = await runCommandLine(self as unknown as NodeJS.Process);
  const read = (stream: PassThrough): string => (stream.read() as Buffer | null)?.toString() ?? "";
  return { status, stdout: read(streams.stdout), stderr: read(streams.stderr) };
}

test("given --version, when run, then it is told and the status is 0", async () => {
  expect(await celery("--version")).toMatchObject({
    status: 0,
    stdout: expect.stringMatching(/^\d+\.\d+\.\d+ \(/),
  });
});

test("given package.json, when its version changes, then --version does too", async () => {
  const text = await readFile(new URL("../../package.json", import.meta.url), "utf8");

  expect(VERSION).toBe((JSON.parse(text) as { version: string }).version);
});

test("given --help, when run, then every command is listed with what it does", async () => {
  const { status, stdout } = await celery("--help");

  expect(status).toBe(0);
  for (const name of Object.keys(commandLoaders)) {
    expect(stdout).toMatch(new RegExp(`^  ${name} +[A-Z]`, "m"));
  }
});

test("given nothing at all, when run, then it is --help, and the status is 0, as Celery's", async () => {
  expect(await celery()).toEqual(await celery("--help"));
});

test("given an app that is not there, when run, then the error says where it was looked for, and the status is 2, as Celery's", async () => {
  const { status, stderr } = await celery("-A", "missing", "report");

  expect(status).toBe(2);
  expect(stderr).toMatch(/^Error: There is no module "missing" in /);
});

test.each(Object.keys(commandLoaders))(
  "given %s --help, when run, then its options are explained, in 80 columns",
  async (name) => {
    const { status, stdout } = await celery(name, "--help");

    expect(status).toBe(0);
    expect(stdout).toMatch(/^Usage: celery /);
    expect(stdout).toContain("--help");
    expect(stdout.split("\n").filter((line) => line.length > 80)).toEqual([]);
  },
);

test.each([
  { args: ["wrker"], says: "No such command 'wrker'.\n\nDid you mean one of these?\n    worker\n" },
  { args: ["worker"], says: "Missing option '-A': which module holds the tasks?" },
  {
    args: ["worker", "-A", "tasks"],
    says: "stands before the sub-command:\n    celery -A celeryapp worker <...>",
  },
  {
    args: ["-A", "tasks", "worker", "-c", "two"],
    says: "Invalid value for '-c' / '--concurrency': 'two' is not a whole number.",
  },
  { args: ["-A", "tasks", "worker", "-c", "0"], says: "'0' must be at least 1." },
  {
    args: ["-A", "tasks", "worker", "-P", "fibers"],
    says: "'fibers' is not one of prefork, processes, async, threads",
  },
  { args: ["--workdir", "/nowhere/at/all", "status"], says: "Invalid value for '--workdir'" },
])(
  "given $args, when run, then the usage error says what to do and the status is 2",
  async ({ args, says }) => {
    const { status, stderr } = await celery(...args);

    expect(status).toBe(2);
    expect(stderr).toMatch(/^Usage: celery .*\nTry 'celery.* --help' for help\.\n\nError: /);
    expect(stderr).toContain(says);
  },
);

test("given options in the environment, when run, then they count as if typed, and what is typed wins", async () => {
  const env = { CELERY_EVENTS_CAMERA: "my.Camera", CELERY_INSPECT_TIMEOUT: "soon" };

  expect((await celeryIn(env, "events")).stderr).toContain("'--camera my.Camera' names a Python class");
  expect((await celeryIn(env, "inspect", "ping")).stderr).toContain("'soon' is not a number");
  expect((await celeryIn(env, "inspect", "-t", "later", "ping")).stderr).toContain("'later' is not a number");
});
