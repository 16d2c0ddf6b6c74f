import fc from "fast-check";
import { expect, test } from "vitest";
import { parsePythonLiteral } from "./python-literal.ts";

test.each([
  ["(4, 4)", [4, 4]],
  ["(4,)", [4]],
  ["()", []],
  ["[1, -2.5, 1e3, 'a', \"it's\"]", [1, -2.5, 1000, "a", "it's"]],
  ["{'a': 1, 2: [True, False, None]}", { a: 1, "2": [true, false, null] }],
  ["'\\n\\t\\\\\\'\\xe9\\u20ac\\U0001f600'", "\n\t\\'é€😀"],
  ["8", 8],
  ["None", null],
  [" ( 1 , 2 ) ", [1, 2]],
  ["{'__proto__': 1}", JSON.parse('{"__proto__": 1}')],
])("given %s, when it is read, then it is the value that Python meant", (text, value) => {
  expect(parsePythonLiteral(text)).toEqual(value);
});

test.each([
  "",
  "(1, 2",
  "(1 2)",
  "[1,,2]",
  "{'a'}",
  "<object at 0x1>",
  "f(1)",
  "'open",
  "nan",
  "1_000",
  "0x10",
  "1 2",
  "('a...",
  "{'a': }",
  "'\\xz1'",
  "'\\U00110000'",
  "x".repeat(20_000),
  "[".repeat(100),
])("given %j, when it is read, then it is no literal", (text) => {
  expect(parsePythonLiteral(text)).toBeUndefined();
});

test("given any text, when it is read, then it is a value or not, and never an error", {
  timeout: 60_000,
}, () => {
  const piece = fc.constantFrom(
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    ",",
    ":",
    "'",
    '"',
    "\\",
    "1",
    "-",
    "a",
    "None",
    " ",
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(piece).map((pieces) => pieces.join("")),
      ),
      (text) => {
        parsePythonLiteral(text);
      },
    ),
    { numRuns: 3000 },
  );
});

test("given what JSON calls a value, when it is written with Python's words, then it is read back", () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
      // -0 has no JSON of its own.
      expect(parsePythonLiteral(inPython(value))).toEqual(JSON.parse(JSON.stringify(value)));
    }),
  );
});

function inPython(value: unknown): string {
  if (value === null) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (Array.isArray(value)) return `[${value.map(inPython).join(", ")}]`;
  if (typeof value !== "object") return typeof value === "string" ? quoted(value) : JSON.stringify(value);
  return `{${Object.entries(value)
    .map(([key, item]) => `${quoted(key)}: ${inPython(item)}`)
    .join(", ")}}`;
}

function quoted(text: string): string {
  return `'${text.replace(/[\\']/g, "\\$&").replaceAll("\n", "\\n").replaceAll("\r", "\\r")}'`;
}
