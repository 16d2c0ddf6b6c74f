import { expect, test } from "vitest";
import { makeConf } from "../app/conf.ts";
import type { BeatEntryInput } from "../app/conf-values.ts";
import { crontab } from "./crontab.ts";
import { readEntries } from "./entry.ts";

const read = (entries: Record<string, BeatEntryInput>): ReturnType<typeof readEntries> =>
  readEntries(makeConf({ beat_schedule: entries }).beat_schedule);

test("given entries in seconds and as crontab, when they are read, then each has its schedule, arguments and options", () => {
  const entries = read({
    nightly: {
      task: "tasks.retrain",
      schedule: crontab({ hour: 3, minute: 0 }),
      args: [1],
      kwargs: { deep: true },
      options: { queue: "training", ignore_result: true },
    },
    often: { task: "tasks.clean", schedule: 30 },
    never: { task: "tasks.clean", schedule: 30, enabled: false },
  });

  expect(entries.map(({ name, schedule }) => [name, schedule.spec])).toEqual([
    ["nightly", "0 3 * * *"],
    ["often", "30"],
  ]);
  expect(entries[0]).toMatchObject({
    args: [1],
    options: { queue: "training", ignoreResult: true, kwargs: { deep: true } },
  });
});

test("given options that do not exist and a schedule that is none, when they are read, then every fault is named with its entry", () => {
  const wrong = {
    a: { task: "t", schedule: 30, options: { que: "x" } },
    b: { task: "t", schedule: { kind: "solar" } },
  };

  expect(() => read(wrong)).toThrow(
    /beat_schedule\["a"\]\.options has no "que".*queue[\s\S]*beat_schedule\["b"\]\.schedule is neither/,
  );
});
