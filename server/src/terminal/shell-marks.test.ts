import { expect, test } from "vitest";
import { type ShellMark, ShellMarkScanner } from "./shell-marks.ts";

const STREAM = [
  "\x1b]133;P;key=s3cret;4711;/dev/pts/3\x07",
  "\x1b]133;B;key=s3cret\x07worker $ ",
  "\x1b[31mred\x1b[0m\x1b]133;C;key=s3cret;echo 'a;b' ü\x07a;b ü\r\n",
  "\x1b]0;title\x07\x1b]133;D;42;key=s3cret\x1b\\",
  "\x1b]133;B;k=s;key=s3cret\x07> ",
].join("");

const MARKS: ShellMark[] = [
  { type: "ready", pid: 4711, tty: "/dev/pts/3" },
  { type: "prompt" },
  { type: "began", command: "echo 'a;b' ü" },
  { type: "ended", exit: 42 },
  { type: "continued" },
];

function scan(chunks: readonly Uint8Array[], secret = "s3cret"): { marks: ShellMark[]; text: string } {
  const scanner = new ShellMarkScanner(secret);
  const segments = chunks.flatMap((chunk) => scanner.scan(chunk));
  return {
    marks: segments.flatMap(({ mark }) => mark ?? []),
    text: Buffer.concat(segments.map(({ bytes }) => bytes)).toString(),
  };
}

test("given a stream with marks, when it is cut at any byte, then the marks are found and nothing is lost or changed", () => {
  const bytes = Buffer.from(STREAM);

  for (let at = 0; at <= bytes.length; at += 1) {
    const { marks, text } = scan([bytes.subarray(0, at), bytes.subarray(at)]);
    expect(marks, `cut at ${at}`).toEqual(MARKS);
    expect(text).toBe(STREAM);
  }
  expect(scan([...bytes].map((byte) => Uint8Array.of(byte)))).toEqual({ marks: MARKS, text: STREAM });
});

test("given a mark, when it is found, then its segment ends exactly behind it", () => {
  const segments = new ShellMarkScanner("k").scan(Buffer.from("before\x1b]133;B;key=k\x07after"));

  expect(segments.map(({ bytes }) => Buffer.from(bytes).toString())).toEqual([
    "before\x1b]133;B;key=k\x07",
    "after",
  ]);
});

test("given marks without the pane's secret, when a program prints them, then they are only bytes", () => {
  const forged = "\x1b]133;D;0\x07\x1b]133;D;0;key=guess\x07\x1b]133;B\x07\x1b]133;D;0;key=s3cre\x07";

  expect(scan([Buffer.from(forged)]).marks).toEqual([]);
});

test("given broken and endless sequences, when a real mark follows, then it is found", () => {
  const mark = "\x1b]133;D;3;key=s3cret\x07";
  for (const noise of [
    "\x1b",
    "\x1b]",
    "\x1b]13",
    "\x1b\x1b]133",
    "\x1b]133;D;1;key=s3cret",
    `\x1b]133;${"x".repeat(20_000)}`,
  ]) {
    expect(scan([Buffer.from(noise + mark)]).marks, JSON.stringify(noise.slice(0, 20))).toEqual([
      { type: "ended", exit: 3 },
    ]);
  }
});
