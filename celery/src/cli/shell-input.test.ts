import { describe, expect, test } from "vitest";
import { readShellInput, SETTLE } from "./shell-input.ts";

const codeOf = (text: string): string => {
  const input = readShellInput(text);
  return input.kind === "code"
    ? input.code.replaceAll(SETTLE, "S").replaceAll("\n)", ")")
    : `hint: ${input.text}`;
};
const hintOf = (text: string): string | undefined => {
  const input = readShellInput(text);
  return input.kind === "hint" ? input.text : undefined;
};

describe("what is awaited", () => {
  test.each([
    ["add.delay(2, 3)", "await S(add.delay(2, 3))"],
    ["r = add.delay(2, 3)", "r = await S(add.delay(2, 3))"],
    ["const r = add.delay(2, 3);", "r = await S(add.delay(2, 3))"],
    ["let x = { a: 1, b: [2, 3] }", "x = await S({ a: 1, b: [2, 3] })"],
    ["r.get()", "await S(r.get())"],
    ["await r.get()", "await S(await r.get())"],
    ["rs = [1, 2].map((n) => add.delay(n, n))", "rs = await S([1, 2].map((n) => add.delay(n, n)))"],
    ["n == 3", "await S(n == 3)"],
    ["f = (a = 1) => a", "f = await S((a = 1) => a)"],
  ])("given %s, when it is read, then it runs as %s", (typed, run) => {
    expect(codeOf(typed)).toBe(run);
  });

  test.each([
    "for (const n of [1, 2]) await add.delay(n, n)",
    "if (x) { y() }",
    "function twice(n = 2) { return 2 * n }",
    "class A { b(c = 1) {} }",
    "const { a } = await r.get()",
    "const a = 1, b = 2",
    "add.delay(2,",
    "",
    "// nothing",
  ])("given %s, which is no single expression, when it is read, then it runs as it is", (typed) => {
    expect(codeOf(typed)).toBe(typed);
  });
});

describe("Python at the prompt", () => {
  test.each([
    ["r.get(timeout=10)", "r.get({ timeout: 10 })"],
    ["x = r.get(timeout=10)", "r.get({ timeout: 10 })"],
    ["add.delay(x=2, y=3)", "add.delay(2, 3)"],
    [
      "add.apply_async(args=[2, 3], countdown=5, ignore_result=true)",
      "add.applyAsync([2, 3], { countdown: 5, ignoreResult: true })",
    ],
    ["add.applyAsync([2, 3], countdown=5)", "add.applyAsync([2, 3], { countdown: 5 })"],
    ["crontab(hour=3, minute='*/5')", "crontab({ hour: 3, minute: '*/5' })"],
  ])("given %s, when it is read, then the hint says to write %s", (typed, right) => {
    expect(hintOf(typed)).toContain(`Write ${right}.`);
  });

  test.each([
    "f(a == 1)",
    "f(a => a)",
    "f((a = 1) => a)",
    "f('timeout=10')",
    "if (a = b) c()",
    "const f = async (x = 1) => x",
  ])("given %s, which is JavaScript, when it is read, then there is no hint", (typed) => {
    expect(hintOf(typed)).toBeUndefined();
  });

  test("given an import, Python's or JavaScript's, when it is read, then the hint says what to do instead", () => {
    expect(hintOf("from tasks import add")).toMatch(/No import is needed/);
    expect(hintOf('import { add as plus } from "./tasks.ts";')).toContain(
      'const { add: plus } = await import("./tasks.ts")',
    );
    expect(hintOf('import * as tasks from "./tasks.ts"')).toContain(
      'const tasks = await import("./tasks.ts")',
    );
  });
});
