import { expect, test } from "vitest";
import { languageOf, tokenize } from "./highlight.ts";

const kinds = (code: string, language: string): string[] =>
  tokenize(code, language)
    .filter((token) => token.kind !== "plain")
    .map((token) => `${token.kind}:${token.text}`);

test("given TypeScript, when it is cut, then keywords, strings, calls, numbers and types are told apart", () => {
  expect(kinds('const r: Result = await add("x", 4); // go', "ts")).toEqual([
    "keyword:const",
    "type:Result",
    "keyword:await",
    "call:add",
    'string:"x"',
    "number:4",
    "comment:// go",
  ]);
});

test("given a command, when it is cut, then its options and strings are told apart", () => {
  expect(kinds("celery -A tasks call --args='[1]' # send", "sh")).toEqual([
    "flag:-A",
    "flag:--args",
    "string:'[1]'",
    "comment:# send",
  ]);
});

test("given Python, when it is cut, then a string of three quotes may have lines", () => {
  expect(kinds('def f():\n  """one\n  two"""\n  return None', "py")).toEqual([
    "keyword:def",
    "call:f",
    'string:"""one\n  two"""',
    "keyword:return",
    "keyword:None",
  ]);
});

test.each(["ts", "py", "sh", "json", "brainfuck"])(
  "given odd text as %s, when it is cut, then the pieces add up to it",
  (language) => {
    const code = "`unclosed ${x} \"quote\n/* open 'é' 12.5e3 # \\ 👋 const";

    expect(
      tokenize(code, language)
        .map((token) => token.text)
        .join(""),
    ).toBe(code);
  },
);

test("given file names, when the language is asked for, then the ending decides", () => {
  expect([languageOf("src/tasks.TS"), languageOf("app.py")]).toEqual(["ts", "py"]);
});
