import { describe, expect, test } from "vitest";
import { decodeJson, decodeVerbatim, encodeJson } from "../../protocol/json.ts";
import type { PreparedCall } from "../call-options.ts";
import { Celery } from "../celery.ts";
import type { TaskContext } from "../types.ts";
import { chain, chord, group, signature } from "./primitives.ts";
import { prepareCanvas } from "./send.ts";
import { type Sig } from "./sig.ts";
import { toSig } from "./to-sig.ts";

function openApp(settings: object = {}): Celery {
  return new Celery("canvas", settings);
}

function tasksOf(app: Celery): {
  readonly add: ReturnType<typeof addOf>;
  readonly sum: ReturnType<typeof sumOf>;
} {
  return { add: addOf(app), sum: sumOf(app) };
}

const addOf = (app: Celery) => app.task("t.add", (x: number, y: number) => x + y);
const sumOf = (app: Celery) =>
  app.task("t.sum", (numbers: number[]) => numbers.reduce((all, n) => all + n, 0));

describe("a signature", () => {
  const app = openApp();
  const { add } = tasksOf(app);

  test("given a task, when its calls are written down, then they are Celery's dicts", () => {
    expect(encodeJson(add.s(1))).toBe(
      '{"task": "t.add", "args": [1], "kwargs": {}, "options": {}, "subtask_type": null, "immutable": false}',
    );
    expect(add.si(1, 2).immutable).toBe(true);
    const options = {
      queue: "q",
      countdown: 5,
      linkError: add.s(9),
      stampedHeaders: ["a"],
      stamps: { a: 1 },
    };
    expect(add.signature([1], { ...options, kwargs: { y: 2 } }).toJSON()).toMatchObject({
      args: [1],
      kwargs: { y: 2 },
      options: { queue: "q", countdown: 5, link_error: [{ task: "t.add" }], stamped_headers: ["a"], a: 1 },
    });
  });

  test("given a clone with more arguments, when compared, then they come first and the original is as it was", () => {
    const one = add.s(2).set({ queue: "a" });
    const two = one.clone([1], { z: 3 }, { queue: "b", immutable: true });
    expect(two.toJSON()).toMatchObject({
      args: [1, 2],
      kwargs: { z: 3 },
      options: { queue: "b" },
      immutable: true,
    });
    expect(one.toJSON()).toMatchObject({ args: [2], kwargs: {}, options: { queue: "a" }, immutable: false });
    expect(add.si(2).clone([1]).args).toEqual([2]);
  });

  test("given the dict of another language with parts left out, when read, then the others have their defaults", () => {
    expect(app.signature({ task: "t.add" }).toJSON()).toEqual(add.s().toJSON());
  });

  test("given something else, when it is to be linked, then the error says what is expected", () => {
    expect(() => add.s().link(42 as never)).toThrow(/42 is no signature. Make one with task.s/);
  });

  test("given a signature of no app, when it is sent, then the error says how to get one that can be", async () => {
    await expect(signature("t.add", [1, 2]).delay()).rejects.toThrow(/belongs to no app.*app\.signature/s);
  });

  test("given a chord in an app without results, when it is sent, then the error says so and nothing was sent", async () => {
    await expect(chord([add.s(1, 2)], add.s()).delay()).rejects.toThrow(/No result backend is configured/);
    await app.close();
  });

  test("given frozen tasks, when their ids are asked for, then the receipt has them", () => {
    const sig = chain(add.s(1, 2), add.s(3));
    const receipt = sig.freeze("last");
    expect(receipt.id).toBe("last");
    const { tasks } = (sig.toJSON() as Sig & { kwargs: { tasks: Sig[] } }).kwargs;
    expect(receipt.parent?.id).toBe(tasks[0]?.options.task_id);
  });

  test("given a signature as argument or link, when the call is made, then the message has its dict", () => {
    const { message, headers } = app.prepare("t.run", [add.s(1)], { link: add.s(2) });
    const { body } = JSON.parse(message.raw) as { body: string };
    const dict = (n: number): object => add.s(n).toJSON();
    expect(JSON.parse(Buffer.from(body, "base64").toString())).toEqual([
      [dict(1)],
      {},
      { callbacks: [dict(2)], errbacks: null, chain: null, chord: null },
    ]);
    expect(headers.argsRepr).toContain("'task': 't.add'");
  });

  test("given a signature among arguments, when it travels, then it arrives as one", () => {
    const arrived = decodeJson(encodeJson([add.s(1)])) as [object];
    expect(app.signature(arrived[0] as Sig).args).toEqual([1]);
  });
});

describe("task_always_eager", () => {
  const app = openApp({ task_always_eager: true });
  const { add, sum } = tasksOf(app);
  const told: string[] = [];
  const onError = app.task("t.on_error", (request: { id: string }, exc: Error, _traceback: unknown) => {
    told.push(`${request.id} ${exc.message}`);
  });
  const fail = app.task("t.fail", { bind: true }, (_self: TaskContext): number => {
    throw new Error("no");
  });

  test.each([
    ["a chain", () => chain(add.s(1, 1), add.s(2), add.s(3)), 7],
    ["a chord in a chain", () => chain(add.s(1, 1), group(add.s(1), add.s(2)), sum.s(), add.s(1)), 8],
    ["a group", () => group(add.s(1, 1), add.s(2, 2)), [2, 4]],
    ["a map", () => sum.map([[1, 2], [3]]), [3, 3]],
    [
      "chunks",
      () =>
        add.chunks(
          [
            [1, 1],
            [2, 2],
            [3, 3],
          ],
          2,
        ),
      [[2, 4], [6]],
    ],
    ["a chord", () => chord([add.s(1, 1), add.s(2, 2)], sum.s()), 6],
  ])("given %s, when it is sent, then it has run here", async (_what, make, expected) => {
    const result = (await (make() as ReturnType<typeof add.s>).delay()) as { get(): Promise<unknown> };
    expect(await result.get()).toEqual(expected);
  });

  test("given callbacks and errbacks, when the task has run, then they have too", async () => {
    await add.s(1, 1).link(add.s(5)).delay();
    const failed = await fail.s().linkError(onError.s()).delay();
    expect(told).toEqual([`${failed.id} no`]);
  });

  test("given a step that fails, when the next needs its result, then its error is thrown", async () => {
    await expect(chain(fail.s(), add.s(1)).delay()).rejects.toThrow("no");
  });
});

test("given options of another sender's as Python writes them, when its signature is applied, then they are understood, and its arguments go on as they came", () => {
  const options =
    '{"countdown": 2.0, "expires": {"__type__": "datetime", "__value__": "2126-11-21T10:03:22.345678"}, ' +
    '"priority": 3.0, "headers": {"rate": 5.0}, "link": [{"task": "t", "args": [4.0]}]}';
  const sig = decodeVerbatim(
    `{"task": "t.add", "args": [1.0], "kwargs": {"y": 2.50}, "options": ${options}}`,
  );
  const { message, headers } = prepareCanvas(openApp(), toSig(sig)).calls[0] as PreparedCall;

  expect(headers).toMatchObject({ expires: "2126-11-21T10:03:22.345000+00:00", argsRepr: "(1.0,)" });
  expect(message).toMatchObject({ priority: 3 });
  const envelope = message.raw;
  expect(envelope).toContain('"rate": 5.0');
  const body = Buffer.from((JSON.parse(envelope) as { body: string }).body, "base64").toString();
  expect(body).toContain('[[1.0], {"y": 2.50}, {"callbacks": [{"task": "t", "args": [4.0]}]');
});
