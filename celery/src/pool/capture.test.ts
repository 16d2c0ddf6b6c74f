import { expect, test } from "vitest";
import { captureOutput } from "./capture.ts";

/** Writes what `work` asks for to captured streams. @returns the lines that came of it. */
function linesOf(work: (stdout: NodeJS.WriteStream) => void): readonly string[] {
  const stream = (): object => ({ write: () => true });
  const self = { stdout: stream(), stderr: stream() } as unknown as NodeJS.Process;
  const lines: string[] = [];
  const capture = captureOutput(self, (line) => lines.push(line));
  work(self.stdout);
  capture[Symbol.dispose]();
  return lines;
}

test("given a character whose bytes come in two writes, when it is captured, then it is whole", () => {
  const [first, second] = [Buffer.from("€").subarray(0, 1), Buffer.from("€").subarray(1)];

  const lines = linesOf((stdout) => {
    stdout.write(first);
    stdout.write(second);
    stdout.write(" 5\n");
  });

  expect(lines).toEqual(["€ 5"]);
});

test("given a text in an encoding of its own, when it is captured, then it is what would have been written", () => {
  expect(linesOf((stdout) => stdout.write("aGVsbG8=", "base64"))).toEqual(["hello"]);
});

test("given a task that prints for ever without a line end, when it is captured, then it comes in pieces and is not gathered", () => {
  const lines = linesOf((stdout) => {
    for (let i = 0; i < 5; i++) stdout.write(".".repeat(40_000));
  });

  expect(lines.join("")).toBe(".".repeat(200_000));
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(64 * 1024);
});
