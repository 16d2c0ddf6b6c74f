import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { rawJson } from "./json.ts";
import { decodeResultMeta, encodeResultMeta } from "./result-meta.ts";

const fixtures = new URL("../../test/fixtures/results.json", import.meta.url);
const vectors = JSON.parse(readFileSync(fixtures, "utf8")) as readonly { name: string; text: string }[];

/** Types that JavaScript cannot tell apart are not written again by us: decimals, UUIDs, stamps. */
const repeatable = vectors.filter(({ text, name }) => !/"decimal"|stamp/.test(text) && !/stamp/.test(name));

test.each(repeatable)(
  "given $name as Celery stored it, when decoded and encoded, then the bytes are the same",
  ({ text }) => {
    expect(repeatable.length).toBeGreaterThan(25);
    expect(encodeResultMeta(decodeResultMeta(text))).toBe(text);
  },
);

test("given a failure, when decoded, then the exception is in our words", () => {
  const failure = vectors.find(({ name }) => name === "result-failure");
  expect(decodeResultMeta(failure?.text ?? "")).toMatchObject({
    status: "FAILURE",
    result: { excType: "ValueError", excMessage: ["boom é"], excModule: "builtins" },
  });
});

test("given a value that looks like an exception, when it is a success, then it stays what it is", () => {
  const result = { excType: "x", excMessage: [], excModule: "y" };
  const meta = { taskId: "1", status: "SUCCESS", result, traceback: null, children: [], dateDone: null };
  expect(decodeResultMeta(encodeResultMeta(meta)).result).toEqual(result);
});

test("given a result that the child encoded, when the meta is encoded, then it is written as it is", () => {
  const meta = {
    taskId: "1",
    status: "SUCCESS",
    result: rawJson("[1.0]"),
    traceback: null,
    children: [],
    dateDone: null,
  };
  expect(encodeResultMeta(meta)).toContain('"result": [1.0],');
});

test.each(["42", "{}", "nonsense", '{"status": 1}'])("given %s, when decoded, then it is refused", (text) => {
  expect(() => decodeResultMeta(text)).toThrow(/Not/);
});
