import { expect, test } from "vitest";
import {
  advanceProgress,
  answerTo,
  lessonProgress,
  lessonsDone,
  NO_PROGRESS,
  type ProgressEvent,
} from "./progress.ts";

const slug = "03-delay";
const after = (...events: ProgressEvent[]): typeof NO_PROGRESS => events.reduce(advanceProgress, NO_PROGRESS);

test("given a prediction, when its step has started, then it can no longer be changed", () => {
  const progress = after(
    { type: "predicted", slug, block: "p", letter: "A" },
    { type: "predicted", slug, block: "p", letter: "B" },
    { type: "locked", slug, block: "p" },
    { type: "predicted", slug, block: "p", letter: "C" },
  );

  expect(answerTo(progress, slug, "p")).toEqual({ picked: "B", wrong: 0, settled: true });
});

test("given a quiz answered wrong and then right, when it is answered again, then nothing changes", () => {
  const progress = after(
    { type: "answered", slug, block: "q", letter: "A", right: false },
    { type: "answered", slug, block: "q", letter: "C", right: true },
    { type: "answered", slug, block: "q", letter: "A", right: false },
  );

  expect(answerTo(progress, slug, "q")).toEqual({ picked: "C", wrong: 1, settled: true });
});

test("given a lesson opened twice, when its times are read, then the first opening counts", () => {
  const progress = after({ type: "opened", slug, at: 5 }, { type: "opened", slug, at: 9 });

  expect(lessonProgress(progress, slug).openedAt).toBe(5);
  expect(progress.last).toBe(slug);
});

test("given a finished lesson, when it is started over, then answers go and the done mark stays", () => {
  const progress = after(
    { type: "opened", slug, at: 5 },
    { type: "answered", slug, block: "q", letter: "A", right: true },
    { type: "hint-opened", slug, block: "h" },
    { type: "went-to", slug, block: "send" },
    { type: "done", slug, at: 8 },
    { type: "reset", slug, at: 20 },
  );

  expect(lessonProgress(progress, slug)).toEqual({
    openedAt: 20,
    doneAt: 8,
    answers: {},
    hints: [],
    place: null,
  });
  expect(lessonsDone(progress)).toBe(1);
});

test("given something known already, when it happens again, then the same object comes back", () => {
  const progress = after({ type: "opened", slug, at: 5 }, { type: "hint-opened", slug, block: "h" });

  expect(advanceProgress(progress, { type: "hint-opened", slug, block: "h" })).toBe(progress);
});
