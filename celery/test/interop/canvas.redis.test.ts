import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { chain, chord, group } from "../../src/app/canvas/primitives.ts";
import type { Celery } from "../../src/app/celery.ts";
import type { AsyncResult } from "../../src/backend/async-result.ts";
import type { GroupResult } from "../../src/backend/group-result.ts";
import { encodeJson } from "../../src/protocol/json.ts";
import type { RedisConnection } from "../../src/redis/connection.ts";
import { chordRescueId, UNACKED } from "../../src/redis/keys.ts";
import { makeRescue } from "../../src/worker/rescue.ts";
import { redisUrl } from "../support/redis-url.ts";
import { until } from "../support/until.ts";
import { type Any, alternate, canvasCases, q } from "./canvas-cases.ts";
import { type CanvasFleet, openCanvasFleet } from "./canvas-fleet.ts";
import { type CanvasTasks, canvasTasks } from "./canvas-tasks.ts";
import { proves } from "./compat.ts";
import type { PythonClient, PythonProcess } from "./python-celery.ts";

vi.setConfig({ testTimeout: 60_000 });

const url = `${redisUrl()}/40`;

let fleet: CanvasFleet;
let python: PythonClient;
let pythonWorker: PythonProcess;
let app: Celery;
let redis: RedisConnection;
let tasks: CanvasTasks;

beforeAll(async () => {
  fleet = await openCanvasFleet(url, (own, connection) => {
    tasks = canvasTasks(own, connection);
  });
  ({ python, pythonWorker, app, redis } = fleet);
}, 360_000);

afterAll(() => fleet?.[Symbol.asyncDispose](), 60_000);

const CASES = canvasCases(() => tasks);
const add = (...args: number[]): Any => tasks.add.s(...args);
const mul = (...args: number[]): Any => tasks.mul.s(...args);
const xsum = (): Any => tasks.xsum.s();

describe("a workflow whose steps run alternately on both", () => {
  test.each(CASES.map((one) => [one.feature, one] as const))(
    "given %s of Python's, when it runs, then Python reads its result",
    async (feature, one) => {
      proves("Canvas", feature, "python → ours");
      expect(await python.ask({ command: "run", code: one.python })).toMatchObject({ value: one.value });
    },
  );

  test.each(CASES.map((one) => [one.feature, one] as const))(
    "given %s of ours, when it runs, then we read its result, and Python the same",
    async (feature, one) => {
      proves("Canvas", feature, "ours → python");
      const result = (await one.ours().applyAsync()) as {
        get(options: object): Promise<unknown>;
        asTuple(): unknown;
      };
      expect(await result.get({ timeout: 20 })).toEqual(one.value);
      expect(await python.ask({ command: "join", tuple: result.asTuple() })).toEqual({ value: one.value });
    },
  );
});

const failing = (): Any => tasks.fail.s();
const failures = async (count: number): Promise<string[]> => {
  await until(async () => Number(await redis.call("LLEN", "failed")) >= count);
  const found = (await redis.call("LRANGE", "failed", "0", "-1")) as string[];
  await redis.call("DEL", "failed");
  return found.sort();
};
const notes = async (key: string, count: number): Promise<string[]> => {
  await until(async () => Number(await redis.call("LLEN", `notes:${key}`)) >= count);
  return ((await redis.call("LRANGE", `notes:${key}`, "0", "-1")) as string[]).sort();
};

interface Run {
  readonly id: string;
  readonly value?: unknown;
  readonly error?: string;
  readonly args?: readonly string[];
}
/** The body's own failure: asked with its parents, the first of theirs is thrown. */
const own = (receipt: unknown): Promise<unknown> =>
  app.AsyncResult((receipt as AsyncResult<unknown>).id).get({ timeout: 20 });
const pythonRuns = (code: string): Promise<Run> => python.ask({ command: "run", code });

describe("a member that fails", () => {
  test.each(["ts", "py"] as const)(
    "given a chord of Python's whose member fails on %s, when it is sure, then the body fails with ChordError",
    async (queue) => {
      proves("Canvas", "chord, a member fails", "python → ours");
      const other = queue === "ts" ? "py" : "ts";
      const run = await pythonRuns(
        `chord([q(fail.s(), '${queue}'), q(add.s(1, 1), '${other}')], q(xsum.s(), '${other}'))`,
      );
      // Python's get, as ours, throws what a parent has thrown: asked by its id alone, the body has its own.
      expect(["ValueError", "ChordError"]).toContain(run.error);
      const body = await python.ask<Run>({ command: "get", id: run.id });
      expect(body.error).toBe("ChordError");
      expect(body.args?.[0]).toMatch(/^Dependency [0-9a-f-]+ raised ValueError\('no'\)$/);
    },
  );

  test("given a chord of ours whose member fails on Python, when it is sure, then our get throws ChordError", async () => {
    proves("Canvas", "chord, a member fails", "ours → python");
    const members = [q(failing(), "py"), q(add(1, 1), "ts")];
    const result = await chord(members, q(xsum(), "ts")).applyAsync();
    await expect(own(result)).rejects.toThrow(/ChordError: Dependency [0-9a-f-]+ raised ValueError\('no'\)/);
  });

  test("given a chord with a member that nobody knows, when our worker meets it, then the body fails and does not hang", async () => {
    const unknown = app.signature("canvas.nobody", [], { queue: "ts" });
    const result = await chord([unknown, q(add(1, 1), "py")], q(xsum(), "py")).applyAsync();
    await expect(own(result)).rejects.toThrow(/raised NotRegistered\('canvas.nobody'\)/);
  });

  test("given a chord with a member that has expired, when our worker meets it, then the body fails and does not hang", async () => {
    const expired = q(add(2, 2), "ts").set({ expires: -5 });
    const result = await chord([expired, q(add(1, 1), "py")], q(xsum(), "py")).applyAsync();
    await expect(own(result)).rejects.toThrow(/raised TaskRevokedError\('expired'\)/);
  });

  test("given a chord inside a chord whose member fails, when it is sure, then the outer body fails too", async () => {
    const inner = chord([q(failing(), "ts"), q(add(1, 1), "py")], q(xsum(), "py"));
    const result = await chord([inner, q(add(1, 1), "ts")], q(xsum(), "ts")).applyAsync();
    await expect(own(result)).rejects.toThrow(/ChordError/);
  });

  test("given a chord whose body is a group, when a member fails, then each of the body fails with its error", async () => {
    proves("Canvas", "chord, a member fails", "python → ours");
    const code = "chord([q(fail.s(), 'ts'), q(add.s(1, 1), 'py')], group(alternate([xsum.s(), xsum.s()])))";
    expect(await pythonRuns(code)).toMatchObject({ error: "ValueError", args: ["no"] });
  });

  test.each(["ts", "py"] as const)(
    "given a chain whose first step fails on %s, when asked for the last, then it has that failure",
    async (queue) => {
      proves("Canvas", "chain, a step fails", "python → ours");
      const code = `chain(q(fail.s(), '${queue}'), q(add.s(1), 'py'), q(mul.s(2), 'ts'))`;
      expect(await pythonRuns(code)).toMatchObject({ error: "ValueError", args: ["no"] });
    },
  );
});

describe("links", () => {
  test("given callbacks on a task of Python's, when our worker has run it, then each is started with the result", async () => {
    proves("Canvas", "link", "python → ours");
    const code =
      "(lambda s: (s.link(q(note.si('p1', 7), 'py')), s.link(q(note.si('p2', 7), 'ts')), s)[-1])(q(add.s(3, 4), 'ts'))";
    const { value, id } = await pythonRuns(code);
    expect(value).toBe(7);
    expect(await notes("p1", 1)).toEqual(["7"]);
    expect(await notes("p2", 1)).toEqual(["7"]);
    const children = await app.AsyncResult(id).children();
    expect(children?.length).toBe(1);
  });

  test("given a callback on a task of ours, when Python's worker has run it, then it is started with the result", async () => {
    proves("Canvas", "link", "ours → python");
    const sig = q(add(3, 4), "py").link(q(tasks.mul.s(2).link(q(tasks.note.s(), "ts")), "ts"));
    await sig.delay();
    expect(await notes("14", 1)).toEqual(["null"]);
  });

  test.each(["ts", "py"] as const)(
    "given errbacks of every kind on a task that fails on %s, when it has failed, then each is called as Celery calls it",
    async (queue) => {
      proves("Canvas", "link_error", "python → ours");
      const { id } = await pythonRuns(
        `(lambda s: (s.link_error(q(on_id.s(), 'ts')), s.link_error(q(on_failure.s(), 'py')), s)[-1])(q(fail.s(), '${queue}'))`,
      );
      const name = queue === "ts" ? `ts ${id} ValueError no` : `py ${id} ValueError no`;
      expect(await failures(2)).toEqual([`ts ${id}`, name].sort());
    },
  );

  test("given an errback on a chord of ours, when a member fails, then it is called for the body", async () => {
    proves("Canvas", "link_error on a chord", "ours → python");
    const sig = chord([q(failing(), "py"), q(add(1, 1), "ts")], q(xsum(), "ts")).linkError(
      q(tasks.onId.s(), "ts"),
    );
    const result = (await sig.applyAsync()) as AsyncResult<number>;
    await expect(own(result)).rejects.toThrow(/ChordError/);
    expect(await failures(1)).toEqual([`ts ${result.id}`]);
  });

  test("given an errback on a chain of Python's, when the second step fails on ours, then it is called with that step's id", async () => {
    proves("Canvas", "link_error on a chain", "python → ours");
    await pythonRuns(
      "(lambda c: (c.link_error(q(on_id.s(), 'py')), c)[-1])(chain(q(add.s(1, 1), 'py'), q(fail.s(), 'ts'), q(add.s(1), 'py')))",
    );
    expect((await failures(1))[0]).toMatch(/^py [0-9a-f-]{36}$/);
  });
});

describe("results", () => {
  test.each(["ts", "py"] as const)(
    "given a task that sends others on %s, when asked for its children, then both sides see them",
    async (queue) => {
      proves("Results", "children and collect", queue === "ts" ? "python → ours" : "ours → python");
      const { id } = await pythonRuns(`q(parent.s('${queue}'), '${queue}')`);
      expect(await python.ask({ command: "leaves", id })).toEqual([2, 4, 6]);
      const values: unknown[] = [];
      for await (const [receipt, value] of app.AsyncResult(id).collect({ timeout: 20 })) {
        if (((await receipt.children()) ?? []).length === 0) values.push(value);
      }
      expect(values).toEqual([2, 4, 6]);
      expect(await app.AsyncResult(id).getLeaf({ timeout: 20 })).toBe(6);
    },
  );

  test("given a group that was saved by either side, when the other restores it, then it has the results", async () => {
    proves("Results", "saved groups", "mixed");
    const id = await python.ask<string>({
      command: "save",
      code: "group(alternate([add.s(1, 1), add.s(2, 2)]))",
    });
    const restored = await app.GroupResult.restore(id);
    expect(await restored?.get({ timeout: 20 })).toEqual([2, 4]);
    expect(await restored?.completedCount()).toBe(2);

    const ours = await group(alternate([add(3, 3), add(4, 4)])).applyAsync();
    await ours.save();
    expect(await python.ask({ command: "restore", id: ours.id })).toEqual({ value: [6, 8] });
    await ours.forget();
    await ours.delete();
    expect(await app.GroupResult.restore(ours.id)).toBeNull();
    expect(await app.AsyncResult(ours.results[0]?.id ?? "").state()).toBe("PENDING");
  });

  test("given a task that ran on ours or on Python's, when it is asked about, then both sides tell the same", async () => {
    proves("Results", "extended results", "mixed");
    const ours = (await q(add(1, 2), "ts").applyAsync()) as AsyncResult<number>;
    const theirs = (await q(add(1, 2), "py").applyAsync()) as AsyncResult<number>;
    await Promise.all([ours.get({ timeout: 20 }), theirs.get({ timeout: 20 })]);
    const expected = { name: "canvas.add", args: [1, 2], kwargs: {}, retries: 0 };
    expect(await python.ask({ command: "info", id: ours.id })).toEqual({
      ...expected,
      worker: "w1@test",
      queue: "ts",
    });
    expect(await theirs.info()).toMatchObject({ ...expected, queue: "py" });
    expect([await theirs.name(), await theirs.args(), await theirs.retries(), await theirs.queue()]).toEqual([
      "canvas.add",
      [1, 2],
      0,
      "py",
    ]);
    expect((await theirs.dateDone())?.getTime()).toBeGreaterThan(Date.now() - 60_000);
  });

  test("given a task of ours that waits in Python's worker, when it is revoked, then it never runs", async () => {
    proves("Results", "revoke", "ours → python");
    const waiting = (await q(add(1, 2), "py").set({ countdown: 3600 }).applyAsync()) as AsyncResult<number>;
    await pythonWorker.line(new RegExp(`Task canvas.add\\[${waiting.id}\\] received`));
    await waiting.revoke();
    await expect(waiting.get({ timeout: 20 })).rejects.toThrow(/TaskRevokedError/);
  });

  test("given a result that is forgotten by either side, when the other asks, then it is pending", async () => {
    proves("Results", "forget", "mixed");
    const result = (await chain(q(add(1, 1), "ts"), q(mul(5), "py")).applyAsync()) as AsyncResult<number>;
    await result.get({ timeout: 20 });
    await python.ask({ command: "forget", id: result.id });
    expect(await app.AsyncResult(result.id).state()).toBe("PENDING");
    await result.forget();
    expect(await app.AsyncResult(result.parent?.id ?? "").state()).toBe("PENDING");
  });

  test("given a chain, when its last result is asked for what came before, then the parents are there", async () => {
    const last = (await chain(q(add(1, 1), "ts"), q(mul(5), "py")).applyAsync()) as AsyncResult<number>;
    expect(await last.get({ timeout: 20 })).toBe(10);
    expect(await (last.parent as AsyncResult<number>).get({ timeout: 20 })).toBe(2);
  });

  test("given a chord that has ended, when its keys are looked for, then only the mark that it is done is left", async () => {
    const result = (await chord(
      alternate([add(1, 1), add(2, 2)]),
      q(xsum(), "ts"),
    ).applyAsync()) as AsyncResult<number>;
    await result.get({ timeout: 20 });
    const groupId = (result.parent as GroupResult<unknown>).id;
    const left = async (): Promise<unknown> => redis.call("KEYS", `celery-taskset-meta-${groupId}*`);
    await until(async () => ((await left()) as string[]).length === 1);
    expect(await left()).toEqual([`celery-taskset-meta-${groupId}.c`]);
    expect(await redis.call("HEXISTS", UNACKED, chordRescueId(groupId))).toBe(0);
  });
});

describe("celery.chord_unlock", () => {
  test.each(["ts", "py"] as const)(
    "given one sent by Python to %s, when the header has ended, then the body gets its results",
    async (queue) => {
      proves("Canvas", "celery.chord_unlock", "python → ours");
      const id = await python.ask<string>({
        command: "unlock",
        header: ["q(add.s(1, 1), 'ts')", "q(add.s(2, 2), 'py')"],
        body: `q(xsum.s(), '${queue === "ts" ? "py" : "ts"}')`,
        queue,
      });
      expect(await app.AsyncResult(id).get({ timeout: 20 })).toBe(6);
    },
  );

  test("given the message that ends a chord when our worker cannot, when Python's worker meets it, then it does", async () => {
    proves("Canvas", "chord, its worker dies", "ours → python");
    const members = (await group(alternate([add(1, 1), add(2, 2)])).applyAsync()) as GroupResult<number>;
    await members.get({ timeout: 20 });
    const body = q(tasks.xsum.s(), "ts");
    body.freeze();
    const part = { groupId: members.id, taskId: "", groupIndex: 0, member: "", failed: false };
    const parent = { id: members.id, rootId: members.id, priority: 0 };
    const rescue = makeRescue(app, { ...part, body: body.toJSON(), parent }, "py");
    const results = members.results.map((result) => encodeJson(result.asTuple())).join(", ");
    const text = encodeJson(`${rescue.bodyStart}${results}${rescue.bodyEnd}`);
    await redis.call("LPUSH", "py", `{"body": ${text}${rescue.envelopeEnd}`);
    expect(await app.AsyncResult(body.id ?? "").get({ timeout: 20 })).toBe(6);
  });
});
