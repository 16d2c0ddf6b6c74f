import { expect, test } from "vitest";
import { differences, readReport, render } from "./compatibility.mjs";

const proof = (feature: string, direction: string, area = "Canvas"): object => ({ area, feature, direction });
const file = (name: string, ...assertionResults: object[]): object => ({
  name: `/repo/celery/test/interop/${name}`,
  status: "passed",
  assertionResults,
});
const passed = (...proofs: object[]): object => ({ fullName: "a test", status: "passed", meta: { proofs } });
const failed = (...proofs: object[]): object => ({
  fullName: "it broke",
  status: "failed",
  meta: { proofs },
});

test("given tests in several files, when their report is read, then rows come by area, then by file, whatever ended first", () => {
  const report = {
    testResults: [
      file("results.redis.test.ts", passed(proof("get", "python → ours", "Results"))),
      file("canvas.redis.test.ts", passed(proof("group", "mixed")), passed(proof("chain", "mixed"))),
      file("calling.redis.test.ts", passed(proof("eta", "ours → python", "Calling"))),
    ],
  };

  expect(readReport(report).rows.map(({ feature }) => feature)).toEqual(["eta", "get", "group", "chain"]);
});

test("given a row that two tests name and one of them failed, when it is rendered, then its direction has no mark", () => {
  const chord = "chord";
  const shown = readReport({
    testResults: [
      file(
        "a.ts",
        passed(proof(chord, "mixed"), proof(chord, "python → ours")),
        failed(proof(chord, "mixed")),
      ),
    ],
  });

  expect(render(shown, [])).toContain("| chord | ✓ |  |  |");
  expect(shown.failed).toEqual(["it broke"]);
});

test("given proofs outside the suite, when the report is read, then they do not count", () => {
  const testResults = [
    { name: "/repo/celery/src/x.test.ts", status: "passed", assertionResults: [passed(proof("x", "mixed"))] },
  ];

  expect(readReport({ testResults }).rows).toEqual([]);
});

test("given a page of an older Celery, when it is compared, then only what holds counts", () => {
  const rows = readReport({ testResults: [file("a.ts", passed(proof("chord", "mixed")))] }).rows;
  const old = render({ rows, versions: { celery: "5.6.0" } }, []);

  expect(differences(old, render({ rows, versions: { celery: "5.7.0" } }, []))).toEqual([]);
  expect(differences(old, render({ rows: [], versions: { celery: "5.7.0" } }, []))).toContain(
    "- | chord |  |  | ✓ |",
  );
});
