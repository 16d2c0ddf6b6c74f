import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { Celery } from "../../src/app/celery.ts";
import { TaskError } from "../../src/protocol/errors.ts";
import { openConnection } from "../../src/redis/connection.ts";
import { redisUrl } from "../support/redis-url.ts";
import { startCelery, type WorkerProcess } from "../support/worker-process.ts";
import { proves } from "./compat.ts";
import { PythonClient, type PythonProcess, startPython } from "./python-celery.ts";

// Each starts processes of Python, which on a busy machine takes its time.
vi.setConfig({ testTimeout: 120_000 });

/** Our worker on one queue, one of real Celery on the other; a client of each. */
const url = `${redisUrl()}/46`;

let ours: WorkerProcess;
let theirs: PythonProcess;
let python: PythonClient;
let app: Celery;

beforeAll(async () => {
  await using redis = openConnection(url);
  await redis.call("FLUSHDB");
  app = new Celery("client", { broker: url, backend: url });
  ours = startCelery({
    args: ["-A", "running-app", "worker", "-l", "info", "-c", "2", "-n", "ts@%h", "-Q", "ts"],
    cwd: import.meta.dirname,
    env: { REDIS_URL: url },
  });
  theirs = await startPython(
    ["-m", "celery", "-A", "running_app", "worker", "-l", "info", "-n", "py@%h", "-c", "2", "-Q", "py"],
    { REDIS_URL: url },
  );
  [python] = await Promise.all([PythonClient.open(url), ours.line(/ready\./), theirs.line(/ready\./)]);
}, 360_000);

afterAll(async () => {
  await app?.close();
  await python?.[Symbol.asyncDispose]();
  await ours?.[Symbol.asyncDispose]();
  await theirs?.[Symbol.asyncDispose]();
});

/** From Python's client to our worker. */
function send(task: string, args: readonly unknown[] = [], options: object = {}): Promise<string> {
  return python.send(task, args, { queue: "ts", ...options });
}

type Sent = Awaited<ReturnType<Celery["sendTask"]>>;

/** From our client to Python's worker. */
function sendThere(task: string, args: readonly unknown[] = [], options: object = {}): Promise<Sent> {
  return app.sendTask(task, args, { queue: "py", ...options });
}

/** The error that Python's worker stored. */
async function failureOf(result: Sent): Promise<TaskError> {
  const error: unknown = await result.get({ timeout: 30, propagate: false });
  if (error instanceof TaskError) return error;
  throw new Error(`not a failure: ${JSON.stringify(error)}`);
}

describe("keyword arguments from Python", () => {
  test.each([
    ["run.order", [9], { y: 4 }, 50],
    ["run.order", [], { factor: 2, y: 4, x: 9 }, 10],
    ["run.shape", ["ab"], { upper: true, times: 2 }, "ABAB"],
    ["run.minified", [], { y: 1, x: 3 }, 2],
  ])(
    "given %s with %j and %j, when our worker runs it, then each goes to its parameter",
    async (task, args, kwargs, value) => {
      proves("Calling", "keyword arguments", "python → ours");
      expect(await python.get(await send(task, args, { kwargs }))).toEqual({ value, state: "SUCCESS" });
    },
  );

  test.each([
    [[9], {}, "run.order() missing 1 required positional argument: 'y'"],
    [[9, 4], { z: 1 }, "run.order() got an unexpected keyword argument 'z'"],
    [[9, 4], { y: 1 }, "run.order() got multiple values for argument 'y'"],
    [[1, 2, 3, 4], {}, "run.order() takes from 2 to 3 positional arguments but 4 were given"],
  ])(
    "given %j and %j, when they do not fit, then Python gets a TypeError in its own words",
    async (args, kwargs, message) => {
      proves("Calling", "arguments that do not fit", "python → ours");
      expect(await python.get(await send("run.order", args, { kwargs }))).toMatchObject({
        state: "FAILURE",
        error: "TypeError",
        args: [message],
      });
    },
  );
});

describe("a run on our worker that Python asked for", () => {
  test("given an error that is retried by itself, when it backs off, then Python sees RETRY, its cause, and the result", async () => {
    proves("Running", "autoretry_for with backoff", "python → ours");
    const id = await send("run.backoff");

    const states = await python.ask<string[]>({ command: "states", id, until: "SUCCESS" });

    expect(states).toContain("RETRY");
    expect(await python.get(id)).toEqual({ value: 1, state: "SUCCESS" });
    await ours.line(new RegExp(`run\\.backoff\\[${id}\\] retry: Retry in 1s: Upstream\\('refused'\\)`));
  });

  test("given a task that has no retries left, when it asks for one, then Python gets MaxRetriesExceededError itself", async () => {
    proves("Running", "max_retries", "python → ours");
    const id = await send("run.exhausted");

    expect(await python.get(id)).toMatchObject({
      error: "MaxRetriesExceededError",
      args: [`Can't retry run.exhausted[${id}] args:() kwargs:{}`],
      module: "celery.exceptions",
    });
  });

  test("given a retry with other keyword arguments and priority, when it runs, then it has them", async () => {
    proves("Running", "retry with other arguments", "python → ours");
    expect(await python.get(await send("run.retry_other", [1, 2]))).toMatchObject({ value: [1, 5, 1, 3] });
  });

  test("given Ignore, when it is thrown, then nothing is stored after the start", async () => {
    proves("Running", "Ignore", "python → ours");
    const id = await send("run.ignore");
    await ours.line(new RegExp(`run\\.ignore\\[${id}\\] ignored`));

    expect(await python.ask({ command: "meta", id })).toMatchObject({ status: "STARTED" });
  });

  test("given Reject with requeue under late ack, when it is thrown, then the message comes again, marked as redelivered", async () => {
    proves("Running", "Reject with requeue", "python → ours");
    expect(await python.get(await send("run.requeue"))).toMatchObject({ value: "second time" });
  });

  test("given a state of the task's own and an event, when Python watches, then it sees both", async () => {
    proves("Running", "custom states", "python → ours");
    proves("Events", "a task's own events", "python → ours");
    const id = await send("run.progress");
    expect(await python.ask({ command: "states", id, until: "SUCCESS" })).toContain("PROGRESS");

    const events = await python.ask<Record<string, unknown>[]>({
      command: "capture",
      task: "run.progress",
      args: [],
      until: "task-progress",
      queue: "ts",
    });
    expect(events.at(-1)).toMatchObject({ type: "task-progress", done: 1 });
  });

  test.each([
    ["run.tidy", { soft_time_limit: 0.5 }, { state: "SUCCESS", value: "tidied up" }],
    [
      "run.forever",
      { soft_time_limit: 0.5 },
      { error: "SoftTimeLimitExceeded", module: "billiard.exceptions" },
    ],
    ["run.forever", { time_limit: 0.5 }, { error: "TimeLimitExceeded", args: [0.5] }],
  ])(
    "given %s with %j from Python, when the time is up, then Python reads what became of it",
    async (task, limit, expected) => {
      proves("Running", "soft_time_limit" in limit ? "soft time limit" : "hard time limit", "python → ours");
      expect(await python.get(await send(task, [], limit))).toMatchObject(expected);
    },
  );

  test("given a task that takes its process down, when Python asks, then it gets WorkerLostError itself", async () => {
    proves("Running", "a lost pool process", "python → ours");
    expect(await python.get(await send("run.die"))).toMatchObject({
      error: "WorkerLostError",
      module: "billiard.exceptions",
      args: [expect.stringMatching(/^Worker exited prematurely: signal 9 \(SIGKILL\) Job: \d+\.$/)],
    });
  });
});

describe("a run on Python's worker that we asked for", () => {
  test("given keyword arguments, when Python runs the task, then each goes to its parameter", async () => {
    proves("Calling", "keyword arguments", "ours → python");
    const sent = await sendThere("run.order", [9], { kwargs: { factor: 2, y: 4 } });

    expect(await sent.get({ timeout: 30 })).toBe(10);
  });

  test("given arguments that do not fit, when Python runs the task, then we get its TypeError", async () => {
    proves("Calling", "arguments that do not fit", "ours → python");
    expect(await failureOf(await sendThere("run.order", [9]))).toMatchObject({
      excType: "TypeError",
      excModule: "builtins",
      excMessage: ["order() missing 1 required positional argument: 'y'"],
    });
  });

  test("given an error that Python retries by itself, when we wait, then we see RETRY and get the result", async () => {
    proves("Running", "autoretry_for with backoff", "ours → python");
    const seen: string[] = [];
    const sent = await sendThere("run.backoff");

    expect(await sent.get({ timeout: 30, onMessage: ({ status }) => seen.push(status) })).toBe(1);
    expect(seen).toContain("RETRY");
  });

  test("given a task without retries left, when it asks for one, then we get MaxRetriesExceededError", async () => {
    proves("Running", "max_retries", "ours → python");
    expect(await failureOf(await sendThere("run.exhausted"))).toMatchObject({
      excType: "MaxRetriesExceededError",
      excModule: "celery.exceptions",
    });
  });

  test("given an error class that only Python has, when we ask, then we get its name, module and arguments", async () => {
    proves("Values", "errors with their module", "ours → python");
    expect(await failureOf(await sendThere("run.upstream"))).toMatchObject({
      excType: "Upstream",
      excModule: "running_app",
      excMessage: ["refused", 402],
    });
  });

  test("given Ignore, when Python throws it, then nothing is stored after the start", async () => {
    proves("Running", "Ignore", "ours → python");
    const sent = await sendThere("run.ignore");
    await theirs.line(new RegExp(`run\\.ignore\\[${sent.id}\\] ignored`));

    expect(await sent.state()).toBe("STARTED");
  });

  test("given Reject with requeue, when Python throws it, then we get the result of the second run", async () => {
    proves("Running", "Reject with requeue", "ours → python");
    expect(await (await sendThere("run.requeue")).get({ timeout: 30 })).toBe("second time");
  });

  test("given a state of Python's own, when we wait, then we are told on the way", async () => {
    proves("Running", "custom states", "ours → python");
    const seen: unknown[] = [];

    await (await sendThere("run.progress")).get({
      timeout: 30,
      onMessage: ({ status, result }) => seen.push([status, result]),
    });

    expect(seen).toContainEqual(["PROGRESS", { done: 1, total: 3 }]);
  });

  test("given limits from us, when Python's time is up, then we read what became of it", async () => {
    proves("Running", "soft time limit", "ours → python");
    proves("Running", "hard time limit", "ours → python");
    const [tidied, told, killed] = await Promise.all([
      sendThere("run.tidy", [], { softTimeLimit: 1 }),
      sendThere("run.forever", [], { softTimeLimit: 1 }),
      sendThere("run.forever", [], { timeLimit: 1 }),
    ]);

    expect(await tidied.get({ timeout: 30 })).toBe("tidied up");
    expect(await failureOf(told)).toMatchObject({
      excType: "SoftTimeLimitExceeded",
      excModule: "billiard.exceptions",
    });
    expect(await failureOf(killed)).toMatchObject({ excType: "TimeLimitExceeded", excMessage: [1] });
  });

  test("given a task that takes Python's process down, when we ask, then we get WorkerLostError", async () => {
    proves("Running", "a lost pool process", "ours → python");
    expect(await failureOf(await sendThere("run.die"))).toMatchObject({
      excType: "WorkerLostError",
      excModule: "billiard.exceptions",
    });
  });
});
