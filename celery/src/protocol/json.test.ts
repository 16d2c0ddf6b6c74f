import fc from "fast-check";
import { expect, test } from "vitest";
import { DecodeError, EncodeError } from "./errors.ts";
import { decodeJson, decodeVerbatim, encodeJson, rawJson } from "./json.ts";
import { plainOf } from "./raw-json.ts";

test("given nested values, when encoded, then spacing and escapes are Python's", () => {
  const value = { a: [1, 2.5, -0, null, true], é: 'x"\n\u007f\u{1f600}', none: undefined };
  expect(encodeJson(value)).toBe(
    '{"a": [1, 2.5, -0.0, null, true], "\\u00e9": "x\\"\\n\\u007f\\ud83d\\ude00"}',
  );
});

test("given numbers, when encoded, then they are Python's literals", () => {
  expect(encodeJson([1e-7, 1e16, 1e22, Number.NaN, Infinity, -Infinity, 12345678901234567890n])).toBe(
    "[1e-07, 1e+16, 1e+22, NaN, Infinity, -Infinity, 12345678901234567890]",
  );
});

test("given a date and bytes, when encoded, then kombu's envelopes come out", () => {
  expect(encodeJson(new Date("2026-11-21T10:03:22.345Z"))).toBe(
    '{"__type__": "datetime", "__value__": "2026-11-21T10:03:22.345000+00:00"}',
  );
  expect(encodeJson(new TextEncoder().encode("abc"))).toBe('{"__type__": "bytes", "__value__": "abc"}');
  expect(encodeJson(Buffer.from([0xff, 0xfe]))).toBe('{"__type__": "base64", "__value__": "//4="}');
});

test("given text that was encoded elsewhere, when it is part of a value, then it is written as it is", () => {
  expect(encodeJson({ result: rawJson("[1,2]") })).toBe('{"result": [1,2]}');
});

test("given an object with toJSON, when encoded, then its answer is encoded", () => {
  expect(encodeJson({ at: { toJSON: () => [1] } })).toBe('{"at": [1]}');
});

const cycle: Record<string, unknown> = {};
cycle["self"] = cycle;

test.each([
  [{ a: [() => 1] }, /value\.a\[0\] is a function/],
  [{ a: Symbol("x") }, /value\.a is a symbol/],
  [{ m: new Map() }, /value\.m is a Map.*Object\.fromEntries/],
  [{ s: new Set() }, /value\.s is a Set.*\[\.\.\.set\]/],
  [[Promise.resolve(1)], /value\[0\] is a Promise\. Await it first/],
  [[new TypeError("x")], /value\[0\] is an TypeError/],
  [new Date(Number.NaN), /value is an invalid Date/],
  [
    cycle,
    /^value\.self\.self\.self\.self\.self…\.self is nested more than 100 levels deep, or contains itself/,
  ],
])("given a value that cannot travel, when encoded, then the error names its place", (value, message) => {
  expect(() => encodeJson(value)).toThrow(EncodeError);
  expect(() => encodeJson(value)).toThrow(message);
});

test("given any JSON value, when encoded and decoded, then it is the same", () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 8 }), (value) => {
      expect(withRoundedIntegers(decodeJson(encodeJson(value)))).toEqual(withoutMinusZero(value));
    }),
  );
});

test("given any JSON with a mark that needs our own parser, when decoded, then it agrees with JSON.parse", () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 6 }), fc.boolean(), (value, indented) => {
      const text = JSON.stringify(["NaN", value], null, indented ? 2 : 0);
      expect(withRoundedIntegers(decodeJson(text))).toEqual(JSON.parse(text));
    }),
  );
});

test("given any text, when decoded, then it is a value or a DecodeError, never another error", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom(...'[]{}",:\\ 0123456789.eE+-NaInfity_truels\n'.split("")) }),
      (text) => {
        for (const source of [text, `["NaN", ${text}]`]) {
          try {
            decodeJson(source);
          } catch (error) {
            expect(error).toBeInstanceOf(DecodeError);
          }
        }
      },
    ),
    { numRuns: 2000 },
  );
});

test.each([
  "[NaN",
  "[NaN,]",
  '{"NaN" 1}',
  "[01, NaN]",
  "[NaN] x",
  "[+1, NaN]",
  '["NaN',
  "[Nan, NaN]",
  "[1., NaN]",
])("given %s, when decoded, then it is refused with the place", (text) => {
  expect(() => decodeJson(text)).toThrow(/Not JSON/);
});

test("given whole numbers at the edge of what a double holds, when decoded, then no digit is lost", () => {
  expect(decodeJson("[9007199254740991, 9007199254740993, -9007199254740993, 1e300]")).toEqual([
    9007199254740991,
    9007199254740993n,
    -9007199254740993n,
    1e300,
  ]);
});

test("given brackets inside strings, when the depth is measured, then they do not count", () => {
  const text = JSON.stringify([`${"[".repeat(500)}\\"${"{".repeat(500)}`, "]"]);
  expect(decodeJson(text)).toEqual(JSON.parse(text));
});

test("given a value at the limit of depth and one beyond, when decoded, then only the latter is refused", () => {
  const nested = (depth: number): string => "[".repeat(depth) + "]".repeat(depth);
  expect(() => decodeJson(nested(100))).not.toThrow();
  expect(() => decodeJson(nested(101))).toThrow(/nested more than 100 levels deep/);
  expect(() => decodeJson(`[${Array.from({ length: 300 }, () => "[]").join()}]`)).not.toThrow();
});

function withoutMinusZero(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value)) as unknown;
}

/** As `JSON.parse` would have rounded them. */
function withRoundedIntegers(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (_key, inner: unknown) => (typeof inner === "bigint" ? Number(inner) : inner)),
  ) as unknown;
}

/** JSON that says more than JavaScript's values can. */
const foreign = fc.letrec<{ value: string }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small" },
    fc.constantFrom("2.0", "-0", "-0.0", "1E5", "1.50", "0", "7", "-1e-07", "1e+16", "9007199254740993"),
    fc.constantFrom("0.10000000000000000001", "true", "null", "NaN", '"2.0"', '"\\u00e9, -0"', "1e400"),
    fc
      .constantFrom("decimal", "date", "nobody's")
      .map((type) => `{"__type__": "${type}", "__value__": "1.10"}`),
    fc.constant('{"__type__": "datetime", "__value__": "2026-11-21T10:03:22.345678"}'),
    fc.constant('{"__type__": "uuid", "__value__": {"hex": "3f2504e04f8911d39a0c0305e82c3301"}}'),
    fc.array(tie("value")).map((items) => `[${items.join(", ")}]`),
    fc.array(tie("value")).map((items) => `{${items.map((item, at) => `"k${at}": ${item}`).join(", ")}}`),
  ),
})).value;

test("given what only passes by, when it is read and written again, then it is the same text, and has our values for whoever looks", () => {
  fc.assert(
    fc.property(foreign, (text) => {
      expect(encodeJson(decodeVerbatim(text))).toBe(text);
      if (!text.includes("nobody's")) expect(plainOf(decodeVerbatim(text))).toEqual(decodeJson(text));
    }),
    { numRuns: 2000 },
  );
});

test("given nothing that JavaScript would change, when read to be sent on, then its values are ours", () => {
  const value = ["3e4c-0", "1.0", 0, 12, -1.5, { a: null }, "x: 2.0"];
  expect(decodeVerbatim(encodeJson(value))).toEqual(value);
});
