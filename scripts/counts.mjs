// What the test runners' JSON reports say: how many tests passed, failed and were skipped. Pure.

/**
 * @param report of vitest or of Playwright; undefined when the run wrote none, which is a failure.
 * @param ok whether the run itself says that all is well. One that does not has failed at least once, whatever it counted: an error
 *   outside of a test is no test.
 */
export function countTests(report, ok) {
  const counts = report === undefined ? NONE : report.stats ? ofPlaywright(report) : ofVitest(report);
  return ok && report !== undefined ? counts : { ...counts, failed: Math.max(counts.failed, 1) };
}

/** A step without tests, such as the lint: only its failure counts. */
export function countStep(ok) {
  return ok ? NONE : { ...NONE, failed: 1 };
}

/** The last line of a run. */
export function sentence(counted) {
  const sum = (key) => counted.reduce((total, counts) => total + counts[key], 0);
  const skipped = sum("skipped");
  return `${sum("passed")} passed, ${sum("failed")} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`;
}

const NONE = { passed: 0, failed: 0, skipped: 0 };

/** Its count of failed suites has a file and each `describe` of a failed test once more, so files are looked at one by one. */
function ofVitest({ numPassedTests, numFailedTests, numPendingTests, numTodoTests, testResults }) {
  const unloaded = testResults.filter(
    ({ status, assertionResults }) =>
      status === "failed" && assertionResults.every((test) => test.status !== "failed"),
  );
  return {
    passed: numPassedTests,
    failed: numFailedTests + unloaded.length,
    skipped: numPendingTests + numTodoTests,
  };
}

/** A flaky test failed first and passed when it was tried again. */
function ofPlaywright({ stats: { expected, flaky, unexpected, skipped } }) {
  return { passed: expected + flaky, failed: unexpected, skipped };
}
