import { expect, test } from "vitest";
import { TaskLog } from "./task-log.ts";
import type { ResultNews } from "./task-record.ts";

const news = (state: string, change: Partial<ResultNews> = {}): ResultNews => ({
  taskId: "t1",
  state,
  result: null,
  error: null,
  at: 1000,
  isNotice: true,
  ...change,
});

test("given a stored state that was asked for, when newer news came meanwhile, then the old answer is not taken", () => {
  const log = new TaskLog();
  log.onResult(news("STARTED"));
  const [asked] = log.open(1000, 9);
  log.onResult(news("RETRY", { at: 2000 }));
  expect(log.onStored(news("PROGRESS", { at: 3000, isNotice: false }), asked!)).toBe(false);
  expect(log.tasks()[0]?.state).toBe("RETRY");
});

test("given a task that ended without a stored result, when ten seconds have passed, then it is not asked for any more", () => {
  const log = new TaskLog();
  const common = { uuid: "t1", hostname: "w", utcoffset: 0, pid: 1, clock: 1 };
  log.onEvent({ ...common, type: "task-succeeded", timestamp: 5, result: "1", runtime: 1 });
  expect(log.open(14_000, 9)).toHaveLength(1);
  expect(log.open(16_000, 9)).toHaveLength(0);
  log.onResult(news("STARTED", { taskId: "t2" }));
  expect(log.open(99_000, 9).map((task) => task.id)).toEqual(["t2"]);
});

test("given more tasks than are remembered, when the next one comes, then the oldest is forgotten", () => {
  const log = new TaskLog();
  for (let index = 0; index <= 5000; index += 1) log.onResult(news("SUCCESS", { taskId: `t${index}` }));
  expect(log.tasks()).toHaveLength(5000);
  expect(log.tasks()[0]?.id).toBe("t1");
});
