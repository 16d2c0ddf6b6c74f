import { tmpdir } from "node:os";
import { afterEach, beforeEach, expect, test } from "vitest";
import { startRedisServer } from "../../test/support/redis-server.ts";
import { redisUrl } from "../../test/support/redis-url.ts";
import { openTcpProxy } from "../../test/support/tcp-proxy.ts";
import { until } from "../../test/support/until.ts";
import { OperationalError } from "../protocol/errors.ts";
import type { ResultMeta } from "../protocol/result-meta.ts";
import { openConnection, type RedisConnection } from "../redis/connection.ts";
import type { ResultBackend } from "./backend.ts";
import type { ChordPart } from "./chords.ts";
import { openBackend } from "./open-backend.ts";

const url = `${redisUrl()}/3`;
const options = { expiresSeconds: 60, connectTimeoutSeconds: 2 };

let redis: RedisConnection;
let backend: ResultBackend;

beforeEach(async () => {
  redis = openConnection(url);
  await redis.call("FLUSHDB");
  backend = openBackend(url, options);
});
afterEach(async () => {
  await backend[Symbol.asyncDispose]();
  await redis[Symbol.asyncDispose]();
});

function meta(taskId: string, changes: Partial<ResultMeta> = {}): ResultMeta {
  return { taskId, status: "SUCCESS", result: 8, traceback: null, children: [], dateDone: null, ...changes };
}

const channels = async (): Promise<number> =>
  ((await redis.call("PUBSUB", "CHANNELS", "celery-task-meta-*")) as string[]).length;

test("given a stored result, when read, then it is what was stored; another id has none", async () => {
  await backend.store(meta("1", { result: { a: [1] } }));
  expect(await backend.get("1")).toMatchObject({ taskId: "1", status: "SUCCESS", result: { a: [1] } });
  expect(await backend.get("2")).toBeUndefined();
  expect(Number(await redis.call("TTL", "celery-task-meta-1"))).toBeGreaterThan(50);
});

test("given a success, when another state is stored later, then the success stays", async () => {
  await backend.store(meta("1", { status: "STARTED", result: null }));
  await backend.store(meta("1"));
  await backend.store(meta("1", { status: "FAILURE", result: null }));
  expect(await backend.get("1")).toMatchObject({ status: "SUCCESS" });
});

test("given one who waits, when the result is stored, then it comes by message, with the states on the way", async () => {
  const states: string[] = [];
  const waiting = backend.wait("1", { onUpdate: ({ status }) => states.push(status) });
  await until(async () => (await channels()) === 1);
  await backend.store(meta("1", { status: "STARTED", result: null }));
  await backend.store(meta("1", { status: "PROGRESS", result: { done: 1 } }));
  await backend.store(meta("1"));
  expect(await waiting).toMatchObject({ status: "SUCCESS", result: 8 });
  expect(states).toEqual(["STARTED", "PROGRESS", "SUCCESS"]);
  await until(async () => (await channels()) === 0);
});

test("given a result that is there already, when waited for, then it comes at once", async () => {
  await backend.store(meta("1"));
  expect(await backend.wait("1")).toMatchObject({ result: 8 });
});

test("given one who waits, when the keys are watched, then they are read once and not polled", async () => {
  const before = commandCalls(String(await redis.call("INFO", "commandstats")));
  const waiting = backend.wait("1");
  await until(async () => (await channels()) === 1);
  await redis.call("PING");
  const gets = commandCalls(String(await redis.call("INFO", "commandstats"))) - before;
  await backend.store(meta("1"));
  await waiting;
  expect(gets).toBeLessThanOrEqual(1);
});

test("given one who gives up, when aborted, then the reason is the error and nothing stays subscribed", async () => {
  const stop = new AbortController();
  const waiting = backend.wait("1", { signal: stop.signal });
  await until(async () => (await channels()) === 1);
  stop.abort(new Error("enough"));
  await expect(waiting).rejects.toThrow("enough");
  await expect(backend.wait("1", { signal: stop.signal })).rejects.toThrow("enough");
  await until(async () => (await channels()) === 0);
});

test("given two who wait for one result, when one gives up, then the other still gets it", async () => {
  const stop = new AbortController();
  const first = backend.wait("1", { signal: stop.signal });
  const second = backend.wait("1");
  await until(async () => (await channels()) === 1);
  stop.abort();
  await expect(first).rejects.toThrow();
  await backend.store(meta("1"));
  expect(await second).toMatchObject({ result: 8 });
});

test("given 10 000 who wait, when half give up and half get results, then two connections did it and nothing is left", async () => {
  const stop = new AbortController();
  const half = 5000;
  const results = Array.from({ length: half }, (_, index) => backend.wait(`r${index}`));
  const gaveUp = Array.from({ length: half }, (_, index) =>
    backend.wait(`g${index}`, { signal: stop.signal }),
  );
  const ended = Promise.allSettled(gaveUp);
  await until(async () => (await channels()) === 2 * half);
  const clients = String(await redis.call("CLIENT", "LIST")).match(/name=celery-(results|waiters)/g);
  expect(clients?.length).toBeLessThanOrEqual(2);

  stop.abort();
  await Promise.all(results.map((_, index) => backend.store(meta(`r${index}`, { result: index }))));

  expect((await Promise.all(results)).map(({ result }) => result)).toEqual(results.map((_, index) => index));
  expect((await ended).every(({ status }) => status === "rejected")).toBe(true);
  await until(async () => (await channels()) === 0);
});

test("given the line cut while many wait, when results were stored meanwhile, then everybody has theirs", async () => {
  const proxy = await openTcpProxy(url);
  const cutOff = openBackend(proxy.url, options);
  const waiting = Array.from({ length: 2000 }, (_, index) => cutOff.wait(`r${index}`));
  await until(async () => (await channels()) === 2000);
  proxy.cut();
  await Promise.all(waiting.map((_, index) => backend.store(meta(`r${index}`, { result: index }))));
  const back = performance.now();
  expect((await Promise.all(waiting)).map(({ result }) => result)).toEqual(waiting.map((_, index) => index));
  expect(performance.now() - back).toBeLessThan(4000);
  await cutOff[Symbol.asyncDispose]();
  await proxy[Symbol.asyncDispose]();
});

test("given Redis restarted while one waits, when it is back, then the result is heard of", async () => {
  const server = await startRedisServer();
  const other = openBackend(server.url, options);
  const waiting = other.wait("1");
  const watcher = openConnection(server.url);
  await until(async () => ((await watcher.call("PUBSUB", "CHANNELS", "*")) as string[]).length === 1);
  await server.stop();
  const again = await startRedisServer([], { port: server.port, dir: tmpdir() });
  const subscribed = async (): Promise<boolean> =>
    ((await watcher.call("PUBSUB", "CHANNELS", "*").catch(() => [])) as string[]).length === 1;
  await until(subscribed);
  await watcher.call("PUBLISH", "celery-task-meta-1", '{"status": "SUCCESS", "result": 7, "task_id": "1"}');
  expect(await waiting).toMatchObject({ result: 7 });
  await other[Symbol.asyncDispose]();
  await watcher[Symbol.asyncDispose]();
  await again.stop();
});

test("given Redis away when a task has ended, when it is back, then the result is written", async () => {
  const server = await startRedisServer();
  await using other = openBackend(server.url, options);
  await other.store(meta("1", { status: "STARTED", result: null }));
  await server.stop();
  const written = other.write(other.encode(meta("1")));
  await expect(other.get("1")).rejects.toThrow(OperationalError);
  const again = await startRedisServer([], { port: server.port, dir: tmpdir() });
  await written;
  expect(await other.get("1")).toMatchObject({ status: "SUCCESS" });
  await again.stop();
});

test("given a complete chord whose worker died before it had sent the body, when its part comes again, then the body is to be sent", async () => {
  const { chords } = backend;
  const part = (taskId: string, groupIndex: number): ChordPart => {
    return { groupId: "g", taskId, groupIndex, member: `[1, "${taskId}", "SUCCESS", 1]`, failed: false };
  };
  await chords.announce([{ kind: "size", groupId: "g", size: 2 }]);
  expect(await chords.count(part("a", 0))).toBe(false);
  expect(await chords.count(part("a", 0))).toBe(false);
  expect(await chords.count(part("b", 1))).toBe(true);
  expect(await chords.count(part("b", 1))).toBe(true);
  await chords.end("g", { failed: false });
  expect(await chords.count(part("b", 1))).toBe(false);
});

test("given a chord that a failed part has decided, when another part fails meanwhile, then only the first one ends it, however often it comes", async () => {
  const { chords } = backend;
  const part = (taskId: string, groupIndex: number): ChordPart => {
    return { groupId: "g", taskId, groupIndex, member: `[1, "${taskId}", "FAILURE", null]`, failed: true };
  };
  await chords.announce([{ kind: "size", groupId: "g", size: 3 }]);
  expect(await chords.count(part("a", 0))).toBe(true);
  expect(await chords.count(part("b", 1))).toBe(false);
  expect(await chords.count(part("a", 0))).toBe(true);
});

test("given nobody listening, when results are asked for, then that is the error, soon", async () => {
  await using away = openBackend("redis://127.0.0.1:1/0", options);
  await expect(away.get("1")).rejects.toThrow(/Cannot connect to Redis at redis:\/\/127.0.0.1:1\/0/);
  await expect(away.store(meta("1"))).rejects.toThrow(OperationalError);
  await expect(away.wait("1")).rejects.toThrow(OperationalError);
});

test("given Redis gone for good while one waits, when patience is over, then that is the error", async () => {
  const server = await startRedisServer();
  await using lone = openBackend(server.url, { ...options, patienceSeconds: 0.3 });
  const waiting = lone.wait("1");
  const states = expect(waiting).rejects.toThrow(OperationalError);
  await using watcher = openConnection(server.url);
  await until(async () => ((await watcher.call("PUBSUB", "CHANNELS", "*")) as string[]).length === 1);
  await server.stop();
  await states;
});

test("given a result that is no JSON, when read, then the error shows it", async () => {
  await redis.call("SET", "celery-task-meta-1", "nonsense");
  await expect(backend.get("1")).rejects.toThrow(/Not JSON/);
  await expect(backend.wait("1")).rejects.toThrow(/Not JSON/);
});

test("given a forgotten result, when read, then there is none", async () => {
  await backend.store(meta("1"));
  await backend.forget("1");
  expect(await backend.get("1")).toBeUndefined();
});

test("given broker and backend, when compared, then one database is one database", () => {
  expect(backend.sharesDatabaseWith(url)).toBe(true);
  expect(backend.sharesDatabaseWith(`${redisUrl()}/4`)).toBe(false);
});

function commandCalls(info: string): number {
  return ["get", "mget"]
    .map((name) => Number(new RegExp(`cmdstat_${name}:calls=(\\d+)`).exec(info)?.[1] ?? 0))
    .reduce((sum, calls) => sum + calls, 0);
}
