import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { QueueView, ServerMessage } from "../protocol/index.ts";
import { Outbox } from "./outbox.ts";

/** A socket whose other end reads only when told to. */
class Wire {
  bufferedAmount = 0;
  readonly sent: (string | Uint8Array)[] = [];
  #waiting: { bytes: number; sent: () => void }[] = [];

  send(data: string | Uint8Array, sent: () => void): void {
    this.sent.push(data);
    this.bufferedAmount += data.length;
    this.#waiting.push({ bytes: data.length, sent });
  }

  read(): void {
    for (const { bytes, sent } of this.#waiting.splice(0)) {
      this.bufferedAmount -= bytes;
      sent();
    }
  }

  types(): string[] {
    return this.sent.filter((data) => typeof data === "string").map((data) => JSON.parse(data).type);
  }
}

const queue = (length: number): ServerMessage => {
  const view: QueueView = {
    queues: [{ name: "celery", length }],
    unacked: 0,
    scheduled: 0,
    dead: 0,
    results: { success: 0, failure: 0, retry: 0 },
    workers: [],
  };
  return { type: "queue", queue: view };
};

const checks = (message: string): ServerMessage => ({
  type: "checks",
  checks: [{ id: "one", state: "red", message }],
});

const MEGABYTE = new Uint8Array(1024 * 1024 + 1);

function open(): { wire: Wire; outbox: Outbox; full: string[] } {
  const wire = new Wire();
  const full: string[] = [];
  return { wire, full, outbox: new Outbox({ socket: wire, onFull: () => full.push("full") }) };
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test("given a browser that reads, when messages are put, then each goes out at once and in order", () => {
  const { wire, outbox } = open();

  outbox.put(checks("a"));
  outbox.put({ type: "done", request: "r1" });
  outbox.put(checks("b"));

  expect(wire.types()).toEqual(["checks", "done", "checks"]);
});

test("given a browser that does not read, when states change often, then it gets the newest of each and every answer", () => {
  const { wire, outbox } = open();
  outbox.putFrame(MEGABYTE);

  outbox.put({ type: "done", request: "r1" });
  for (let n = 0; n < 1_000; n += 1) outbox.put(checks(`check ${n}`));
  outbox.put({ type: "notice", id: "redis", level: "error", text: "down" });
  outbox.put({ type: "notice-gone", id: "redis" });
  outbox.put({ type: "done", request: "r2" });
  expect(wire.types()).toEqual([]);
  wire.read();

  expect(wire.types()).toEqual(["done", "checks", "notice-gone", "done"]);
  expect(wire.sent[2]).toContain("check 999");
});

test("given counts that change all the time, when 1 second passes, then at most one message per 100 ms goes out, the newest last", () => {
  const { wire, outbox } = open();

  for (let n = 0; n <= 1_000; n += 1) {
    outbox.put(queue(n));
    vi.advanceTimersByTime(1);
  }
  vi.advanceTimersByTime(200);

  expect(wire.sent.length).toBeLessThanOrEqual(12);
  expect(wire.sent.length).toBeGreaterThanOrEqual(10);
  expect(wire.sent.at(-1)).toContain('"length":1000');
});

test("given counts that rest, when they change once, then the browser has it at once", () => {
  const { wire, outbox } = open();
  outbox.put(queue(1));
  vi.advanceTimersByTime(1_000);

  outbox.put(queue(2));

  expect(wire.sent).toHaveLength(2);
});

test("given a browser that never reads, when 4 MB wait for it, then it is given up", () => {
  const { outbox, full } = open();

  for (let n = 0; n < 4; n += 1) outbox.putFrame(MEGABYTE);

  expect(full).toEqual(["full"]);
});
