import { expect, test } from "vitest";
import { paneStatus, runningCommand, systemStatus } from "./pane-words.ts";
import { EMPTY_QUEUE } from "./store.ts";

test("given each phase of a pane, when it is said, then shape and words fit", () => {
  const now = 70_000;
  const said = [
    paneStatus({ phase: "starting", epoch: 1 }, now),
    paneStatus({ phase: "idle", epoch: 1, exit: null, seconds: null }, now),
    paneStatus({ phase: "idle", epoch: 1, exit: 0, seconds: 0.31 }, now),
    paneStatus({ phase: "idle", epoch: 1, exit: 1, seconds: 2 }, now),
    paneStatus({ phase: "idle", epoch: 1, exit: 130, seconds: 12 }, now),
    paneStatus({ phase: "busy", epoch: 1, command: "x", since: 5_000 }, now),
  ].map(({ tone, words }) => `${tone}: ${words}`);

  expect(said).toEqual([
    "waiting: starting its shell",
    "idle: idle",
    "idle: idle · exit 0 · 0.3 s",
    "failed: idle · exit 1 · 2.0 s",
    "idle: idle · stopped · 12 s",
    "active: running 1 min 5 s",
  ]);
});

test("given a long command of two lines, when it is named, then the first line is cut", () => {
  const command = `${"x".repeat(80)}\nsecond`;

  expect(runningCommand({ phase: "busy", epoch: 1, command, since: 0 })).toBe(`${"x".repeat(57)}…`);
  expect(runningCommand({ phase: "starting", epoch: 1 })).toBeNull();
});

test("given Redis down and one worker, when the header speaks, then it says both", () => {
  const redis = { kind: "server", label: "Redis 7", url: "redis://x", up: false, error: "gone" } as const;
  const worker = { hostname: "celery@a", pid: 1, oldCode: false, active: 0 };

  const status = systemStatus(redis, { ...EMPTY_QUEUE, workers: [worker] });

  expect(status.redis).toEqual({ tone: "failed", words: "Redis is not running" });
  expect(status.workers).toEqual({ tone: "active", words: "1 worker" });
});
