import { expect, test } from "vitest";
import { inOneLine, visible } from "./shown.ts";

test.each([
  ["plain ü 漢 👩\u200d💻", "plain ü 漢 👩\u200d💻"],
  ["two\n\tlines", "two\n\tlines"],
  ["\u001b[2Jx\r\u0007", "\\x1b[2Jx\\r\\x07"],
  ["\u009b31m\u007f\0", "\\x9b31m\\x7f\\x00"],
  ["abc\u202ecba", "abc\\u202ecba"],
])("given %j, when it goes to a terminal, then what would command it is shown", (text, shown) => {
  expect(visible(text)).toBe(shown);
});

test("given a name with line breaks, when it stands in a line, then it stays in that line; a long one leaves room", () => {
  expect(inOneLine("a\nb\tc\u2028d")).toBe("a\\nb\\tc\\u2028d");
  expect(inOneLine("x".repeat(5000))).toHaveLength(1027);
});
