import { describe, expect, test } from "vitest";
import { readShellInput } from "./shell-input.ts";

const faultOf = (text: string): string | undefined => {
  const input = readShellInput(text);
  return input.kind === "fault" ? input.text : undefined;
};

describe("what is awaited and kept", () => {
  test.each([
    ["add.delay(2, 3)", null, true],
    ["r = add.delay(2, 3)", "r", true],
    ["const r = add.delay(2, 3);", "r", false],
    ["let x = { a: 1, b: [2, 3] }", "x", false],
    ["const { id, state } = add.delay(2, 3)", "{ id, state }", false],
    ["[a, b] = [1, 2]", "[a, b]", true],
    ["await r.get()", null, true],
    ["{ a: 1 }", null, true],
    ["rs = [1, 2].map((n) => add.delay(n, n))", "rs", true],
    ["n == 3", null, true],
    ["n => n + 1", null, true],
    ["f = (a = 1) => a", "f", true],
  ])("given %s, when it is read, then its value goes to %s, shown: %s", (typed, target, isShown) => {
    expect(readShellInput(typed)).toMatchObject({ kind: "expression", target, isShown });
  });

  test.each([
    "for (const n of [1, 2]) await add.delay(n, n)",
    "if (x) { y() }",
    "function twice(n = 2) { return 2 * n }",
    "class A { b(c = 1) {} }",
    "const a = 1, b = 2",
    "a; b",
    "let a",
  ])("given %s, which is no single expression, when it is read, then it is run as statements", (typed) => {
    expect(readShellInput(typed).kind).toBe("statements");
  });

  test.each(["add.delay(2,", "for (const n of [1, 2]) {", "x = `a", "const r =", "f(() => {\n  g(1)"])(
    "given %s, when it is read, then more is needed",
    (typed) => {
      expect(readShellInput(typed).kind).toBe("incomplete");
    },
  );

  test("given what can never be code, when it is read, then it is a syntax error and not an endless wait", () => {
    expect(faultOf("add.delay 2, 3")).toMatch(/^SyntaxError: /);
    expect(faultOf("f(1))")).toMatch(/^SyntaxError: /);
    expect(readShellInput("  ").kind).toBe("nothing");
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
    expect(faultOf(typed)).toContain(`Write ${right}.`);
  });

  test.each([
    "f(a == 1)",
    "f(a => a)",
    "f((a = 1) => a)",
    "f('timeout=10')",
    "if (a = b) c()",
    "const f = async (x = 1) => x",
  ])("given %s, which is JavaScript, when it is read, then there is no hint", (typed) => {
    expect(faultOf(typed)).toBeUndefined();
  });

  test("given an import, Python's or JavaScript's, when it is read, then the hint says what to do instead", () => {
    expect(faultOf("from tasks import add")).toMatch(/No import is needed/);
    expect(faultOf("import tasks")).toMatch(/Python/);
    expect(faultOf('import { add as plus } from "./tasks.ts";')).toContain(
      'const { add: plus } = await import("./tasks.ts")',
    );
    expect(faultOf('import * as tasks from "./tasks.ts"')).toContain(
      'const tasks = await import("./tasks.ts")',
    );
  });
});
