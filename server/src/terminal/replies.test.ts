import { expect, test } from "vitest";
import { isHarmlessReply, withoutAnswers } from "./replies.ts";

test("given what a terminal answers, when it is judged, then only attributes, status and cursor may be typed into a program", () => {
  for (const answer of ["\x1b[?1;2c", "\x1b[>0;276;0c", "\x1b[0n", "\x1b[24;80R"])
    expect(isHarmlessReply(answer)).toBe(true);
  for (const answer of [
    "\x1b]52;c;cm0gLXJmIC8K\x07",
    "\x1b]11;rgb:0000/0000/0000\x07",
    "\x1bP1$r0m\x1b\\",
    "\x1b]lrm -rf /\x1b\\",
    "\x1b[24;80Rls\r",
    "ls\r",
  ]) {
    expect(isHarmlessReply(answer), JSON.stringify(answer)).toBe(false);
  }
});

test("given a browser's input, when its terminal's own answers are taken out, then every key is left", () => {
  expect(withoutAnswers("\x1b[?1;2c\x1b[24;80R\x1b[0n\x1b[?2026;2$y\x1b]11;rgb:00/00/00\x1b\\")).toBe("");
  const keys = [
    "ls -l\r",
    "\x1b[A",
    "\x1b[1;5C",
    "\x1b[1;2R",
    "\x1b[3~",
    "\x1bOP",
    "\x1b[200~a\nb\x1b[201~",
    "\x1b",
    "\x03",
    "ü🎉",
    "\x1b[<0;10;5M",
  ];
  for (const key of keys) expect(withoutAnswers(key)).toBe(key);
  expect(withoutAnswers("a\x1b[12;1Rb")).toBe("ab");
});
