import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { type CommandRun, runCommand } from "../../test/support/command-run.ts";
import { redisUrl } from "../../test/support/redis-url.ts";
import { Celery } from "../app/celery.ts";
import { openMailbox } from "../control/index.ts";
import type { ResultMeta } from "../protocol/result-meta.ts";
import { openConnection } from "../redis/connection.ts";
import { LamportClock } from "../runtime/lamport-clock.ts";
import { silentLog } from "../runtime/log.ts";
import { command as beat } from "./beat.ts";
import { command as call } from "./call.ts";
import { command as purge } from "./purge.ts";
import { command as report } from "./report.ts";
import { command as result } from "./result.ts";
import { command as shell } from "./shell.ts";
import { command as status } from "./status.ts";

const url = `${redisUrl()}/76`;

let app: Celery;
beforeEach(async () => {
  await using redis = openConnection(url);
  await redis.call("FLUSHDB");
  app = new Celery("tasks", { broker: url, backend: url });
  app.task("tasks.add", async (x: number, y: number) => x + y);
  app.task("tasks.fail", async () => {
    throw new RangeError("out of stock");
  });
});

const stored = async (meta: Partial<ResultMeta>): Promise<string> => {
  await app.backend()?.store({
    taskId: "t1",
    status: "SUCCESS",
    result: 5,
    traceback: null,
    children: [],
    dateDone: null,
    ...meta,
  });
  return "t1";
};

describe("celery status", () => {
  async function aNode(nodeName: string): Promise<void> {
    const lamport = new LamportClock();
    const mailbox = await openMailbox(url, {
      nodeName,
      commands: { ping: () => ({ ok: "pong" }) },
      lamport,
      log: silentLog,
    });
    onTestFinished(() => mailbox[Symbol.asyncDispose]());
  }

  test("given two nodes, when asked, then each is OK and they are counted, in text and in JSON", async () => {
    await aNode("w1@vm");
    await aNode("w2@vm");
    const named = ["-t", "20", "-d", "w1@vm,w2@vm"];

    const text = await runCommand(status, named, { app });
    const json = await runCommand(status, [...named, "-j"], { app });

    expect(text).toMatchObject({ status: 0, stderr: "" });
    expect(text.stdout.split("\n").slice(0, 2).sort()).toEqual(["->  w1@vm: OK", "->  w2@vm: OK"]);
    expect(text.stdout).toMatch(/\n\n2 nodes online\.\n$/);
    expect(JSON.parse(json.stdout.split("\n")[0] ?? "")).toEqual({
      "w1@vm": { ok: "pong" },
      "w2@vm": { ok: "pong" },
    });
  });

  test("given nobody, when asked, then it says so in Celery's words and exits with 69", async () => {
    expect(await runCommand(status, [], { app })).toEqual({
      status: 69,
      stdout: "",
      stderr: "Error: No nodes replied within time constraint\n",
    });
  });

  test("given a timeout that is no number, when asked, then the usage error quotes it", async () => {
    await expect(runCommand(status, ["-t", "soon"], { app })).rejects.toThrow(
      "Invalid value for '-t' / '--timeout': 'soon' is not a number.",
    );
  });
});

describe("celery call", () => {
  test("given a task and options, when called, then its id is printed and the message lies in the queue with all of it", async () => {
    const { status: code, stdout } = await runCommand(
      call,
      ["tasks.add", "-a", "[2, 3]", "-k", '{"deep": true}', "--queue", "slow", "--countdown", "60"],
      { app },
    );

    await using redis = openConnection(url);
    const message = JSON.parse(String(await redis.call("LINDEX", "slow", 0))) as {
      headers: Record<string, unknown>;
      body: string;
    };
    expect(code).toBe(0);
    expect(message.headers).toMatchObject({ id: stdout.trim(), task: "tasks.add", argsrepr: "(2, 3)" });
    expect(message.headers["eta"]).toMatch(/^\d{4}-/);
    expect(Buffer.from(message.body, "base64").toString()).toContain('[[2, 3], {"deep": true}');
  });

  test("given a name that the app does not have, when called, then it is sent, with a warning that names the nearest", async () => {
    const { stderr, status: code } = await runCommand(call, ["add"], { app });

    expect(code).toBe(0);
    expect(stderr).toBe(
      'Warning: tasks has no task named "add". Did you mean tasks.add? It is sent all the same.\n',
    );
  });

  test.each([
    [["tasks.add", "-a", "[2, 3"], /'-a' \/ '--args': \[2, 3 is not JSON/],
    [["tasks.add", "-a", "5"], /5 is not a JSON array/],
    [["tasks.add", "-k", "[1]"], /\[1\] is not a JSON object/],
    [["tasks.add", "--eta", "tomorrow"], /'--eta': 'tomorrow' is not a date and time/],
    [["tasks.add", "--serializer", "pickle"], /only json/],
    [[], /Missing argument 'NAME'/],
  ])("given %j, when called, then nothing is sent and the error says %s", async (args, message) => {
    await expect(runCommand(call, args, { app })).rejects.toThrow(message);
  });
});

describe("celery result", () => {
  test.each([
    [5, "5\n"],
    ["hi bob", "hi bob\n"],
    [{ a: [1, "ü"] }, '{"a": [1, "\\u00fc"]}\n'],
    [null, "null\n"],
  ])("given %j stored, when asked, then it is printed", async (value, text) => {
    expect(await runCommand(result, [await stored({ result: value })], { app })).toEqual({
      status: 0,
      stdout: text,
      stderr: "",
    });
  });

  test("given a failure, when asked, then its traceback goes to stderr and the status is 1; with --traceback to stdout and it is 0", async () => {
    const error = { excType: "ValueError", excMessage: ["boom"], excModule: "builtins" };
    const id = await stored({ status: "FAILURE", result: error, traceback: "Traceback …\nValueError: boom" });

    expect(await runCommand(result, [id], { app })).toEqual({
      status: 1,
      stdout: "",
      stderr: "Traceback …\nValueError: boom\n",
    });
    expect(await runCommand(result, [id, "--traceback"], { app })).toEqual({
      status: 0,
      stdout: "Traceback …\nValueError: boom\n",
      stderr: "",
    });
  });

  test("given an unknown id, when the timeout is over, then it says what to check", async () => {
    const { status: code, stderr } = await runCommand(result, ["nobody", "--timeout", "0.05"], { app });

    expect(code).toBe(1);
    expect(stderr).toMatch(
      /No result for nobody after 0\.05 seconds[\s\S]*celery -A tasks status[\s\S]*--timeout 60/,
    );
  });

  test("given a Redis with a password, when nothing comes, then the advice hides the password", async () => {
    await using redis = openConnection(url);
    await redis.call("ACL", "SETUSER", "reader", "on", ">hunter2", "~*", "&*", "+@all");
    const backend = url.replace("redis://", "redis://reader:hunter2@");
    const guarded = new Celery("tasks", { broker: backend, backend });

    const { stderr } = await runCommand(result, ["nobody", "--timeout", "0.05"], { app: guarded });

    expect(stderr).toContain("redis://reader:**@");
    expect(stderr).not.toContain("hunter2");
  });

  test("given a task that runs, when the timeout is over, then its state is told", async () => {
    const { stderr } = await runCommand(
      result,
      [await stored({ status: "STARTED", result: null }), "--timeout", "0.05"],
      { app },
    );

    expect(stderr).toBe(
      "Error: The task is in state STARTED and has not ended after 0.05 seconds. Wait longer with --timeout 60.\n",
    );
  });
});

describe("celery purge", () => {
  beforeEach(async () => {
    app.conf.task_routes = { "tasks.fail": { queue: "training" } };
    await app.sendTask("tasks.add", [1, 1]);
    await app.sendTask("tasks.fail");
    await app.sendTask("tasks.add", [1, 1], { priority: 9 });
  });
  const left = async (): Promise<number[]> =>
    Promise.all(
      ["celery", "training"].map((queue) =>
        new Celery("count", { broker: url }).transport().queueLength(queue),
      ),
    );

  test("given messages in all known queues, when the question is answered with yes, then they are gone, and it was said which queues", async () => {
    const run = await runCommand(purge, [], { app, stdin: "y\n" });

    expect(run.stdout).toBe(
      "WARNING:This will remove all tasks from queues: celery, training.\n         There is no undo for this operation!\n\n(to skip this prompt use the -f option)\nAre you sure you want to delete all tasks? [y/N]: Purged 3 messages from 2 known task queues.\n",
    );
    expect(await left()).toEqual([0, 0]);
  });

  test.each(["n\n", "\n", ""])(
    "given the answer %j, when purging, then nothing is touched",
    async (stdin) => {
      expect(await runCommand(purge, [], { app, stdin })).toMatchObject({ status: 1, stderr: "Aborted!\n" });
      expect(await left()).toEqual([2, 1]);
    },
  );

  test("given -f and queues by name, when purging, then only those are emptied, without a question", async () => {
    expect((await runCommand(purge, ["-f", "-Q", "training"], { app })).stdout).toBe(
      "Purged 1 message from 1 known task queue.\n",
    );
    expect((await runCommand(purge, ["-f", "-X", "celery"], { app })).stdout).toBe(
      "No messages purged from 1 queue.\n",
    );
    expect(await left()).toEqual([2, 0]);
  });
});

describe("celery report", () => {
  test("given settings and passwords, when reported, then what differs from the defaults is there and no password", async () => {
    const secret = new Celery("tasks", { broker: "redis://:hunter2@localhost:6379/0", task_time_limit: 300 });

    const { stdout } = await runCommand(report, [], { app: secret });

    expect(stdout).toMatch(/software -> celery:.* node:/);
    expect(stdout).toContain("task_time_limit: 300");
    expect(stdout).toContain("redis://:**@localhost:6379/0");
    expect(stdout).not.toContain("hunter2");
    expect(stdout).not.toContain("task_acks_late");
  });
});

describe("celery beat", () => {
  test("given a schedule, when it runs and is stopped, then it shows Celery's banner, sends, and leaves with 0", async () => {
    const cwd = await mkdtemp(join(tmpdir(), "celery-beat-cli-"));
    onTestFinished(() => rm(cwd, { recursive: true, force: true }));
    app.conf.beat_schedule = {
      "add-often": { task: "tasks.add", schedule: 0.05, args: [2, 2], options: { queue: "clock" } },
    };
    const stop = new AbortController();
    await using redis = openConnection(url);

    const running = runCommand(beat, ["-l", "info", "-s", "memory"], { app, cwd, signal: stop.signal });
    await expect.poll(async () => Number(await redis.call("LLEN", "clock"))).toBeGreaterThan(1);
    stop.abort();
    const { status: code, stdout, stderr } = await running;

    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^celery beat v.* is starting\.\n__ {4}- {4}\.\.\. __ {3}- {8}_\nLocalTime -> .*\nConfiguration ->\n {4}\. broker -> redis:\/\/.*\n/,
    );
    expect(stdout).toContain(
      "    . db -> memory\n    . logfile -> [stderr]@%INFO\n    . maxinterval -> 5.00 minutes (300s)\n",
    );
    expect(stderr).toMatch(
      /INFO\/MainProcess\] beat: Starting\.\.\.\n.*Scheduler: Sending due task add-often \(tasks\.add\)/,
    );
    const message = JSON.parse(String(await redis.call("LINDEX", "clock", 0))) as {
      headers: Record<string, unknown>;
    };
    expect(message.headers).toMatchObject({ task: "tasks.add", celery_beat_task: true });
  });
});

describe("celery shell", () => {
  const type = (...lines: string[]): Promise<CommandRun> =>
    runCommand(shell, [], { app, stdin: `${lines.join("\n")}\n` });

  test("given lines from a pipe, when they are run, then one waits for the other, results are shown, and the end is 0", async () => {
    const run = await type(
      "r = add.delay(2, 3)",
      "r.state()",
      "add(4, 4)",
      "x = [1,",
      "2]",
      "const y = x.length",
      "y + 1",
      "undefined",
    );

    expect(run.status).toBe(0);
    expect(run.stdout).toMatch(/^<AsyncResult: [\w-]{36}>\n'PENDING'\n8\n\[ 1, 2 \]\n3\n$/);
  });

  test("given a task that fails, when it is called, then its error is shown plainly and the shell goes on", async () => {
    const run = await type("fail()", "nope", "add.apply_async([1])", "1 + 1");

    expect(run.stdout).toMatch(
      /^RangeError: out of stock\n[\s\S]*ReferenceError: nope is not defined\n[\s\S]*\(in TypeScript names are written applyAsync\)\n[\s\S]*2\n$/,
    );
    expect(run.status).toBe(0);
  });

  test("given Python at the prompt, when it is typed, then the answer is its translation", async () => {
    const run = await type("from tasks import add", "r = add.delay(2, 3)", "r.get(timeout=10)");

    expect(run.stdout).toContain("No import is needed here");
    expect(run.stdout).toContain("Write r.get({ timeout: 10 }).");
  });

  test("given a module of the folder, when it is imported at the prompt, then its exports are there", async () => {
    const run = await type(
      'const { crontab: made } = await import("./celery/src/beat/crontab.ts")',
      "made({ hour: 3 })",
      '"import(1)"',
    );

    expect(run.stdout).toBe("<crontab: * 3 * * * (m/h/dM/MY/d)>\n'import(1)'\n");
  });

  test("given .help and .exit, when they are typed, then the tasks are listed, and what follows is not run", async () => {
    const run = await type(".help", ".exit", "1 + 1");

    expect(run.stdout).toContain("tasks.add, tasks.fail");
    expect(run.stdout).not.toMatch(/^2$/m);
  });
});
