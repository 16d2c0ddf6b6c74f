import { expect, test } from "vitest";
import type { RunnableStep } from "./step-runner.ts";
import { type Seen, stillRunning, verdictOf } from "./verdict.ts";

const STEP: RunnableStep = {
  id: "step",
  pane: "worker",
  command: "celery -A tasks worker",
  until: null,
  expect: null,
  exit: 0,
  timeoutSeconds: 20,
  interrupt: false,
  restart: false,
  after: null,
  type: false,
};
const NOTHING: Seen = { ready: false, expected: false, lines: [] };
const LONG = { ...STEP, until: /ready/ };

const CASES: readonly [string, RunnableStep, Seen, number, "done" | "failed", RegExp?][] = [
  ["ends well", STEP, NOTHING, 0, "done"],
  ["fails", STEP, NOTHING, 1, "failed", /exit code 1/],
  ["fails as it should", { ...STEP, exit: 3 }, NOTHING, 3, "done"],
  [
    "does not fail though it should",
    { ...STEP, exit: 3 },
    NOTHING,
    0,
    "failed",
    /should fail with exit code 3/,
  ],
  ["ends anyhow", { ...STEP, exit: "any" }, NOTHING, 99, "done"],
  ["prints what it should", { ...STEP, expect: /8/ }, { ...NOTHING, expected: true }, 0, "done"],
  ["does not print what it should", { ...STEP, expect: /8/ }, NOTHING, 0, "failed", /did not print/],
  ["was ready and was stopped", LONG, { ...NOTHING, ready: true }, 130, "done"],
  ["was ready and was told to end", LONG, { ...NOTHING, ready: true }, 143, "done"],
  ["was ready and came to its end", LONG, { ...NOTHING, ready: true }, 0, "done"],
  ["was ready and was killed", LONG, { ...NOTHING, ready: true }, 137, "failed", /killed/],
  [
    "ends before it was ready",
    LONG,
    { ...NOTHING, lines: ["hello", ""] },
    0,
    "failed",
    /before it was ready.*“hello”/,
  ],
];

test.each(CASES)(
  "given a command that %s, when it is judged, then the learner hears so",
  (_, step, seen, exit, phase, says) => {
    const verdict = verdictOf(step, seen, exit, 1.5);

    expect(verdict).toMatchObject({ phase, exit, seconds: 1.5 });
    if (says !== undefined) expect(verdict).toMatchObject({ message: expect.stringMatching(says) });
  },
);

test("given a command past its time, when the learner is told, then with its last words and the way out", () => {
  expect(stillRunning(LONG, { ...NOTHING, lines: ["connecting…", "", "^C"] })).toMatch(
    /running but not ready after 20 s.*“connecting…”.*Ctrl-C in the worker pane/,
  );
  expect(stillRunning(STEP, NOTHING)).toMatch(/still running after 20 s. It has printed nothing/);
});
