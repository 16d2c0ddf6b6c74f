import { expect, test } from "vitest";
import { annotate, type TaskAnnotations } from "./annotations.ts";
import { Celery } from "./celery.ts";

test.each<[string, TaskAnnotations | null, object]>([
  ["nothing", null, { maxRetries: 1 }],
  ["the task by name", { "tasks.add": { rate_limit: "10/s" } }, { maxRetries: 1, rateLimit: "10/s" }],
  ["another task", { "tasks.mul": { rate_limit: "10/s" } }, { maxRetries: 1 }],
  ["the option that the task has itself", { "tasks.add": { maxRetries: 9 } }, { maxRetries: 9 }],
  [
    "all tasks, which as in Celery has the last word",
    { "*": { acks_late: true, timeLimit: 5 }, "tasks.add": { timeLimit: 9, expires: 3 } },
    { maxRetries: 1, acksLate: true, timeLimit: 5, expires: 3 },
  ],
  [
    "a list, of which the first answer counts",
    [
      () => null,
      ({ name }) => (name === "tasks.add" ? { queue: "a" } : null),
      { "tasks.add": { queue: "b" } },
    ],
    { maxRetries: 1, queue: "a" },
  ],
])(
  "given annotations of %s, when a task is annotated, then its options follow",
  (_what, annotations, options) => {
    expect(annotate("tasks.add", { maxRetries: 1 }, annotations)).toEqual(options);
  },
);

test("given an annotation that is no option, when the task is used, then the error says what is meant", () => {
  expect(() => annotate("tasks.add", {}, { "tasks.add": { rate_limt: "1/s" } })).toThrow(
    /tasks\.add.*no option "rateLimt".*"rateLimit"/,
  );
});

test("given task_annotations set after the task was made, when its options are asked for, then they are there", () => {
  const app = new Celery("annotated");
  const add = app.task("tasks.add", { timeLimit: 10 }, (x: number, y: number) => x + y);
  app.conf.task_annotations = { "*": { rate_limit: "5/m" }, "tasks.add": { time_limit: 99 } };
  expect(add.options).toMatchObject({ timeLimit: 99, rateLimit: "5/m" });
});
