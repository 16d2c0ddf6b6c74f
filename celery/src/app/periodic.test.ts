import { expect, test } from "vitest";
import { crontab } from "../beat/crontab.ts";
import { Celery } from "./celery.ts";

const anApp = (): Celery => new Celery("periodic");

test("given a task, its name and a signature, when they are added, then Beat's schedule has an entry for each, named like the call", () => {
  const app = anApp();
  const add = app.task("tasks.add", (x: number, y: number) => x + y);
  const nightly = crontab({ hour: 3, minute: 0 });

  const names = [
    app.addPeriodicTask(30, add, { args: [2, 2], kwargs: { deep: true } }),
    app.addPeriodicTask(nightly, "shop.report", { name: "nightly report", queue: "slow", expires: 60 }),
    app.addPeriodicTask(
      3600,
      {
        task: "tasks.add",
        args: [1],
        kwargs: {},
        options: { queue: "q" },
        subtask_type: null,
        immutable: false,
      },
      { args: [0], relative: true },
    ),
  ];

  expect(names).toEqual(["tasks.add(2, 2, deep=True)", "nightly report", "tasks.add(0, 1)"]);
  expect(app.conf.beat_schedule).toMatchObject({
    "tasks.add(2, 2, deep=True)": { task: "tasks.add", schedule: 30, args: [2, 2], kwargs: { deep: true } },
    "nightly report": { task: "shop.report", schedule: nightly, options: { queue: "slow", expires: 60 } },
    "tasks.add(0, 1)": { args: [0, 1], relative: true, options: { queue: "q" } },
  });
});

test("given an entry that says the same call, when it has no name, then it is refused; with a name it may replace another", () => {
  const app = anApp();
  app.addPeriodicTask(30, "tasks.clean");

  expect(() => app.addPeriodicTask(60, "tasks.clean")).toThrow(/tasks\.clean\(\) already.*name:/);
  app.addPeriodicTask(60, "tasks.clean", { name: "tasks.clean()" });
  expect(app.conf.beat_schedule["tasks.clean()"]?.schedule).toBe(60);
});

test("given a chain or something that is no task, when it is added, then the error says what Beat can send", () => {
  const app = anApp();

  expect(() => app.addPeriodicTask(30, { task: "celery.chain", subtask_type: "chain" })).toThrow(
    /no chain: define a task/,
  );
  expect(() => app.addPeriodicTask(30, {})).toThrow(/add\.s\(2, 2\)/);
});
