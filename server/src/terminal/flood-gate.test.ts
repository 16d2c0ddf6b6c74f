import { expect, test } from "vitest";
import { FloodGate, type FloodLimits } from "./flood-gate.ts";

const LIMITS: FloodLimits = {
  bytesPerSecond: 1000,
  linesPerSecond: 100,
  burstSeconds: 1,
  tailBytes: 400,
  tailLines: 1000,
};

function aGate(limits: Partial<FloodLimits> = {}): { gate: FloodGate; wait: (ms: number) => void } {
  let now = 0;
  const gate = new FloodGate({ ...LIMITS, ...limits }, () => now);
  return { gate, wait: (ms) => (now += ms) };
}

const numbered = (from: number, to: number): Buffer[] =>
  Array.from({ length: to - from }, (_, index) => Buffer.from(`line ${from + index}\r\n`));
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();

test("given output that anyone can follow, when it passes, then all of it does, unchanged", () => {
  const { gate, wait } = aGate();

  for (const line of numbered(0, 500)) {
    expect(gate.push(line)).toBe(line);
    wait(50);
  }
  expect(gate.flooding).toBe(false);
});

test("given a flood, when it is over, then its tail is whole, in order, behind a line that counts what is missing", () => {
  const { gate, wait } = aGate();
  const passed = numbered(0, 1000).flatMap((line) => gate.push(line) ?? []);

  wait(1000);
  const { bytes, skippedLines } = gate.flush();

  const shown = passed.length;
  const tail = text(bytes)
    .split("\r\n")
    .filter((line) => line.startsWith("line"));
  expect(gate.flooding).toBe(false);
  expect(tail.at(-1)).toBe("line 999");
  expect(tail).toEqual(numbered(1000 - tail.length, 1000).map((line) => text(line).trim()));
  // The first line of the tail is left out too: it might have been cut.
  expect(shown + skippedLines + tail.length + 1).toBe(1000);
  expect(text(bytes)).toContain(`… ${skippedLines} lines skipped`);
});

test("given a flood that goes on, when a while is over, then no more than that while's share passes, of the newest", () => {
  const { gate, wait } = aGate({ tailBytes: 10_000 });
  for (const line of numbered(0, 1000)) gate.push(line);

  wait(100);
  const { bytes } = gate.tick();

  expect(gate.flooding).toBe(true);
  expect(bytes.length).toBeLessThan(250);
  expect(text(bytes)).toContain("line 999");
});

test("given a flood that stopped, when the next while is over, then the whole tail passes and the gate is open", () => {
  const { gate, wait } = aGate();
  for (const line of numbered(0, 1000)) gate.push(line);

  wait(100);
  gate.tick();
  for (const line of numbered(1000, 1003)) gate.push(line);
  wait(1000);

  const { bytes, skippedLines } = gate.tick();
  expect(skippedLines).toBe(0);
  expect(text(bytes)).toMatch(/… \d+ lines skipped.*\r\nline 1000\r\nline 1001\r\nline 1002\r\n$/);
  expect(gate.flooding).toBe(false);
});

test("given a terminal mode switched in what is left out, when the tail passes, then the switch is repeated", () => {
  const { gate } = aGate();
  for (const line of numbered(0, 200)) gate.push(line);
  gate.push(Buffer.from("\x1b[?1049l\x1b[?25;7h"));
  for (const line of numbered(200, 400)) gate.push(line);

  expect(text(gate.flush().bytes)).toContain("\x1b[?1049l\x1b[?25h\x1b[?7h");
});

test("given many short lines, when they are few bytes, then they are a flood all the same", () => {
  const { gate } = aGate();
  for (let index = 0; index < 101; index += 1) gate.push(Buffer.from("\n"));

  expect(gate.flooding).toBe(true);
});
