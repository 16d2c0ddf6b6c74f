import { afterEach, beforeEach, expect, onTestFinished, test } from "vitest";
import { startEmulatedRedis } from "../../test/support/emulated-redis.ts";
import { startRedisServer } from "../../test/support/redis-server.ts";
import { openTcpProxy } from "../../test/support/tcp-proxy.ts";
import { until } from "../../test/support/until.ts";
import { OperationalError } from "../protocol/errors.ts";
import type { ResultMeta } from "../protocol/result-meta.ts";
import { openConnection, type RedisConnection } from "../redis/connection.ts";
import { openSubscriber } from "../redis/subscriber.ts";
import { makeUuidFamily } from "../runtime/uuid.ts";
import type { ResultBackend } from "./backend.ts";
import { openBackend } from "./open-backend.ts";

/** A server of its own: its command statistics and its subscriptions are all ours. */
let server: Awaited<ReturnType<typeof startRedisServer>>;
let redis: RedisConnection;
let own: ReturnType<typeof makeUuidFamily>;
/** Has the ids of `own`. */
let backend: ResultBackend;
/** Stores what the other hears. */
let worker: ResultBackend;
const options = { expiresSeconds: 60, connectTimeoutSeconds: 2 };

beforeEach(async () => {
  server = await startRedisServer();
  redis = openConnection(server.url);
  own = makeUuidFamily();
  backend = openBackend(server.url, { ...options, ownIds: own.prefix });
  worker = openBackend(server.url, options);
});
afterEach(async () => {
  await backend[Symbol.asyncDispose]();
  await worker[Symbol.asyncDispose]();
  await redis[Symbol.asyncDispose]();
  await server.stop();
});

function meta(taskId: string, changes: Partial<ResultMeta> = {}): ResultMeta {
  return { taskId, status: "SUCCESS", result: 8, traceback: null, children: [], dateDone: null, ...changes };
}

/** An id that a task gets now, and the moment before. */
function newTask(of: ResultBackend = backend): { id: string; mark: ReturnType<ResultBackend["mark"]> } {
  const mark = of.mark();
  return { id: own.next(), mark };
}

async function commandCalls(...names: readonly string[]): Promise<number> {
  const info = String(await redis.call("INFO", "commandstats"));
  return names
    .map((name) => Number(new RegExp(`cmdstat_${name}:calls=(\\d+)`).exec(info)?.[1] ?? 0))
    .reduce((sum, calls) => sum + calls, 0);
}

const CLIENT_COMMANDS = ["get", "mget", "subscribe", "unsubscribe", "psubscribe", "punsubscribe"];
const patterns = async (): Promise<number> => Number(await redis.call("PUBSUB", "NUMPAT"));
const channels = async (): Promise<number> =>
  ((await redis.call("PUBSUB", "CHANNELS", "*")) as string[]).length;

/** So that the backend listens to its own results. */
async function getOne(): Promise<void> {
  const { id, mark } = newTask();
  await worker.store(meta(id));
  await backend.wait(id, { mark });
}

/** Settles when `of` has heard what was published before. */
async function heardAll(of: ResultBackend = backend): Promise<void> {
  const { id, mark } = newTask(of);
  const last = of.wait(id, { mark });
  await worker.store(meta(id));
  await last;
}

test("given own results that were listened to once, when hundreds more are waited for, then that takes no command at all", async () => {
  await getOne();
  const before = await commandCalls(...CLIENT_COMMANDS);
  for (let turn = 0; turn < 100; turn += 1) {
    const { id, mark } = newTask();
    const waiting = backend.wait(id, { mark });
    await worker.store(meta(id, { result: turn }));
    expect(await waiting).toMatchObject({ taskId: id, result: turn });
  }
  const tasks = Array.from({ length: 500 }, () => newTask());
  const all = Promise.all(tasks.map(({ id, mark }) => backend.wait(id, { mark })));
  await Promise.all(tasks.map(({ id }, index) => worker.store(meta(id, { result: index }))));
  expect((await all).map(({ result }) => result)).toEqual(tasks.map((_, index) => index));
  expect(await commandCalls(...CLIENT_COMMANDS)).toBe(before);
  expect([await patterns(), await channels()]).toEqual([1, 0]);
});

test("given an own result that comes before anybody waits for it, then it is known without a read", async () => {
  await getOne();
  const { id, mark } = newTask();
  await worker.store(meta(id, { status: "RETRY", result: null }));
  await worker.store(meta(id));
  await heardAll();
  const before = await commandCalls(...CLIENT_COMMANDS);
  const states: string[] = [];
  const options = { mark, onUpdate: ({ status }: ResultMeta) => void states.push(status) };
  expect(await backend.wait(id, options)).toMatchObject({ result: 8 });
  expect(states).toEqual(["SUCCESS"]);
  expect(await commandCalls(...CLIENT_COMMANDS)).toBe(before);
  expect(await backend.wait(id, options)).toMatchObject({ result: 8 });
  expect(await commandCalls(...CLIENT_COMMANDS)).toBe(before + 1);
});

test("given somebody else who hears the result first, by the id alone, when its sender waits afterwards, then he gets it too", async () => {
  await getOne();
  const { id, mark } = newTask();
  await worker.store(meta(id, { status: "RETRY", result: null }));
  const other = backend.wait(id);
  await heardAll();
  await worker.store(meta(id));
  expect(await other).toMatchObject({ result: 8 });
  expect(await backend.wait(id, { mark })).toMatchObject({ result: 8 });
});

test("given one who gives up, or whose onMessage throws, when the result is waited for again, then it is there", async () => {
  await getOne();
  const { id, mark } = newTask();
  const stop = new AbortController();
  const patient = backend.wait(id, { mark, signal: stop.signal });
  stop.abort(new Error("enough"));
  await expect(patient).rejects.toThrow("enough");
  await worker.store(meta(id));
  await heardAll();
  expect(await backend.wait(id, { mark })).toMatchObject({ result: 8 });
  const next = newTask();
  const onUpdate = (): void => {
    throw new Error("oh");
  };
  const clumsy = backend.wait(next.id, { mark: next.mark, onUpdate });
  await worker.store(meta(next.id));
  await expect(clumsy).rejects.toThrow("oh");
  expect(await backend.wait(next.id, { mark: next.mark })).toMatchObject({ result: 8 });
});

test("given one who waits, when states come on the way, then each is told, once", async () => {
  await getOne();
  const { id, mark } = newTask();
  const states: string[] = [];
  const waiting = backend.wait(id, { mark, onUpdate: ({ status }) => states.push(status) });
  for (const status of ["STARTED", "RETRY", "STARTED", "PROGRESS"]) {
    await worker.store(meta(id, { status, result: null }));
  }
  await worker.store(meta(id));
  await waiting;
  expect(states).toEqual(["STARTED", "RETRY", "STARTED", "PROGRESS", "SUCCESS"]);
});

test("given results that were stored before the first wait, or without a mark, then they are read", async () => {
  const early = newTask();
  await worker.store(meta(early.id));
  expect(await backend.wait(early.id, { mark: early.mark })).toMatchObject({ result: 8 });
  const known = newTask();
  await worker.store(meta(known.id, { result: 9 }));
  await heardAll();
  expect(await backend.wait(known.id)).toMatchObject({ result: 9 });
});

test("given ids that are not of this app, then each has its channel, as long as it is waited for", async () => {
  await getOne();
  const foreign = makeUuidFamily().next();
  const waiting = backend.wait(foreign, { mark: backend.mark() });
  await until(async () => (await channels()) === 1);
  await worker.store(meta(foreign));
  expect(await waiting).toMatchObject({ result: 8 });
  await until(async () => (await channels()) === 0);
});

test("given a forgotten result, when it is waited for again, then it is not there", async () => {
  await getOne();
  const { id, mark } = newTask();
  await worker.store(meta(id));
  await heardAll();
  await backend.forget(id);
  const stop = new AbortController();
  const waiting = backend.wait(id, { mark, signal: stop.signal });
  await heardAll();
  stop.abort(new Error("still nothing"));
  await expect(waiting).rejects.toThrow("still nothing");
});

test("given the line cut between sending and waiting, when the result comes in the gap, then it is read", async () => {
  await using proxy = await openTcpProxy(server.url);
  await using cutOff = openBackend(proxy.url, { ...options, ownIds: own.prefix });
  await heardAll(cutOff);
  const [before, during] = [newTask(cutOff), newTask(cutOff)];
  const waiting = cutOff.wait(before.id, { mark: before.mark });
  proxy.cut();
  await worker.store(meta(before.id, { result: 1 }));
  await worker.store(meta(during.id, { result: 2 }));
  expect(await waiting).toMatchObject({ result: 1 });
  expect(await cutOff.wait(during.id, { mark: during.mark })).toMatchObject({ result: 2 });
  const after = newTask(cutOff);
  await worker.store(meta(after.id, { result: 3 }));
  expect(await cutOff.wait(after.id, { mark: after.mark })).toMatchObject({ result: 3 });
});

test("given a task whose backend was closed and opened again, then its mark is not taken for one of the new backend", async () => {
  for (let turn = 0; turn < 5; turn += 1) await getOne();
  const { id, mark } = newTask();
  await backend[Symbol.asyncDispose]();
  backend = openBackend(server.url, { ...options, ownIds: own.prefix });
  await worker.store(meta(id));
  await getOne();
  expect(await backend.wait(id, { mark })).toMatchObject({ result: 8 });
});

test("given many patterns on the server, then own results are heard one by one", async () => {
  await using others = openSubscriber(server.url);
  await Promise.all(Array.from({ length: 60 }, (_, index) => others.subscribePattern(`other-${index}*`)));
  const { id, mark } = newTask();
  const waiting = backend.wait(id, { mark });
  await until(async () => (await channels()) === 1);
  expect(await patterns()).toBe(60);
  await worker.store(meta(id));
  expect(await waiting).toMatchObject({ result: 8 });
});

test("given an access list that allows the channels and no pattern, then own results and others are heard one by one", async () => {
  await redis.call(
    "ACL",
    "SETUSER",
    "limited",
    "on",
    ">secret",
    "~*",
    "+@all",
    "resetchannels",
    "&celery-task-meta-*",
  );
  const url = server.url.replace("redis://", "redis://limited:secret@");
  await using limited = openBackend(url, { ...options, ownIds: own.prefix });
  const [first, second] = [own.next(), makeUuidFamily().next()];
  const waiting = Promise.all([second, first].map((id) => limited.wait(id)));
  await until(async () => (await channels()) === 2);
  await worker.store(meta(first, { result: 1 }));
  await worker.store(meta(second, { result: 2 }));
  expect((await waiting).map(({ result }) => result)).toEqual([2, 1]);
});

test("given an app whose results are hardly ever asked for, when they pour in, then they are not listened to any more; who waits misses nothing", async () => {
  await getOne();
  const patient = newTask();
  const waiting = backend.wait(patient.id, { mark: patient.mark });
  const unasked = () => ["PUBLISH", `celery-task-meta-${own.next()}`, "{}"] as const;
  for (let batch = 0; batch < 60 && (await patterns()) > 0; batch += 1) {
    await redis.pipeline(Array.from({ length: 500 }, unasked));
  }
  await until(async () => (await patterns()) === 0);
  expect(await channels()).toBe(1);
  const next = newTask();
  const later = backend.wait(next.id, { mark: next.mark });
  await until(async () => (await channels()) === 2);
  await worker.store(meta(patient.id, { result: 1 }));
  await worker.store(meta(next.id, { result: 2 }));
  expect([await waiting, await later].map(({ result }) => result)).toEqual([1, 2]);
});

test("given nobody listening, when an own result is waited for, then that is the error, soon, and it is not tried for ever", async () => {
  await using away = openBackend("redis://127.0.0.1:1/0", { ...options, ownIds: own.prefix });
  await expect(away.wait(own.next())).rejects.toThrow(OperationalError);
  await expect(away.wait(own.next())).rejects.toThrow(/Cannot connect to Redis at redis:\/\/127.0.0.1:1\/0/);
});

test("given a key prefix, another database, or the emulator, then own results are heard by one pattern there too", async () => {
  const emulator = await startEmulatedRedis();
  onTestFinished(() => emulator[Symbol.asyncDispose]());
  const urls = [`${server.url}/3?global_keyprefix=a*b:`, `${server.url}/5`, emulator.url];
  for (const url of urls) {
    await using here = openBackend(url, { ...options, ownIds: own.prefix });
    await using there = openBackend(url, options);
    await using watcher = openConnection(url);
    for (let turn = 0; turn < 3; turn += 1) {
      const { id, mark } = newTask(here);
      const waiting = here.wait(id, { mark });
      await there.store(meta(id, { result: turn }));
      expect(await waiting).toMatchObject({ result: turn });
    }
    expect(Number(await watcher.call("PUBSUB", "NUMPAT"))).toBe(1);
  }
});
