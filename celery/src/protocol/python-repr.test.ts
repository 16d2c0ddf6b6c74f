import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { decodeJson } from "./json.ts";
import { formatPython, formatPythonArgs, formatPythonFloat, formatPythonString } from "./python-repr.ts";

interface Case {
  readonly json?: string;
  readonly tuple?: string;
  readonly float?: string;
  readonly string?: string;
  readonly repr?: string;
}

const fixtures = new URL("../../test/fixtures/python-repr.json", import.meta.url);
const { cases } = JSON.parse(readFileSync(fixtures, "utf8")) as { cases: readonly Case[] };
const limits = { maxLength: 1024, maxLevels: 3 };

test.each(cases.filter((c) => c.json !== undefined && c.repr !== undefined))(
  "given $json, when shown, then it reads as Celery's saferepr",
  ({ json, repr }) => {
    expect(formatPython(decodeJson(json ?? ""), limits)).toBe(repr);
  },
);

test.each(cases.filter((c) => c.tuple !== undefined))(
  "given arguments $json, when shown, then they read as Celery's argsrepr",
  ({ json, tuple }) => {
    expect(formatPythonArgs(decodeJson(json ?? "") as unknown[], limits)).toBe(tuple);
  },
);

test.each(cases.filter((c) => c.float !== undefined))(
  "given $float, when written, then it is Python's float",
  ({ float, repr }) => {
    expect(formatPythonFloat(Number(float))).toBe(repr);
  },
);

test.each(cases.filter((c) => c.string !== undefined))(
  "given $string, when written, then it is Python's string",
  ({ string, repr }) => {
    expect(formatPythonString(JSON.parse(string ?? "") as string)).toBe(repr);
  },
);

test("given a date, bytes and undefined, when shown, then they read as in Python", () => {
  const value = [new Date("2026-01-02T03:04:05.678Z"), new TextEncoder().encode("abc"), undefined];
  expect(formatPython(value)).toBe(
    "[datetime.datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=datetime.timezone.utc), b'abc', None]",
  );
});
