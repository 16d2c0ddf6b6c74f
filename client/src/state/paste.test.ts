import { expect, test } from "vitest";
import { reviewPaste } from "./paste.ts";

test("given one line of text, when it is pasted, then it needs no look", () => {
  expect(reviewPaste("celery status\t-t é 👋")).toEqual({
    text: "celery status\t-t é 👋",
    lines: 1,
    needsLook: false,
  });
});

test("given two lines with Windows ends, when they are pasted, then they need a look", () => {
  expect(reviewPaste("a\r\nb\r\n")).toEqual({ text: "a\nb\n", lines: 2, needsLook: true });
});

test("given hidden control characters, when they are pasted, then they are taken out and need a look", () => {
  expect(reviewPaste("ls\u001b[201~; rm x\u0003\u007f")).toEqual({
    text: "ls[201~; rm x",
    lines: 1,
    needsLook: true,
  });
});
