import { expect, test } from "vitest";
import { NO_PROGRESS } from "./progress.ts";
import { DEFAULT_SETTINGS } from "./settings.ts";
import {
  type Box,
  parseProgress,
  parseProgressFile,
  parseSettings,
  readStored,
  writeStored,
} from "./stored.ts";

const aBox = (kept: Record<string, string> = {}): Box => ({
  getItem: (key) => kept[key] ?? null,
  setItem: (key, value) => {
    kept[key] = value;
  },
});

const forbidden: Box = {
  getItem: () => {
    throw new Error("denied");
  },
  setItem: () => {
    throw new Error("denied");
  },
};

test("given something kept, when it is read, then it is the same", () => {
  const box = aBox();

  expect(writeStored(box, "k", { a: 1 })).toBe(true);
  expect(readStored(box, "k")).toEqual({ a: 1 });
});

test("given a browser that forbids storage, when the page reads and writes, then it goes on without", () => {
  expect(readStored(forbidden, "k")).toBeUndefined();
  expect(writeStored(forbidden, "k", 1)).toBe(false);
  expect(writeStored(undefined, "k", 1)).toBe(false);
});

test("given damaged text, when it is read, then there is nothing", () => {
  expect(readStored(aBox({ k: "{" }), "k")).toBeUndefined();
});

test("given a record with sound and broken parts, when progress is read, then the sound ones stay", () => {
  const progress = parseProgress({
    last: 7,
    lessons: {
      good: {
        openedAt: 5,
        doneAt: "x",
        answers: { q: { picked: "A", wrong: 1, settled: true }, bad: 3 },
        hints: ["h", 1],
      },
      bad: null,
    },
  });

  expect(progress).toEqual({
    version: 1,
    last: null,
    lessons: {
      good: {
        openedAt: 5,
        doneAt: null,
        answers: { q: { picked: "A", wrong: 1, settled: true } },
        hints: ["h"],
        place: null,
      },
    },
  });
});

test("given nothing, when progress and settings are read, then they are the first ones", () => {
  expect(parseProgress(undefined)).toEqual(NO_PROGRESS);
  expect(parseSettings(undefined)).toEqual(DEFAULT_SETTINGS);
});

test("given exported progress, when it is imported, then it is the same", () => {
  const progress = {
    ...NO_PROGRESS,
    last: "a",
    lessons: { a: { openedAt: 1, doneAt: 2, answers: {}, hints: [], place: "send" } },
  };

  expect(parseProgressFile(JSON.stringify(progress))).toEqual(progress);
});

test.each(["", "[]", '{"version":2,"lessons":{}}', '{"version":1}'])(
  "given the file %j, when it is imported, then it is refused",
  (text) => {
    expect(parseProgressFile(text)).toBeUndefined();
  },
);

test("given settings of another time, when they are read, then unknown values become the usual ones", () => {
  const settings = parseSettings({
    theme: "neon",
    pinned: "cellar",
    paneShares: [1, 0, 2],
    drawerOpen: false,
    serif: true,
  });

  expect(settings).toEqual({ ...DEFAULT_SETTINGS, drawerOpen: false, serif: true });
});
