import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { describe, expect, onTestFailed, onTestFinished, test, vi } from "vitest";
import { findPython } from "../celery/test/interop/python-celery.ts";
import { redisUrl } from "../celery/test/support/redis-url.ts";
import { startCelery, type WorkerProcess } from "../celery/test/support/worker-process.ts";

// Each starts several processes.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 360_000 });

const base = redisUrl();

/** Runs `celery -A tasks` in an example's folder, as its README says. */
function celery(example: string, db: number, ...args: string[]): WorkerProcess {
  const started = startCelery({
    args: ["-A", "tasks", ...args],
    cwd: join(import.meta.dirname, example),
    env: { REDIS_URL: `${base}/${db}` },
  });
  onTestFinished(() => started[Symbol.asyncDispose]() as Promise<void>);
  return started;
}

const worker = (example: string, db: number, ...args: string[]): WorkerProcess =>
  celery(example, db, "worker", "-l", "info", "-c", "1", ...args);

interface Program {
  readonly lines: AsyncIterator<string>;
}

/** Runs a program in an example's folder; what it writes goes line by line into `lines`. */
function start(example: string, db: number, command: string, ...args: string[]): Program {
  const child = spawn(command, args, {
    cwd: join(import.meta.dirname, example),
    env: {
      ...process.env,
      REDIS_URL: `${base}/${db}`,
      PORT: "0",
      PYTHONDONTWRITEBYTECODE: "1",
      PYTHONUNBUFFERED: "1",
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const errors: Buffer[] = [];
  child.stderr.on("data", (chunk: Buffer) => errors.push(chunk));
  onTestFailed(() => void process.stderr.write(Buffer.concat(errors)));
  const ended = once(child, "exit");
  onTestFinished(async () => {
    if (child.exitCode === null) child.kill("SIGKILL");
    await ended;
  });
  return { lines: createInterface({ input: child.stdout })[Symbol.asyncIterator]() };
}

const program = (example: string, db: number, file: string): Program =>
  start(example, db, process.execPath, "--import", "tsx", file);

async function everyLine({ lines }: Program): Promise<string[]> {
  const all: string[] = [];
  for (let next = await lines.next(); !next.done; next = await lines.next()) all.push(next.value);
  return all;
}

describe("express-api", () => {
  test("given a worker and the API, when texts are posted, then there is a ticket at once and later the scores; wrong bodies are refused", async () => {
    const running = worker("express-api", 93, "-Q", "celery,training");
    const api = program("express-api", 93, "server.ts");
    const { value: ready } = (await api.lines.next()) as { value: string };
    const url = ready.replace("API ready on ", "");
    const post = (body: unknown) =>
      fetch(`${url}/score-batch`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
      });

    const answer = await post(["great product", "awful service"]);
    const { task_id: id } = (await answer.json()) as { task_id: string };

    expect([answer.status, answer.headers.get("location")]).toEqual([202, `/result/${id}`]);
    await expect
      .poll(async () => (await fetch(`${url}/result/${id}`)).json())
      .toEqual({
        ready: true,
        state: "SUCCESS",
        result: [
          { text: "great product", score: expect.any(Number) as number, label: "positive" },
          { text: "awful service", score: expect.any(Number) as number, label: "negative" },
        ],
      });
    expect((await post({ texts: 1 })).status).toBe(400);
    expect(await (await fetch(`${url}/result/nobody-gave-this-out`)).json()).toEqual({
      ready: false,
      state: "PENDING",
    });
    await running.line(/sentiment\.batch_score\[.*succeeded/);
  });

  test("given the nightly task, when it is called by hand, then it lands in its own queue and trains the model", async () => {
    onTestFinished(() => rm(join(import.meta.dirname, "express-api", "model.json"), { force: true }));
    const running = worker("express-api", 94, "-Q", "training");
    await running.line(/ready\./);

    const call = celery("express-api", 94, "call", "sentiment.retrain");

    expect(await call.exited).toBe(0);
    expect(await running.line(/sentiment\.retrain\[.*succeeded/)).toMatch(/'status': 'retrained'/);
  });
});

test("given the clockwork and a worker with Beat inside, when some seconds pass, then what is due runs with its arguments", async () => {
  const folder = await mkdtemp(join(tmpdir(), "celery-example-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const running = worker("beat", 93, "-B", "-s", join(folder, "schedule"));

  expect(await running.line(/clockwork\.greet\[.*succeeded/)).toContain("Good morning, Ada");
  expect(await running.line(/measuring/)).toContain("since the start");
});

describe("mixed-fleet", () => {
  test("given a worker in each language, when the chain is sent from TypeScript and from Python, then both print the same picture", async () => {
    const python = await findPython();
    const running = worker("mixed-fleet", 94, "-Q", "typescript");
    start("mixed-fleet", 94, python, "-m", "celery", "-A", "tasks", "worker", "-P", "solo", "-Q", "python");
    await running.line(/ready\./);

    const ours = await everyLine(program("mixed-fleet", 94, "send.ts"));
    const theirs = await everyLine(start("mixed-fleet", 94, python, "send.py"));

    const picture = ["to ███ 3", "be ██ 2"];
    expect(ours).toEqual([...picture, "ValueError from Python: nothing to count"]);
    expect(theirs).toEqual(picture);
  });
});
