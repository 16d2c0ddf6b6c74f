import { beforeEach, expect, test } from "vitest";
import { RecentResults } from "./recent-results.ts";

const limits = { count: 8, characters: 6400, ms: 30_000 };
let nowMs: number;
let recent: RecentResults;

beforeEach(() => {
  nowMs = 1000;
  recent = new RecentResults(limits, () => nowMs);
});

const addMany = (count: number, text = "{}"): void => {
  for (let index = 0; index < count; index += 1) recent.add(`filler-${nowMs}-${index}`, text);
};

test("given a mark, when a result has come since then, then it is found; of another one it is known that nothing has come", () => {
  const [a, b] = [recent.mark(), recent.mark()];
  recent.add("a", "A");
  expect(recent.find("a", a)).toBe("A");
  expect(recent.find("b", b)).toBeNull();
});

test("given a mark that was used, then it tells nothing any more", () => {
  const mark = recent.mark();
  recent.add("a", "A");
  expect(recent.find("a", mark)).toBe("A");
  expect(recent.find("a", mark)).toBeUndefined();
});

test("given no mark, then nothing is known: the result may be older than what was heard", () => {
  recent.add("a", "A");
  expect(recent.find("a", undefined)).toBeUndefined();
  expect(recent.find("b", undefined)).toBeUndefined();
});

test("given several states of one task, then the latest is found", () => {
  const mark = recent.mark();
  for (const text of ["PENDING", "RETRY", "SUCCESS"]) recent.add("a", text);
  expect(recent.find("a", mark)).toBe("SUCCESS");
});

test("given more results than there is room for, then the oldest are gone, and marks from before them say so", () => {
  const [a, b] = [recent.mark(), recent.mark()];
  recent.add("a", "A");
  const later = recent.mark();
  addMany(8);
  expect(recent.find("a", a)).toBeUndefined();
  expect(recent.find("b", b)).toBeUndefined();
  expect(recent.find("b", recent.mark())).toBeNull();
  // Of those that came after it, some had to go as well.
  expect(recent.find("b", later)).toBeUndefined();
});

test("given an early mark, when its own result is still there, then it is found although others are gone", () => {
  const [a, b] = [recent.mark(), recent.mark()];
  addMany(8);
  recent.add("a", "A");
  expect(recent.find("b", b)).toBeUndefined();
  expect(recent.find("a", a)).toBe("A");
});

test("given a task that reports its progress a thousand times, then what came of others stays", () => {
  const [a, b] = [recent.mark(), recent.mark()];
  recent.add("a", "A");
  for (let step = 0; step < 1000; step += 1) recent.add("busy", `${step}`);
  expect(recent.find("a", a)).toBe("A");
  expect(recent.find("b", b)).toBeNull();
});

test("given a text that is too long to be kept, then it is to be read, and the others are not the worse for it", () => {
  const [a, b, long] = [recent.mark(), recent.mark(), recent.mark()];
  recent.add("a", "A");
  recent.add("long", "x".repeat(101));
  expect(recent.find("long", long)).toBeUndefined();
  expect(recent.find("a", a)).toBe("A");
  expect(recent.find("b", b)).toBeNull();
});

test("given texts that fill the room together, then the oldest are gone", () => {
  recent = new RecentResults({ ...limits, count: 1000 }, () => nowMs);
  const [first, last] = [recent.mark(), recent.mark()];
  addMany(200, "x".repeat(100));
  expect(recent.find(`filler-${nowMs}-0`, first)).toBeUndefined();
  expect(recent.find(`filler-${nowMs}-199`, last)).toBe("x".repeat(100));
});

test("given a result that is too old, then it is to be read: it may have expired", () => {
  const [a, b, c] = [recent.mark(), recent.mark(), recent.mark()];
  recent.add("a", "A");
  recent.add("b", "B");
  nowMs += 30_001;
  expect(recent.find("a", a)).toBeUndefined();
  recent.add("c", "C");
  expect(recent.find("b", b)).toBeUndefined();
  expect(recent.find("c", c)).toBe("C");
});

test("given a gap, then no mark from before it holds, whatever comes", () => {
  const [a, b] = [recent.mark(), recent.mark()];
  recent.add("a", "A");
  recent.gap();
  expect(recent.find("a", a)).toBeUndefined();
  expect(recent.find("b", b)).toBeUndefined();
  expect(recent.find("b", recent.mark())).toBeNull();
});

test("given a mark of another backend, then it says nothing here", () => {
  const other = new RecentResults(limits, () => nowMs);
  for (let index = 0; index < 20; index += 1) other.add("x", `${index}`);
  expect(recent.find("a", other.mark())).toBeUndefined();
});

test("given a result that was forgotten, then nothing is there", () => {
  const mark = recent.mark();
  recent.add("a", "A");
  recent.forget("a");
  expect(recent.find("a", mark)).toBeNull();
});

test("given results that nobody asks for, then they count as wasted; each that is asked for makes up for some", () => {
  recent = new RecentResults({ ...limits, count: 64 }, () => nowMs);
  addMany(95);
  expect(recent.wasted).toBe(36);
  recent.countWanted();
  expect(recent.wasted).toBe(20);
  const mark = recent.mark();
  recent.add("b", "B");
  recent.find("b", mark);
  expect(recent.wasted).toBe(4);
  recent.countWanted();
  expect(recent.wasted).toBe(0);
});
