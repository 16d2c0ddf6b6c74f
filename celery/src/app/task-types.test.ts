import { expectTypeOf, test } from "vitest";
import type { AsyncResult } from "../backend/async-result.ts";
import type { GroupResult } from "../backend/group-result.ts";
import { crontab } from "../beat/crontab.ts";
import { chain, chord, group } from "./canvas/primitives.ts";
import type { Signature } from "./canvas/signature.ts";
import { Celery } from "./celery.ts";
import type { AnyTask, TaskContext } from "./types.ts";

const app = new Celery("types");
const add = app.task("types.add", async (x: number, y: number) => x + y);
const log = app.task("types.log", (text: string) => void text);
const flaky = app.task("types.flaky", { bind: true, maxRetries: 1 }, async (self, n: number) => {
  expectTypeOf(self).toEqualTypeOf<TaskContext>();
  return { tries: self.request.retries, n };
});
const plain = app.task("types.plain", { acksLate: true }, (items: readonly string[], deep?: boolean) =>
  deep ? items : null,
);

test("given tasks, then the types of arguments and results flow from the functions", () => {
  expectTypeOf(add.delay).parameters.toEqualTypeOf<[x: number, y: number]>();
  expectTypeOf(add.delay).returns.toEqualTypeOf<Promise<AsyncResult<number>>>();
  expectTypeOf(add).parameters.toEqualTypeOf<[x: number, y: number]>();
  expectTypeOf(add).returns.toEqualTypeOf<Promise<number>>();
  expectTypeOf(add.AsyncResult).returns.toEqualTypeOf<AsyncResult<number>>();
  expectTypeOf<Awaited<ReturnType<AsyncResult<number>["get"]>>>().toEqualTypeOf<number>();
});

test("given a task that returns nothing, then its result is null", () => {
  expectTypeOf(log.delay).returns.toEqualTypeOf<Promise<AsyncResult<null>>>();
});

test("given a bound task, then its context is not among the arguments of a call", () => {
  expectTypeOf(flaky.delay).parameters.toEqualTypeOf<[n: number]>();
  expectTypeOf(flaky.delay).returns.toEqualTypeOf<Promise<AsyncResult<{ tries: number; n: number }>>>();
});

test("given optional arguments, then they stay optional", () => {
  expectTypeOf(plain.delay).toBeCallableWith(["a"]);
  expectTypeOf(plain.delay).toBeCallableWith(["a"], true);
  expectTypeOf(plain.delay).returns.toEqualTypeOf<Promise<AsyncResult<readonly string[] | null>>>();
});

test("given keyword arguments, then those by position may be fewer", () => {
  const right = (): Promise<AsyncResult<number>>[] => [
    add.applyAsync([1, 2], { countdown: 5 }),
    add.applyAsync([], { kwargs: { x: 1, y: 2 } }),
    add.applyAsync([1], { kwargs: { y: 2 }, queue: "q" }),
  ];
  expectTypeOf(right).returns.toEqualTypeOf<Promise<AsyncResult<number>>[]>();
  const wrong = (): void => {
    // @ts-expect-error an argument is missing, and no keyword can fill it
    void add.applyAsync([1], { queue: "q" });
    // @ts-expect-error a text is no number
    void add.applyAsync(["1"], { kwargs: { y: 2 } });
  };
  expectTypeOf(wrong).returns.toBeVoid();
});

test("given any task, then it fits where any task is expected", () => {
  expectTypeOf(add).toExtend<AnyTask>();
  expectTypeOf(flaky).toExtend<AnyTask>();
});

test("given wrong arguments or options, then the compiler says so", () => {
  const wrong = (): void => {
    // @ts-expect-error a text is no number
    void add.delay("4", 4);
    // @ts-expect-error an argument is missing
    void add.delay(4);
    // @ts-expect-error the context is not passed
    void flaky.delay({}, 1);
    // @ts-expect-error there is no such option
    void add.applyAsync([1, 2], { countdwon: 5 });
    // @ts-expect-error there is no such setting
    app.conf.task_tiem_limit = 3;
    // @ts-expect-error a time limit is a number
    app.conf.update({ task_time_limit: "3" });
  };
  expectTypeOf(wrong).toBeFunction();
});

test("given settings, then partial and full values can be assigned", () => {
  expectTypeOf(app.conf.beat_schedule["x"]).toExtend<{ args: readonly unknown[] } | undefined>();
  app.conf.beat_schedule = { x: { task: "types.add", schedule: 5 } };
  app.conf.task_routes = { "types.*": "q", "types.add": { queue: "a" } };
  app.conf.task_publish_retry_policy = { max_retries: 1 };
  expectTypeOf(app.conf.task_time_limit).toEqualTypeOf<number | null>();
});

test("given signatures, then what they return flows through chains, groups and chords", () => {
  expectTypeOf(add.s(1)).toEqualTypeOf<Signature<number>>();
  expectTypeOf(add.si(1, 2)).toEqualTypeOf<Signature<number>>();
  const last = chain(add.s(1, 2), flaky.s());
  expectTypeOf<Awaited<ReturnType<Awaited<ReturnType<typeof last.delay>>["get"]>>>().toEqualTypeOf<{
    tries: number;
    n: number;
  }>();
  const all = group(add.s(1, 1), add.s(2, 2));
  expectTypeOf<Awaited<ReturnType<typeof all.delay>>>().toExtend<GroupResult<unknown>>();
  const body = chord([add.s(1, 1), add.s(2, 2)], log.s());
  expectTypeOf<Awaited<ReturnType<typeof body.delay>>>().toEqualTypeOf<AsyncResult<null>>();
  expectTypeOf(add.map([1, 2])).toEqualTypeOf<Signature<number[]>>();
});

test("given what Beat is told, then tasks, signatures and names fit, and nothing else", () => {
  const right = (): string[] => [
    app.addPeriodicTask(30, add, { args: [1, 2], name: "x", queue: "q" }),
    app.addPeriodicTask(crontab({ hour: 3 }), add.s(1, 2)),
  ];
  expectTypeOf(right).returns.toEqualTypeOf<string[]>();
  const wrong = (): void => {
    // @ts-expect-error a day has hours, not our
    crontab({ our: 3 });
    // @ts-expect-error a schedule is a number or made by crontab or schedule
    app.addPeriodicTask("every day", add);
  };
  expectTypeOf(wrong).returns.toBeVoid();
});
