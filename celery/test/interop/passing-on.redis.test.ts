import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import type { RedisConnection } from "../../src/redis/connection.ts";
import { redisUrl } from "../support/redis-url.ts";
import { until } from "../support/until.ts";
import { type CanvasFleet, openCanvasFleet } from "./canvas-fleet.ts";
import { proves } from "./compat.ts";
import type { PythonClient } from "./python-celery.ts";

vi.setConfig({ testTimeout: 60_000 });

const url = `${redisUrl()}/41`;

/** What JavaScript has no values for, as Python's source and as its `repr` shows it. */
const FOREIGN = [
  "2.0, -0.0, 1000000000000000001, -1180591620717411303424",
  "__import__('decimal').Decimal('1.10')",
  "__import__('datetime').date(2026, 1, 2)",
  "__import__('datetime').datetime(2026, 1, 2, 3, 4, 5, 123456)",
].join(", ");
const SHOWN =
  "[2.0, -0.0, 1000000000000000001, -1180591620717411303424, Decimal('1.10'), " +
  "datetime.date(2026, 1, 2), datetime.datetime(2026, 1, 2, 3, 4, 5, 123456)]";
const NUMBERS = "[2.0, 1000000000000000001]";
const NOTED = `q(note.si('k', [${FOREIGN}]), 'py')`;

let fleet: CanvasFleet;
let python: PythonClient;
let redis: RedisConnection;

beforeAll(async () => {
  fleet = await openCanvasFleet(url, (app) => {
    app.task("canvas.echo", (value: unknown) => value);
    app.task("canvas.fail", () => {
      throw new Error("no");
    });
    app.task("canvas.again", { bind: true }, (self, _value: unknown) => {
      if (self.request.retries === 0) throw self.retry({ countdown: 0, args: [self.request.args[0]] });
      return self.request.retries;
    });
  });
  ({ python, redis } = fleet);
}, 360_000);

afterAll(() => fleet?.[Symbol.asyncDispose](), 60_000);

beforeEach(() => proves("Values", "numbers and dates that only pass through", "python → ours"));

async function noted(): Promise<unknown> {
  await until(async () => (await redis.call("LLEN", "notes:k")) === 1);
  return redis.call("LPOP", "notes:k");
}

const run = (code: string, timeout = 20): Promise<string> =>
  python.askText(JSON.stringify({ command: "run", code, timeout }));

describe("what Python sends through a worker of ours to a worker of its own", () => {
  test.each([
    ["a later step of a chain", `chain(q(echo.s(1), 'ts'), q(echo.si(2), 'ts'), ${NOTED})`],
    ["a callback", `q(echo.s(1), 'ts').on_error(q(echo.s(), 'ts')).set(link=${NOTED})`],
    ["an errback", `q(fail.s(), 'ts').on_error(${NOTED})`],
    ["the body of a chord", `chord([q(echo.s(1), 'ts'), q(echo.s(2), 'ts')], ${NOTED})`],
    ["a group in a chain", `chain(q(echo.s(1), 'ts'), group(${NOTED}, q(echo.si(3), 'ts')))`],
    ["a chain after a retry", `chain(signature('canvas.again', (1,), queue='ts'), ${NOTED})`],
  ])("given values in %s, when it runs, then not a digit of them is lost", async (_where, code) => {
    await run(code, 0.1); // what takes the note has no result
    expect(await noted()).toBe(SHOWN);
  });

  test("given results of Python's in a chord that our worker ends, when its body runs, then it gets them as they were", async () => {
    const header = `[q(echo.s(${NUMBERS}), 'py'), q(echo.s(1), 'ts').set(countdown=1)]`;
    expect(await run(`chord(${header}, q(echo.s(), 'py'))`)).toContain(`"value": [${NUMBERS}, 1]`);
  });

  test("given results of Python's that our worker puts together, when asked for, then they are as they were", async () => {
    const members = `group(q(echo.s(${NUMBERS}), 'py'), q(echo.s(3.0), 'py'))`;
    expect(await run(`q(replaced.s(${members}), 'py')`)).toContain(`"value": [${NUMBERS}, 3.0]`);
  });

  test("given results that our worker looks up to end a chord, when its body runs, then it gets them as they were", async () => {
    const unlocked = { header: [`q(echo.s(${NUMBERS}), 'py')`], body: "q(echo.s(), 'py')", queue: "ts" };
    const id = await python.ask<string>({ command: "unlock", ...unlocked });
    expect(await python.askText(JSON.stringify({ command: "get", id }))).toContain(`"value": [${NUMBERS}]`);
  });

  test("given a task that our worker retries with the arguments that it got, when it has run, then the stored ones are as they were", async () => {
    const { ok } = JSON.parse(await run(`signature('canvas.again', (${NUMBERS},), queue='ts')`)) as {
      ok: { id: string };
    };
    expect(await redis.call("GET", `celery-task-meta-${ok.id}`)).toContain(`"args": [${NUMBERS}]`);
  });
});
