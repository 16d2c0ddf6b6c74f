import { expect, test } from "vitest";
import { Celery } from "./celery.ts";
import type { ConfInput } from "./conf-values.ts";
import type { TaskContext } from "./types.ts";

/** An app whose broker does not exist: whatever is sent fails. */
function makeApp(settings: ConfInput = {}): Celery {
  return new Celery("eager", { broker: "redis://127.0.0.1:1/0", ...settings });
}

test("given a task, when applied, then it has run here and its result is known", async () => {
  const app = makeApp();
  const add = app.task("tasks.add", (x: number, y: number) => x + y);

  const result = await add.apply([2, 3], { taskId: "abc" });

  expect(result.id).toBe("abc");
  expect(await result.get()).toBe(5);
  expect([await result.state(), await result.ready(), await result.successful()]).toEqual([
    "SUCCESS",
    true,
    true,
  ]);
});

test("given keyword arguments, when applied, then they are mapped as a worker does", async () => {
  const app = makeApp();
  const sub = app.task("tasks.sub", (x: number, y: number) => x - y);

  const result = await sub.apply([] as unknown as [number, number], { kwargs: { y: 1, x: 3 } });

  expect(await result.get()).toBe(2);
});

class Refused extends Error {
  override readonly name = "Refused";
  readonly amount = 7;
}

test("given a task that throws, when applied, then get throws the very error, and propagate: false returns it", async () => {
  const app = makeApp();
  const pay = app.task("tasks.pay", () => {
    throw new Refused("card expired");
  });

  const result = await pay.apply();

  expect(await result.state()).toBe("FAILURE");
  await expect(result.get()).rejects.toBeInstanceOf(Refused);
  expect(await result.get({ propagate: false })).toMatchObject({ amount: 7 });
  expect(await result.traceback()).toContain("Refused: card expired");
  await expect(pay.apply([], { throw: true })).rejects.toThrow("card expired");
});

test("given a task that retries, when applied, then the retries follow at once, whatever their countdown", async () => {
  const app = makeApp();
  const flaky = app.task("tasks.flaky", { bind: true }, (self: TaskContext, times: number) => {
    if (self.request.retries < times) self.retry({ countdown: 3600 });
    return [self.request.retries, self.request.isEager];
  });

  expect(await (await flaky.apply([2])).get()).toEqual([2, true]);
});

test("given a task that uses its retries up, when applied, then it fails with its own error", async () => {
  const app = makeApp();
  const options = { autoretryFor: [Refused], retryBackoff: true, maxRetries: 2 };
  let runs = 0;
  const pay = app.task("tasks.pay", options, () => {
    runs += 1;
    throw new Refused("card expired");
  });

  await expect((await pay.apply()).get()).rejects.toThrow("card expired");
  expect(runs).toBe(3);
});

test("given task_always_eager, when a task is delayed, then it runs here, with what it would have got from a message", async () => {
  const app = makeApp({ task_always_eager: true });
  const when = app.task("tasks.when", (value: { at: Date; gone?: undefined }) => [
    value.at instanceof Date,
    "gone" in value,
  ]);

  const result = await when.delay({ at: new Date(0), gone: undefined });

  expect(await result.get()).toEqual([true, false]);
});

test("given task_always_eager, when arguments cannot travel, then it is said here as it would be when sending", async () => {
  const app = makeApp({ task_always_eager: true });
  const call = app.task("tasks.call", (f: () => void) => f());

  await expect(call.delay(() => undefined)).rejects.toThrow("cannot be sent as JSON");
});

test("given task_eager_propagates, when an eager task throws, then so does delay", async () => {
  const app = makeApp({ task_always_eager: true, task_eager_propagates: true });
  const pay = app.task("tasks.pay", () => {
    throw new Refused("card expired");
  });

  await expect(pay.delay()).rejects.toBeInstanceOf(Refused);
});

test("given task_store_eager_result, when an eager task has run, then its result is in the backend, and only then", async () => {
  const stored: unknown[] = [];
  const app = makeApp({ task_store_eager_result: true });
  app.backend = () => ({ store: (meta: unknown) => Promise.resolve(void stored.push(meta)) }) as never;
  const add = app.task("tasks.add", (x: number, y: number) => x + y);

  await add.apply([1, 2], { taskId: "abc" });
  app.conf.task_store_eager_result = false;
  await add.apply([1, 2], { taskId: "def" });

  expect(stored).toMatchObject([{ taskId: "abc", status: "SUCCESS" }]);
});

test("given listeners and handlers, when a task is applied, then they are told", async () => {
  const app = makeApp();
  const heard: string[] = [];
  app.signals.taskPostrun.connect(({ sender, state }) => heard.push(`${sender} ${state}`));
  const add = app.task("tasks.add", { onSuccess: (retval) => heard.push(`got ${String(retval)}`) }, () => 3);

  await add.apply();

  expect(heard).toEqual(["got 3", "tasks.add SUCCESS"]);
});

test("given arguments that do not fit, when the task is sent, then the sender is told in Python's words", async () => {
  const app = makeApp();
  const add = app.task("tasks.add", (x: number, y: number) => x + y);
  const one = [1] as unknown as [number, number];

  await expect(add.applyAsync(one)).rejects.toThrow(
    new TypeError("tasks.add() missing 1 required positional argument: 'y'"),
  );
  await expect(add.applyAsync(one, { kwargs: { z: 1 } })).rejects.toThrow("unexpected keyword argument 'z'");
});

test("given callbacks, when the task runs eagerly, then they run with its result, errbacks with its id", async () => {
  const app = makeApp({ task_always_eager: true });
  const heard: unknown[] = [];
  const add = app.task("tasks.add", (x: number, y: number) => x + y);
  const fail = app.task("tasks.fail", () => {
    throw new Refused("card expired");
  });
  const note = app.task("tasks.note", (value: unknown) => heard.push(value));

  const result = await add.applyAsync([1, 2], { link: note.s(), taskId: "abc" });
  await fail.applyAsync([], { linkError: note.s(), taskId: "def" });

  expect([result.id, await result.get()]).toEqual(["abc", 3]);
  expect(heard).toEqual([3, "def"]);
});
