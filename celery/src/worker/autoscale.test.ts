import { expect, test } from "vitest";
import { Autoscaler } from "./autoscale.ts";

/** A pool of numbers: `busy` of its slots cannot be taken away. */
class Lab {
  nowMs = 0;
  load = 0;
  busy = 0;
  readonly said: string[] = [];
  readonly pool: { size: number; grow(n: number): void; shrink(n: number): void };
  readonly scaler: Autoscaler;

  constructor(size: number, max: number, min: number) {
    this.pool = {
      size,
      grow: (n) => void (this.pool.size += n),
      shrink: (n) => {
        if (this.pool.size - n < this.busy) throw new Error("Can't shrink pool. All processes busy!");
        this.pool.size -= n;
      },
    };
    this.scaler = new Autoscaler(
      {
        pool: this.pool,
        load: () => this.load,
        clock: { monotonicMs: () => this.nowMs },
        say: (text) => void this.said.push(text),
      },
      { max, min },
    );
  }
}

test("given a backlog, when tasks are received, then the pool grows to it at once, and not beyond its most", () => {
  const lab = new Lab(1, 4, 1);

  lab.load = 3;
  lab.scaler.onReceived();
  expect(lab.pool.size).toBe(3);
  lab.load = 20;
  lab.scaler.onReceived();

  expect(lab.pool.size).toBe(4);
  expect(lab.said).toEqual(["Scaling up 2 processes.", "Scaling up 1 processes."]);
});

test("given a pool that has grown, when nothing comes for 30 s, then it shrinks to its least, and not before", () => {
  const lab = new Lab(1, 4, 1);
  lab.load = 4;
  lab.scaler.onReceived();
  lab.load = 0;

  lab.nowMs = 30_000;
  lab.scaler.tick();
  expect(lab.pool.size).toBe(4);
  lab.nowMs = 30_001;
  lab.scaler.tick();

  expect(lab.pool.size).toBe(1);
  expect(lab.said.at(-1)).toBe("Scaling down 3 processes.");
});

test("given busy processes, when it would shrink, then the idle ones go and the rest later", () => {
  const lab = new Lab(4, 4, 1);
  lab.busy = 2;
  lab.nowMs = 31_000;

  lab.scaler.tick();
  expect(lab.pool.size).toBe(2);
  lab.busy = 0;
  lab.scaler.tick();

  expect(lab.pool.size).toBe(1);
});

test("given another range, when it is set, then the pool follows at once, and an end that is not named stays", () => {
  const lab = new Lab(4, 4, 1);

  expect(lab.scaler.update(2, null)).toEqual({ max: 2, min: 1 });
  expect(lab.pool.size).toBe(2);
  expect(lab.scaler.update(8, 5)).toEqual({ max: 8, min: 5 });
  expect(lab.pool.size).toBe(5);
});

test("given a least of none, when the worker is idle and then a task comes, then the pool goes to nothing and back", () => {
  const lab = new Lab(1, 4, 0);
  lab.nowMs = 31_000;
  lab.scaler.tick();
  expect(lab.pool.size).toBe(0);

  lab.load = 1;
  lab.scaler.onReceived();

  expect(lab.pool.size).toBe(1);
});
