import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { aTask, someFacts } from "../../test/facts.ts";
import { evaluate } from "./evaluate.ts";
import type { Facts, Json } from "./facts.ts";
import { parseExpression } from "./parse.ts";
import { ExpressionError } from "./tokens.ts";
import { isTrue } from "./values.ts";

const value = (source: string, facts: Facts = someFacts()): Json => evaluate(parseExpression(source), facts);

test.each<[string, Json]>([
  ["1 + 2 * 3", 7],
  ["(1 + 2) * 3", 9],
  ["7 / 2", 3.5],
  ["1 / 0", null],
  ["-3 - -4", 1],
  ["2 - 1 - 1", 0],
  ["8 / 2 / 2", 2],
  ['"a" + 1', "a1"],
  ['"a" + null', null],
  ["null + 1", null],
  ["true + 1", null],
  ["1 < 2", true],
  ["2 <= 2", true],
  ["3 > 4", false],
  ['"a" < "b"', true],
  ['"a" < 1', false],
  ["null < 1", false],
  ["null >= 0", false],
  ["1 == 1", true],
  ['1 == "1"', false],
  ["null == null", true],
  ["[1, [2, 'x']] == [1, [2, \"x\"]]", true],
  ["[1] == [1, 2]", false],
  ["[1, 2][1]", 2],
  ["[1, 2][-1]", 2],
  ["[1, 2][9]", null],
  ['"abc".length', 3],
  ["[].count", 0],
  ["not true", false],
  ["not not 1", true],
  ["not 0 and not null", true],
  ['not ""', true],
  ["not []", true],
  ["1 == 1 and 2 == 2", true],
  ["1 == 2 or 2 == 2", true],
  ["false or true and false", false],
  ["not 1 == 2", true],
  ["- 5", -5],
  ['"quote \\" and \\\\"', 'quote " and \\'],
  ["'it\\'s'", "it's"],
  ["2.5 * 2", 5],
])("given %s, when it is evaluated, then it is %j", (source, expected) => {
  expect(value(source)).toEqual(expected);
});

const busy = someFacts({
  workers: { online: 2, oldCode: 1, seen: 3 },
  unacked: { count: 4 },
  tasks: [
    aTask({ id: "a", retries: 2, starts: 3, result: { label: "good", scores: [1, 2] } }),
    aTask({
      id: "b",
      name: "tasks.flaky",
      state: "FAILURE",
      result: null,
      error: { type: "UpstreamError", message: "refused" },
    }),
    aTask({
      id: "c",
      state: "RETRY",
      retries: 1,
      args: [1, 2],
      result: null,
      finishedAt: null,
      runtime: null,
    }),
    aTask({ id: "d", name: null, state: "SUCCESS", args: null }),
  ],
  redis: {
    get: (key) => (key === "celery-task-meta-a" ? "{}" : null),
    llen: () => 5,
    exists: (key) => key.endsWith("-a"),
    keys: (pattern) => pattern.length,
  },
  queue: (name) => ({ length: name === "celery" ? 4 : 0, peak: 9 }),
  pane: (id) => ({
    exit: id === "producer" ? 0 : null,
    busy: id === "worker",
    command: "sh",
    saw: (p) => p.test("worker ready."),
  }),
  step: (id) => ({ phase: id === "send" ? "done" : "idle", exit: 0, runs: 2 }),
  file: (path) => ({ edited: path === "tasks.ts", loaded: true, has: (name) => name === "add" }),
  http: (url) => ({ status: url.endsWith("/x") ? 200 : 404, json: { state: "SUCCESS", list: [1] } }),
});

test.each<[string, Json]>([
  ["workers.online >= 1 and workers.oldCode == 1 and workers.seen == 3", true],
  ['queue("celery").length == 4 and queue("celery").peak == 9', true],
  ["unacked.count", 4],
  ['task("tasks.add").state', "RETRY"],
  ['task("tasks.add").args', [1, 2]],
  ['task("tasks.flaky").error.type', "UpstreamError"],
  ['task("tasks.add").error.type', null],
  ['task("nobody").error.message', null],
  ['task("nobody").args[0] == 4', false],
  ["tasks().count", 4],
  ['tasks("tasks.add").count', 2],
  ['tasks().where(state == "SUCCESS").count', 2],
  ['tasks("tasks.add").where(state == "SUCCESS" and retries == 2).count', 1],
  ['tasks().where(name == "tasks.flaky").first.id', "b"],
  ["tasks().last.id", "d"],
  ['tasks().max("retries")', 2],
  ['tasks().min("retries")', 0],
  ['tasks("nobody").max("retries")', null],
  ["tasks().first.result.label", "good"],
  ["tasks().first.result.scores[1]", 2],
  ["tasks().first.result.constructor", null],
  ["tasks().first.result.__proto__", null],
  ['tasks().where(redis.exists("celery-task-meta-" + id)).count', 1],
  ["tasks().where(tasks().where(retries == 2).count == 1).count", 4],
  ['tasks().where(result.label == "good").count', 1],
  ['redis.get("celery-task-meta-" + tasks().first.id)', "{}"],
  ['redis.llen("x") + redis.keys("ab*")', 8],
  ['pane("producer").exit == 0 and pane("worker").busy', true],
  ['pane("worker").saw(/ready\\.$/)', true],
  ['pane("worker").saw(/READY/)', false],
  ['pane("worker").saw(/READY/i)', true],
  ['step("send").phase == "done" and step("send").runs == 2', true],
  ['file("tasks.ts").edited and file("tasks.ts").has("add") and file("tasks.ts").loaded', true],
  ['http("http://127.0.0.1:8000/x").status', 200],
  ['http("http://127.0.0.1:8000/x").json.state', "SUCCESS"],
  ['http("http://127.0.0.1:8000/x").json["state"]', "SUCCESS"],
])("given what was observed, when %s is evaluated, then it is %j", (source, expected) => {
  expect(value(source, busy)).toEqual(expected);
});

describe("given an expression that can not be right", () => {
  test.each([
    ["", 0, "ends too early"],
    ["1 +", 3, "ends too early"],
    ["1 2", 2, "did not expect"],
    ["(1", 2, 'expected ")"'],
    ["1 < 2 < 3", 6, 'need "and"'],
    ["a && b", 2, 'write "and"'],
    ["1 || 2", 2, 'write "or"'],
    ["!true", 0, 'write "not"'],
    ["1 = 2", 2, 'write "=="'],
    ["1 === 2", 2, 'write "=="'],
    ["workers.onlin", 8, "known: online, oldCode, seen"],
    ["worker.online", 0, '"worker" is not a word'],
    ["constructor", 0, "is not a word"],
    ["__proto__", 0, "is not a word"],
    ["workers.constructor", 8, "is not a word"],
    ["tasks()", 0, "not a value yet: add count, first"],
    ["task", 0, "is called with a value"],
    ["task.state", 5, "needs a value in parentheses"],
    ["task()", 0, "needs the name of a task"],
    ["task(1)", 5, "the name of a task"],
    ['task("a", "b")', 10, "takes one value"],
    ['pane("worke").exit', 5, '"broker" or "worker" or "producer"'],
    ['pane("worker").saw("ready")', 19, "a pattern"],
    ['tasks().max("name")', 12, '"retries" or'],
    ['tasks().where(stat == "SUCCESS").count', 14, "known:"],
    ["/x/ == 1", 0, "only in saw"],
    ["workers.online()", 8, "can not be called"],
    ['http("http://example.com/").status', 5, "an address of this machine"],
    ['http("https://127.0.0.1/").status', 5, "an address of this machine"],
    ["'open", 0, "no closing '"],
    ['pane("worker").saw(/open)', 19, "no closing /"],
    ['pane("worker").saw(/(/)', 19, "Unterminated group"],
    ['pane("worker").saw(/x/g)', 22, "no flag but i"],
    ["1 # 2", 2, "means nothing"],
    ["3x", 1, "a number ends"],
    ["and 1", 0, "a value is missing"],
  ])("when %s is parsed, then the error is at column %i and says %s", (source, column, message) => {
    const error = failureOf(() => parseExpression(source));
    expect(error.message).toContain(message);
    expect(error.column).toBe(column);
  });
});

test.each([
  ["brackets", `${"(".repeat(40)}1${")".repeat(40)}`, "nested too deeply"],
  ["words", `${"not ".repeat(60)}1`, "nested too deeply"],
  ["a sum", `1${" + 1".repeat(150)}`, "more than 200 parts"],
  ["a text", `"${"x".repeat(2000)}"`, "longer than"],
])(
  "given an expression with %s beyond all bounds, when it is parsed, then it is refused",
  (_, source, message) => {
    expect(failureOf(() => parseExpression(source)).message).toContain(message);
  },
);

test("given any text, when it is parsed, then it is an expression or an ExpressionError within the text", {
  timeout: 60_000,
}, () => {
  const words = fc.constantFrom(
    "tasks",
    "()",
    ".where(",
    "state",
    "==",
    '"a"',
    "/",
    "(",
    ")",
    "[",
    "]",
    "not ",
    "and ",
    "1",
    ".",
    ",",
    "-",
  );
  const source = fc.oneof(
    fc.string(),
    fc.array(words).map((parts) => parts.join("")),
  );
  fc.assert(
    fc.property(source, (text) => {
      const parsed = attempt(() => parseExpression(text));
      if (parsed instanceof ExpressionError) expect(parsed.column).toBeLessThanOrEqual(text.length);
      else expect(isTrue(evaluate(parsed, busy))).toBeTypeOf("boolean");
    }),
    { numRuns: 3000 },
  );
});

test("given a where inside a where over thousands of tasks, when it is evaluated, then it gives up instead of hanging", () => {
  const tasks = Array.from({ length: 5000 }, (_, index) => aTask({ id: String(index) }));
  const source = "tasks().where(tasks().where(retries == 5).count == 1).count";
  expect(() => value(source, someFacts({ tasks }))).toThrow("too many steps");
});

test("given results of any shape, when they are compared and indexed, then nothing throws", {
  timeout: 60_000,
}, () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
      const facts = someFacts({
        tasks: [aTask({ name: "a", result: a as Json }), aTask({ name: "b", result: b as Json })],
      });
      const same = value('task("a").result == task("b").result', facts);
      expect(same).toBe(isDeepStrictEqual(plain(a), plain(b)));
      value('task("a").result.x[0]["length"] < 5 or task("a").result + 1 == 2', facts);
    }),
  );
});

/** Without -0, which JSON does not have. */
function plain(json: unknown): unknown {
  return JSON.parse(JSON.stringify(json));
}

function attempt<T>(work: () => T): T | ExpressionError {
  try {
    return work();
  } catch (error) {
    if (error instanceof ExpressionError) return error;
    throw error;
  }
}

function failureOf(work: () => unknown): ExpressionError {
  const result = attempt(work);
  if (result instanceof ExpressionError) return result;
  throw new Error("expected an ExpressionError");
}
