import { expect, test } from "vitest";
import { makeConf } from "../app/conf.ts";
import type { BeatEntryInput } from "../app/conf-values.ts";
import { crontab } from "./crontab.ts";
import { readEntries } from "./entry.ts";
import { schedule } from "./schedule.ts";

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
    hourly: { task: "tasks.clean", schedule: 3600, relative: true },
    daily: { task: "tasks.clean", schedule: schedule({ runEvery: 86_400, relative: true }) },
    never: { task: "tasks.clean", schedule: 30, enabled: false },
  });

  expect(entries.map((entry) => [entry.name, entry.schedule.spec])).toEqual([
    ["nightly", "0 3 * * *"],
    ["often", "30"],
    ["hourly", "3600 relative"],
    ["daily", "86400 relative"],
  ]);
  expect(entries[0]).toMatchObject({
    args: [1],
    options: { queue: "training", ignoreResult: true, kwargs: { deep: true } },
  });
});

test("given an entry that goes through an exchange and is followed by another task, when it is read, then Celery's names for that are known", () => {
  const link = {
    task: "tasks.after",
    args: [],
    kwargs: {},
    options: {},
    subtask_type: null,
    immutable: false,
  };

  const [entry] = read({
    feed: {
      task: "tasks.feed",
      schedule: 30,
      options: {
        exchange: "media",
        exchange_type: "topic",
        routing_key: "media.video",
        link,
        link_error: link,
      },
    },
  });

  expect(entry?.options).toEqual({
    exchange: "media",
    exchangeType: "topic",
    routingKey: "media.video",
    link,
    linkError: link,
    kwargs: {},
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
