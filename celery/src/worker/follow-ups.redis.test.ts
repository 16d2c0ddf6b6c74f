import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { redisUrl } from "../../test/support/redis-url.ts";
import { openTestBroker, type TestBroker } from "../../test/support/test-broker.ts";
import { startTestWorker, type TestWorker } from "../../test/support/test-worker.ts";
import { until } from "../../test/support/until.ts";
import { chain, chord, group } from "../app/canvas/primitives.ts";
import { Celery } from "../app/celery.ts";
import type { Task } from "../app/types.ts";
import type { AsyncResult } from "../backend/async-result.ts";
import type { GroupResult } from "../backend/group-result.ts";
import { openConnection, type RedisConnection } from "../redis/connection.ts";
import { groupKey } from "../redis/keys.ts";
import { makeDeferred } from "../runtime/deferred.ts";

const brokerUrl = `${redisUrl()}/43`;
const otherUrl = `${redisUrl()}/44`;

let broker: TestBroker;
let other: RedisConnection;
let app: Celery;
let worker: TestWorker | undefined;
let add: Task<[number, number], number>;
let sum: Task<[number[]], number>;
let fail: Task<[], null>;

beforeEach(async () => {
  broker = await openTestBroker(brokerUrl);
  other = openConnection(otherUrl);
  await other.call("FLUSHDB");
});

afterEach(async () => {
  await worker?.[Symbol.asyncDispose]();
  worker = undefined;
  await app.close();
  await other[Symbol.asyncDispose]();
  await broker[Symbol.asyncDispose]();
});

function open(backend: string, settings: object = {}): void {
  app = new Celery("flow", { broker: brokerUrl, backend, ...settings });
  add = app.task("flow.add", (x: number, y: number) => x + y);
  sum = app.task("flow.sum", (numbers: number[]) => numbers.reduce((total, n) => total + n, 0));
  fail = app.task("flow.fail", (): never => {
    throw new TypeError("no");
  });
}

const own = (result: { readonly id: string }): Promise<unknown> =>
  app.AsyncResult(result.id).get({ timeout: 10 });
const keysOf = async (redis: RedisConnection, groupId: string): Promise<string[]> =>
  ((await redis.call("KEYS", `${groupKey(groupId)}*`)) as string[]).sort();

describe.each([
  ["the broker's database", brokerUrl],
  ["another database", otherUrl],
])("results in %s", (_where, backend) => {
  beforeEach(async () => {
    open(backend);
    worker = await startTestWorker(app);
  });

  test("given a chord in a chain, when all have run, then the last has the sum, and nothing is left of it", async () => {
    const last = await chain(add.s(1, 1), group(add.s(10), add.s(20)), sum.s(), add.s(1)).delay();
    expect(await last.get({ timeout: 10 })).toBe(35);
    const redis = backend === brokerUrl ? broker.redis : other;
    await until(async () => ((await redis.call("KEYS", "celery-taskset-meta-*.j")) as string[]).length === 0);
    expect(await broker.unacked()).toBe(0);
  });

  test("given a chord whose member fails, when it is known, then the body fails at once", async () => {
    const body = await chord([fail.s(), add.s(1, 1), add.s(2, 2)], sum.s()).delay();
    await expect(own(body)).rejects.toThrow(/ChordError: Dependency .* raised TypeError\('no'\)/);
  });

  test("given thirty members that end at once, when they are counted, then the body runs once", async () => {
    const members = Array.from({ length: 30 }, (_, n) => add.s(n, n));
    const body = await chord(members, sum.s()).delay();
    expect(await body.get({ timeout: 10 })).toBe(870);
    const succeeded = worker?.events.filter(([type]) => type === "task-succeeded").length;
    expect(succeeded).toBe(31);
  });
});

test("given a part that comes a second time, when the chord has ended, then its body does not run again", async () => {
  open(brokerUrl);
  const body = await chord([add.s(1, 1), add.s(2, 2)], sum.s()).delay();
  const again = (await broker.redis.call("LRANGE", "celery", "0", "-1")) as string[];
  worker = await startTestWorker(app);
  expect(await body.get({ timeout: 10 })).toBe(6);
  const groupId = (body.parent as GroupResult<unknown>).id;
  await until(async () => (await keysOf(broker.redis, groupId)).length === 1);
  await broker.redis.call("LPUSH", "celery", ...again);
  const ended = (): number => worker?.events.filter(([type]) => type === "task-succeeded").length ?? 0;
  await until(() => ended() === 5);
  expect(await broker.app.transport().queueLength("celery")).toBe(0);
  expect(await keysOf(broker.redis, groupId)).toEqual([`${groupKey(groupId)}.c`]);
});

test("given results in the order of completion, when a chord has ended, then the body has had them all", async () => {
  open(brokerUrl, { result_backend_transport_options: { result_chord_ordered: false } });
  worker = await startTestWorker(app);
  const body = await chord([add.s(1, 1), add.s(2, 2), add.s(3, 3)], sum.s()).delay();
  expect(await body.get({ timeout: 10 })).toBe(12);
});

test("given a body that cannot be sent, when its chord is complete, then it fails and says why", async () => {
  open(brokerUrl);
  worker = await startTestWorker(app);
  const body = app.signature<number>("flow.sum");
  (body.options as Record<string, unknown>)["eta"] = "never";
  const result = await chord([add.s(1, 1)], body).delay();
  await expect(own(result)).rejects.toThrow(/ChordError: Callback error: InvalidArgument\('eta = "never"/);
});

test.each(["a task", "a group"])(
  "given a body, %s, whose errback cannot be sent, when its chord fails, then the body fails all the same, and the log says what to correct",
  async (what) => {
    open(brokerUrl);
    worker = await startTestWorker(app);
    const told = app.signature("flow.sum");
    (told.options as Record<string, unknown>)["eta"] = "never";
    const member = sum.s().linkError(told);
    const header = [fail.s()];
    const failing =
      what === "a task"
        ? await chord(header, member).delay()
        : ((await chord(header, group(member)).delay()).results[0] as { id: string });
    await expect(own(failing)).rejects.toThrow(/no/);
    const { text } = await worker.logged(/not all that waits for its body can be told/);
    expect(text).toContain("Correct the link_error or chain that the body was sent with.");
    await until(async () => (await broker.unacked()) === 0);
  },
);

test("given a callback that cannot be sent, when its task has run, then the task has failed", async () => {
  open(brokerUrl);
  worker = await startTestWorker(app);
  const callback = app.signature("flow.sum", [], { queue: "x" });
  (callback.options as Record<string, unknown>)["eta"] = "never";
  const result = await add.s(1, 1).link(callback).delay();
  await expect(result.get({ timeout: 10 })).rejects.toThrow(/eta = "never"/);
});

test("given a callback whose priority is beyond 9, as kombu lets clients send it, when its task has run, then it runs too", async () => {
  open(brokerUrl);
  worker = await startTestWorker(app);
  const callback = add.s(1);
  (callback.options as Record<string, unknown>)["priority"] = 77;
  const result = await add.s(1, 1).link(callback).delay();
  expect(await result.get({ timeout: 10 })).toBe(2);
  await worker.logged(/flow\.add\[.*succeeded in .*: 3$/);
});

test.each([true, false])(
  "given a callback whose queue is no list, when its task has run with acksLate %s, then the task has failed, once, and its errback runs",
  async (acksLate) => {
    open(brokerUrl, { task_acks_late: acksLate });
    await broker.redis.call("SET", "no-list", "x");
    worker = await startTestWorker(app);
    const told = sum.si([20, 20]);
    const call = add
      .s(1, 1)
      .link(app.signature("flow.sum", [], { queue: "no-list" }))
      .linkError(told);
    await expect((await call.delay()).get({ timeout: 10 })).rejects.toThrow(/Redis refused to finish/);
    await worker.logged(/flow\.sum\[.*succeeded in .*: 40$/);
    await until(async () => (await broker.unacked()) === 0);
    expect(worker.events.filter(([type]) => type === "task-started")).toHaveLength(2);
  },
);

const FOREIGN_KEYS: readonly (readonly [what: string, suffix: string, ...command: string[]])[] = [
  ["a size that is a list", ".s", "RPUSH"],
  ["a size that is no number", ".s", "SET"],
  ["a correction that is a list", ".t", "RPUSH"],
  ["parts that are a text", ".j", "SET"],
  ["counted parts that are a text", ".d", "SET"],
  ["a shape that is a list", "", "RPUSH"],
  ["a shape that is no JSON", "", "SET"],
];

test.each([brokerUrl, otherUrl].flatMap((backend) => FOREIGN_KEYS.map((key) => [...key, backend] as const)))(
  "given a chord with %s (%s, %s), when its parts end, then each has run once, and its body has failed and says why",
  async (_what, suffix, command, backend) => {
    open(backend, { task_acks_late: true });
    const body = await chord([add.s(1, 1), add.s(2, 2)], sum.s()).delay();
    const { id } = body.parent as GroupResult<unknown>;
    const redis = backend === brokerUrl ? broker.redis : other;
    await redis.call("DEL", groupKey(id) + suffix);
    await redis.call(command as string, groupKey(id) + suffix, "garbage");
    worker = await startTestWorker(app);

    await expect(own(body)).rejects.toThrow(
      /ChordError: Join error: (something else is in its keys|0 of 2 parts were counted)/,
    );
    await until(async () => (await broker.unacked()) === 0);
    expect(worker.events.filter(([type]) => type === "task-started")).toHaveLength(2);
    expect((await broker.leftovers()).dead).toBe(0);
  },
);

test.each(["the broker's database", "another database"])(
  "given a chord whose claim is a list, with results in %s, when its parts end, then its body runs",
  async (where) => {
    open(where === "another database" ? otherUrl : brokerUrl);
    const body = await chord([add.s(1, 1), add.s(2, 2)], sum.s()).delay();
    const redis = where === "another database" ? other : broker.redis;
    await redis.call("RPUSH", `${groupKey((body.parent as GroupResult<unknown>).id)}.c`, "garbage");
    worker = await startTestWorker(app);
    expect(await own(body)).toBe(6);
  },
);

test("given a part among a chord's that nobody can read, when the chord is complete, then its body has failed and says so", async () => {
  open(brokerUrl);
  const body = await chord([add.s(1, 1), add.s(2, 2), add.s(3, 3)], sum.s()).delay();
  await broker.redis.call("ZADD", `${groupKey((body.parent as GroupResult<unknown>).id)}.j`, "7", "[1,");
  worker = await startTestWorker(app);
  await expect(own(body)).rejects.toThrow(/ChordError: Join error: \[1, is no result of a part/);
});

test.each(["add", "unknown"])(
  "given a chord whose parts cannot be counted, when flow.%s cannot be answered for, then it is tried four times, and is a dead letter",
  async (name) => {
    await broker.redis.call("ACL", "SETUSER", "countless", "on", ">x", "~*", "&*", "+@all");
    const asCountless = brokerUrl.replace("redis://", "redis://countless:x@");
    open(asCountless, { broker: asCountless, task_acks_late: true });
    worker = await startTestWorker(app);
    await broker.redis.call("ACL", "SETUSER", "countless", "-sadd");
    await broker.app.sendTask(`flow.${name}`, [1, 1], {
      taskId: `uncountable-${name}`,
      groupId: "uncountable",
      chord: { task: "flow.sum", options: { task_id: "body" } },
    });
    await worker.logged(/was put to the dead letters .*It could not be settled 4 times: .*run this command/);
    await until(async () => (await broker.unacked()) === 0);
    const letters = (await broker.redis.call("LRANGE", "ts1:dead:celery", "0", "-1")) as string[];
    expect(letters.map((letter) => (JSON.parse(letter) as { reason: string }).reason)).toEqual([
      expect.stringContaining("It could not be settled 4 times"),
    ]);
    expect(await broker.redis.call("EXISTS", "ts1:deliveries")).toBe(0);
    const runs = worker.events.filter(([type]) => type === "task-started").length;
    expect(runs).toBe(name === "add" ? 4 : 0);
  },
);

test.each([
  [false, "the broker's database", brokerUrl],
  [true, "the broker's database", brokerUrl],
  [false, "another database", otherUrl],
  [true, "another database", otherUrl],
])(
  "given a failure that is to be a dead letter, when its message was somebody else's meanwhile %s, with results in %s, then its errback runs only if it was not",
  async (isTaken, _where, backend) => {
    open(backend, { task_acks_late: true, task_acks_on_failure_or_timeout: false });
    const begun = makeDeferred<undefined>();
    const gate = makeDeferred<undefined>();
    app.task("flow.late", async (): Promise<never> => {
      begun.resolve(undefined);
      await gate.promise;
      throw new TypeError("late");
    });
    worker = await startTestWorker(app);
    const result = await app.sendTask("flow.late", [], { linkError: sum.si([20, 20]) });
    await begun.promise;
    if (isTaken) await broker.redis.call("DEL", "unacked", "unacked_index");
    gate.resolve(undefined);
    await worker.logged(isTaken ? /flow\.late.* another worker has taken it over/ : /flow\.sum\[.*succeeded/);
    const { dead } = await broker.leftovers();
    expect([await app.AsyncResult(result.id).state(), dead]).toEqual(
      isTaken ? ["PENDING", 0] : ["FAILURE", 1],
    );
    expect(await broker.app.transport().queueLength("celery")).toBe(0);
    expect(worker.events.filter(([type]) => type === "task-failed")).toHaveLength(isTaken ? 0 : 1);
  },
);

test("given a failure whose errback's queue is no list, when it is stored, then it is what the task threw, once", async () => {
  open(brokerUrl, { task_acks_late: true });
  await broker.redis.call("SET", "no-list", "x");
  worker = await startTestWorker(app);
  const linkError = app.signature("flow.unknown", [], { queue: "no-list" });
  const result = await fail.applyAsync([], { linkError });
  await expect(own(result)).rejects.toThrow(/TypeError: no/);
  await until(async () => (await broker.unacked()) === 0);
  expect(worker.events.filter(([type]) => type === "task-started")).toHaveLength(1);
});

const ITS_OWN = /TypeError: no/;

test.each([
  ["an errback that cannot be sent", { linkError: { task: "flow.sum", options: { eta: "never" } } }, ITS_OWN],
  // Read where the task runs, too: that it cannot be is what the task fails with.
  ["an errback that is none", { linkError: "nonsense" as never }, /nonsense is no signature/],
  ["a next step that is none", { chain: ["nonsense"] as never }, ITS_OWN],
  ["a chord that is none", { chord: "nonsense" as never, groupId: "g" }, ITS_OWN],
])(
  "given %s, when its late-ack task has failed, then it has failed once, and the log says what to correct",
  async (_what, options, failure) => {
    open(brokerUrl);
    app.conf.task_acks_late = true;
    worker = await startTestWorker(app);
    const result = await app.sendTask("flow.fail", [], options);
    await expect(own(result)).rejects.toThrow(failure);
    const { text } = await worker.logged(/not all that waits for it can be told/);
    expect(text).toContain("Correct the link_error, chain or chord");
    await until(async () => (await broker.unacked()) === 0);
    expect(await broker.app.transport().queueLength("celery")).toBe(0);
    expect(worker.events.filter(([type]) => type === "task-failed")).toHaveLength(1);
  },
);

test("given a worker that keeps no results, when a chord comes next in a chain, then the task has failed and says why", async () => {
  open(brokerUrl);
  await chain(add.s(1, 1), group(add.s(1), add.s(2)), sum.s()).delay();
  const bare = new Celery("bare", { broker: brokerUrl });
  bare.task("flow.add", (x: number, y: number) => x + y);
  worker = await startTestWorker(bare);
  const { text } = await worker.logged(/what comes after it could not be sent/);
  expect(text).toContain("NoResultBackend('No result backend is configured");
  await worker.warm();
  await bare.close();
});

test("given a chord that somebody else has claimed, when a part of it fails, then the body fails once that claim has lapsed", async () => {
  open(brokerUrl);
  const body = await chord([fail.s(), add.s(2, 2)], sum.s()).delay();
  const groupId = (body.parent as GroupResult<unknown>).id;
  await broker.redis.call("SET", `${groupKey(groupId)}.c`, "somebody else", "PX", "300");
  worker = await startTestWorker(app);
  await expect(app.AsyncResult(body.id).get({ timeout: 20 })).rejects.toThrow(/ChordError/);
});

test("given a chord that Python's worker left claimed, when the claim has lapsed, then unlocking it sends the body", async () => {
  open(brokerUrl);
  const body = (await chord([add.s(1, 1), add.s(2, 2)], sum.s()).delay()) as AsyncResult<number>;
  const groupId = (body.parent as GroupResult<unknown>).id;
  await broker.redis.call("SET", `${groupKey(groupId)}.c`, "somebody else", "PX", "300");
  worker = await startTestWorker(app);
  // The last of the two parts finds it claimed, and parks what looks after it.
  expect(await body.get({ timeout: 20 })).toBe(6);
  expect(worker.records.some(({ text }) => text.startsWith("Task celery.chord_unlock["))).toBe(true);
});

test.each([0, 2])(
  "given a chord whose parts never end, when it was looked for them %s times more and no oftener, then its body fails",
  async (max_retries) => {
    open(brokerUrl);
    worker = await startTestWorker(app);
    const body = { task: "flow.sum", options: { task_id: `never-${max_retries}` } };
    const kwargs = { interval: 0.05, max_retries, result: [[["unknown", null], null]] };
    await app.sendTask("celery.chord_unlock", ["no-group", body], { kwargs });
    await expect(own({ id: `never-${max_retries}` })).rejects.toThrow(
      /ChordError: chord_unlock could not be retried: MaxRetriesExceededError/,
    );
    expect(worker.events.filter(([type]) => type === "task-retried")).toHaveLength(max_retries);
  },
);
