import { expect, test } from "vitest";
import { MAX_LINE_LENGTH, OutputLines } from "./output-lines.ts";

const OUTPUT = [
  "plain\r\n",
  "\x1b[1;32mgreen\x1b[0m and \x1b]8;;http://x\x07link\x1b]8;;\x1b\\\r\n",
  "  1%\r 50%\r100%\r\n",
  "tyop\b\bpo\r\n",
  "\x1b(Bcharset \x1b=keypad\t日本語 🎉\r\n",
  "\x1bPq#0\x1b\\dcs gone\x1b[?25h\r\n",
  "unfinished",
].join("");
const LINES = ["plain", "green and link", "100%", "typo", "charset keypad\t日本語 🎉", "dcs gone"];

test("given output with every kind of sequence, when it is cut at any byte, then the lines are the same plain text", () => {
  const bytes = Buffer.from(OUTPUT);

  for (let at = 0; at <= bytes.length; at += 1) {
    const lines = new OutputLines();
    expect([...lines.feed(bytes.subarray(0, at)), ...lines.feed(bytes.subarray(at))], `cut at ${at}`).toEqual(
      LINES,
    );
    expect(lines.partial).toBe("unfinished");
  }
});

test("given ten megabytes without a newline, when the line ends, then it is cut and says so", () => {
  const lines = new OutputLines();
  const megabyte = Buffer.alloc(1024 * 1024, "x");

  for (let index = 0; index < 10; index += 1) lines.feed(megabyte);
  const [line = ""] = lines.feed(Buffer.from("\n"));

  expect(line).toHaveLength(MAX_LINE_LENGTH + " … [line cut]".length);
  expect(lines.feed(Buffer.from("next\n"))).toEqual(["next"]);
});

test("given hostile bytes, when a megabyte of each is read, then it takes linear time and no control character is left", () => {
  for (const unit of [
    "\x1b",
    "\x1b[",
    "\x1b]",
    "\x1b[1;",
    "\x1bP\x1b",
    "\r",
    "\b",
    "\xff",
    "a\b",
    "\x9b",
    "\x00",
  ]) {
    const bytes = Buffer.from(unit.repeat(Math.ceil((1024 * 1024) / unit.length)), "latin1");
    const started = performance.now();
    const lines = new OutputLines();
    lines.feed(bytes);
    const [line = ""] = lines.feed(Buffer.from("\x18\x1b\\\n\n"));
    // Quadratic would be minutes; the bound leaves room for a machine that is busy.
    expect(performance.now() - started, JSON.stringify(unit)).toBeLessThan(2000);
    expect(Array.from(line).every((char) => char >= " " || char === "\t")).toBe(true);
  }
});

test("given a line broken off, when the reader is cleared, then the next line starts clean", () => {
  const lines = new OutputLines();

  lines.feed(Buffer.from("half \x1b]8;;"));
  lines.clear();

  expect(lines.feed(Buffer.from("whole\n"))).toEqual(["whole"]);
});
