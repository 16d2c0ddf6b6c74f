import { expect, test } from "vitest";
import { RateLimits } from "./rate-limits.ts";

/** Time that stands still until it is moved, and what came out when. */
class Lab {
  nowMs = 0;
  readonly started: (readonly [name: string, atMs: number])[] = [];
  readonly limits: RateLimits<string>;
  #timers: { readonly atMs: number; readonly work: () => void }[] = [];

  constructor(limit: string | number | null, disabled = false) {
    this.limits = new RateLimits<string>({
      clock: { monotonicMs: () => this.nowMs },
      after: (ms, work) => {
        const timer = { atMs: this.nowMs + ms, work };
        this.#timers.push(timer);
        return () => void (this.#timers = this.#timers.filter((other) => other !== timer));
      },
      disabled,
      limitOf: () => limit,
      onReady: (name) => void this.started.push([name, this.nowMs]),
    });
  }

  hold(...names: readonly string[]): void {
    for (const name of names) this.limits.hold("tasks.add", name);
  }

  runUntil(ms: number): void {
    for (;;) {
      const next = this.#timers.filter(({ atMs }) => atMs <= ms).toSorted((a, b) => a.atMs - b.atMs)[0];
      if (!next) break;
      this.#timers = this.#timers.filter((other) => other !== next);
      this.nowMs = next.atMs;
      next.work();
    }
    this.nowMs = ms;
  }
}

test("given 2/s, when four tasks come at once, then they start half a second apart, in their order", () => {
  const lab = new Lab("2/s");

  lab.hold("a", "b", "c", "d");
  lab.runUntil(5_000);

  expect(lab.started).toEqual([
    ["a", 0],
    ["b", 500],
    ["c", 1000],
    ["d", 1500],
  ]);
});

test("given a long idle time, when tasks come, then what was not used is not made up for", () => {
  const lab = new Lab("2/s");
  lab.runUntil(60_000);

  lab.hold("a", "b");
  lab.runUntil(61_000);

  expect(lab.started).toEqual([
    ["a", 60_000],
    ["b", 60_500],
  ]);
});

test.each([null, "", 0, "0"])("given the limit %j, when it is looked up, then there is none", (limit) => {
  expect(new Lab(limit).limits.limits("tasks.add")).toBe(false);
});

test("given rate limits switched off, when a task has one, then it does not count", () => {
  expect(new Lab("1/h", true).limits.limits("tasks.add")).toBe(false);
});

test("given tasks that wait, when the limit is raised, then they go on by the new one; without one, at once", () => {
  const lab = new Lab("1/h");
  lab.hold("a", "b", "c");
  expect(lab.limits.size).toBe(2);

  lab.limits.set("tasks.add", "10/s");
  lab.runUntil(50);
  lab.limits.set("tasks.add", null);

  expect(lab.started).toEqual([
    ["a", 0],
    ["b", 0],
    ["c", 50],
  ]);
  expect(lab.limits.size).toBe(0);
});

test("given tasks that wait, when some are taken out, then only the others start", () => {
  const lab = new Lab("1/s");
  lab.hold("a", "b", "c");

  expect(lab.limits.take((name) => name === "b")).toEqual(["b"]);
  lab.runUntil(10_000);

  expect(lab.started).toEqual([
    ["a", 0],
    ["c", 1000],
  ]);
});

test("given a rate of less than one a month, when a task waits, then it is looked after every hour", () => {
  const lab = new Lab("0.0001/h");
  lab.hold("a", "b");

  lab.runUntil(3_600_000 * 3);

  expect(lab.started).toEqual([["a", 0]]);
  expect(lab.limits.size).toBe(1);
});
