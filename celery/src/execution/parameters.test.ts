import { expect, test } from "vitest";
import { readParameterList } from "./parameter-source.ts";
import { declareSignature, readSignature } from "./parameters.ts";

/** `x`, `y?` for an optional one, `...r` for the rest, `{}` for a pattern. */
function shown(source: string): string | null {
  const list = readParameterList(source);
  if (list === null) return null;
  return list
    .map(({ kind, name, optional }) => {
      if (kind === "rest") return `...${name}`;
      return `${kind === "pattern" ? "{}" : name}${optional ? "?" : ""}`;
    })
    .join(" ");
}

test.each([
  ["() => 1", ""],
  ["x => x", "x"],
  ["async x => x", "x"],
  ["async (x, y) => x + y", "x y"],
  ["(x,y)=>x+y", "x y"],
  ["function add(x, y) { return x + y; }", "x y"],
  ["async function add(x, y = 1) {}", "x y?"],
  ["function(x) {}", "x"],
  ["add(x, y) { return x; }", "x y"],
  ["async add(x) {}", "x"],
  ["['a b'](x) {}", "x"],
  ["async  [`n${(1)}`](x, ...more) {}", "x ...more"],
  ["(x, ...more) => x", "x ...more"],
  ["(x, { a, b: [c] }) => x", "x {}"],
  ["({ a = ')' } = {}) => a", "{}?"],
  ["([a, b]) => a", "{}"],
  ["(x = ',', y = [1, 2], z = f(1, 2)) => x", "x? y? z?"],
  ["(x = `a${g(',)')}b`, y) => x", "x? y"],
  ["(x = /[,/)]/, y = a / b) => x", "x? y?"],
  ["(/* , y */ x, // )\n y /* = 1 */) => x", "x y"],
  ["(x = (a, b) => a, y) => x", "x? y"],
  ["(x,) => x", "x"],
  ["(größe, $) => 1", "größe $"],
])("given %s, when its parameters are read, then they are %j", (source, expected) => {
  expect(shown(source)).toBe(expected);
});

test.each([
  "function () { [native code] }",
  "class Add { constructor(x) {} }",
  "function add() { return arguments.length; }",
  "(x = 'never ends) => x",
])("given %s, when its parameters are read, then nobody pretends to know them", (source) => {
  expect(readParameterList(source)).toBeNull();
});

test("given a bound task, when its signature is read, then self is not in it", () => {
  expect(readSignature((_self: unknown, x: number) => x, true)?.parameters).toEqual([
    { name: "x", optional: false },
  ]);
});

test("given declared names, when a minifier has renamed the parameters, then the declaration counts", () => {
  expect(declareSignature("t", ["x", "y?", "...rest", "**kwargs"])).toEqual({
    parameters: [
      { name: "x", optional: false },
      { name: "y", optional: true },
    ],
    rest: true,
    keywords: { name: "kwargs", optional: false },
  });
  expect(() => declareSignature("t", ["no name"])).toThrow('"no name" in parameters is not a name');
});
