import { expect, test } from "vitest";
import { countStep, countTests, sentence } from "./counts.mjs";

/** As vitest writes it: `numFailedTestSuites` has the file and each `describe` around the failed test. */
const vitest = {
  numPassedTests: 757,
  numFailedTests: 1,
  numPendingTests: 2,
  numTodoTests: 1,
  numFailedTestSuites: 2,
  testResults: [
    { status: "failed", assertionResults: [{ status: "passed" }, { status: "failed" }] },
    { status: "passed", assertionResults: [{ status: "passed" }] },
  ],
};

test("given one failed test in a describe, when vitest's report is counted, then one failed", () => {
  expect(countTests(vitest, false)).toEqual({ passed: 757, failed: 1, skipped: 3 });
});

test("given a file that cannot be loaded, when vitest's report is counted, then it has failed once", () => {
  const report = {
    ...vitest,
    testResults: [...vitest.testResults, { status: "failed", assertionResults: [] }],
  };

  expect(countTests(report, false).failed).toBe(2);
});

test("given Playwright's report, when it is counted, then what passed when tried again has passed", () => {
  const report = { stats: { expected: 5, flaky: 1, unexpected: 2, skipped: 3 } };

  expect(countTests(report, false)).toEqual({ passed: 6, failed: 2, skipped: 3 });
});

test.each([
  ["wrote no report", undefined, true],
  ["had an error outside of a test", { ...vitest, numFailedTests: 0, testResults: [] }, false],
])("given a run that %s, when it is counted, then one failed", (_what, report, ok) => {
  expect(countTests(report, ok).failed).toBe(1);
});

test("given steps with and without tests, when they are summed up, then only tests pass, and every failure counts", () => {
  const passed = { passed: 3, failed: 0, skipped: 0 };

  expect(sentence([passed, countStep(true)])).toBe("3 passed, 0 failed");
  expect(sentence([passed, countStep(false), { passed: 1, failed: 1, skipped: 2 }])).toBe(
    "4 passed, 2 failed, 2 skipped",
  );
});
