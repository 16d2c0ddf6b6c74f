import { expect, test } from "vitest";
import { busyQuestion, checkNews, stepNews, stepStatus } from "./step-words.ts";

test("given each phase of a step, when it is said, then exit code and seconds are in it", () => {
  const said = [
    stepStatus({ phase: "idle" }, 0),
    stepStatus({ phase: "queued", because: "waiting for the shell" }, 0),
    stepStatus({ phase: "running", since: 1_000 }, 3_500),
    stepStatus({ phase: "ready", seconds: 1.4 }, 0),
    stepStatus({ phase: "done", exit: 0, seconds: 0.3 }, 0),
    stepStatus({ phase: "failed", exit: 2, seconds: 0.3, message: "Look." }, 0),
    stepStatus({ phase: "failed", exit: null, seconds: 20, message: "Look." }, 0),
  ].map((status) => status && `${status.tone}: ${status.words}`);

  expect(said).toEqual([
    undefined,
    "queued: waiting for the shell",
    "active: running 2.5 s",
    "ok: ready in 1.4 s",
    "ok: exit 0 · 0.3 s",
    "failed: exit 2 · 0.3 s",
    "failed: did not finish · 20 s",
  ]);
});

test("given a busy pane, when the learner is asked, then the question names what runs", () => {
  expect(busyQuestion("worker", "celery -A tasks worker")).toBe(
    "The worker pane is running “celery -A tasks worker”. Stop it and run this?",
  );
});

test("given a step that fails, when it is news, then the sentence says what to do", () => {
  const failed = { phase: "failed", exit: 1, seconds: 1, message: "Start Redis first." } as const;

  expect(stepNews("tsx send.ts", { phase: "running", since: 0 }, failed)).toBe(
    "Failed: tsx send.ts. Start Redis first.",
  );
  expect(stepNews("tsx send.ts", failed, failed)).toBeUndefined();
});

test("given checks that come for the first time, when they are compared, then they are no news", () => {
  expect(checkNews("Online", undefined, "green")).toBeUndefined();
  expect(checkNews("Online", "red", "green")).toBe("Check passed: Online");
  expect(checkNews("Online", "green", "red")).toBe("Check is red again: Online");
});
