import { afterEach, expect, test, vi } from "vitest";
import {
  GetInsideTask,
  InvalidArgument,
  NoResultBackend,
  TaskAlreadyRegistered,
} from "../protocol/errors.ts";
import { Celery } from "./celery.ts";
import type { TaskContext } from "./types.ts";

afterEach(() => vi.unstubAllEnvs());

test("given a task, when called like a function, then it runs here and now", async () => {
  const app = new Celery("t");
  const add = app.task("t.add", async (x: number, y: number) => x + y);
  const log = app.task("t.log", () => undefined);
  expect(await add(4, 4)).toBe(8);
  expect(await log()).toBeNull();
  expect(add.name).toBe("t.add");
  expect([...app.tasks.keys()]).toEqual(["t.add", "t.log"]);
});

test("given a bound task, when called like a function, then it has a context, and nothing to retry", async () => {
  const app = new Celery("t");
  const bound = app.task("t.bound", { bind: true }, async (self, n: number) => {
    await self.updateState("PROGRESS", { n });
    return [self.name, self.request.retries, self.request.calledDirectly, n];
  });
  expect(await bound(3)).toEqual(["t.bound", 0, true, 3]);
  const again = app.task("t.again", { bind: true }, (self: TaskContext): never => self.retry());
  await expect(again()).rejects.toThrow(/t\.again was called directly.*delay\(\)/);
  const reason = new Error("reason");
  const why = app.task("t.why", { bind: true }, (self: TaskContext): never => self.retry({ exc: reason }));
  await expect(why()).rejects.toBe(reason);
});

test("given a name twice, when registered, then that is an error", () => {
  const app = new Celery("t");
  app.task("t.add", () => 1);
  expect(() => app.task("t.add", () => 2)).toThrow(TaskAlreadyRegistered);
});

test.each([
  [["", (): number => 1], /needs a name and a function/],
  [["t.x"], /app\.task\("t\.x", …\) needs a name and a function/],
  [["t.x", { maxRetry: 3 }, (): number => 1], /no option "maxRetry". Did you mean "maxRetries"\?/],
  [["t.x", { acks_late: true }, (): number => 1], /Did you mean "acksLate"\?/],
])("given %j for a task, then the error says what is wrong", (args, message) => {
  const app = new Celery("t");
  const register = (): unknown => (app as unknown as { task(...all: unknown[]): unknown }).task(...args);
  expect(register).toThrow(InvalidArgument);
  expect(register).toThrow(message);
});

test("given settings that come after the task, then the task goes by them", () => {
  const app = new Celery("t");
  const task = app.task("t.x", { maxRetries: null }, () => 1);
  expect(task.options).toMatchObject({ acksLate: false, maxRetries: null, timeLimit: null });
  app.conf.update({ task_acks_late: true, task_time_limit: 30 });
  expect(task.options).toMatchObject({ acksLate: true, maxRetries: null, timeLimit: 30 });
  expect(task.options).toBe(task.options);
});

test("given no backend, when a result is asked for, then the error says what to do", async () => {
  vi.stubEnv("CELERY_RESULT_BACKEND", "");
  const app = new Celery("t");
  const result = app.AsyncResult("1");
  await expect(result.get({ timeout: 1 })).rejects.toThrow(NoResultBackend);
  await expect(result.state()).rejects.toThrow(/No result backend is configured/);
  await expect(result.ready()).rejects.toThrow(/backend: "redis:\/\//);
});

test("given code inside a task, when it waits for another, then Celery's words refuse", async () => {
  const app = new Celery("t", { backend: "redis://127.0.0.1:1" });
  const waiting = app.runInTask({ id: "1", rootId: "1", priority: 0 }, () => app.AsyncResult("2").get());
  await expect(waiting).rejects.toThrow(GetInsideTask);
  await expect(waiting).rejects.toThrow("Never call result.get() within a task!");
  await app.close();
});

test("given addresses in code and in the environment, then the environment wins", () => {
  const app = new Celery("t", { broker: "redis://code/1" });
  expect([app.brokerUrl, app.resultBackendUrl]).toEqual(["redis://code/1", undefined]);
  vi.stubEnv("CELERY_BROKER_URL", "redis://env/1");
  vi.stubEnv("CELERY_RESULT_BACKEND", "redis://env/2");
  expect([app.brokerUrl, app.resultBackendUrl]).toEqual(["redis://env/1", "redis://env/2"]);
});

test("given no address, then it is Redis on this machine", () => {
  vi.stubEnv("CELERY_BROKER_URL", "");
  expect(new Celery("t").brokerUrl).toBe("redis://localhost:6379/0");
});

test("given an address that is none, when used, then the error quotes it", async () => {
  vi.stubEnv("CELERY_BROKER_URL", "amqp://guest:secret@localhost//");
  const app = new Celery("t");
  await expect(app.sendTask("x")).rejects.toThrow(/"amqp:\/\/guest:\*\*@localhost\/\/" is not a Redis URL/);
});

test("given a message larger than workers take, when sent, then the sender is told", async () => {
  const app = new Celery("t", { broker: "redis://127.0.0.1:1" });
  const sent = app.sendTask("t.big", ["x".repeat(16 * 1024 * 1024)]);
  await expect(sent).rejects.toThrow(/t\.big has \d+ bytes, more than the 16777216 allowed/);
});

test("given an app that was never used, when closed, then that is fine, twice", async () => {
  const app = new Celery("t");
  await app.close();
  await app.close();
});
