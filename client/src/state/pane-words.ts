import type { PaneId, PaneState, QueueView, RedisView } from "server/protocol";
import { count, durationWords } from "./words.ts";

export const PANE_TITLES: Readonly<Record<PaneId, string>> = {
  broker: "Broker",
  worker: "Worker",
  producer: "Producer",
};

/** What a pane is doing, as a shape and words: colour is never the only sign. */
export interface PaneStatus {
  readonly tone: "waiting" | "idle" | "active" | "failed";
  readonly words: string;
}

/** @param now epoch milliseconds, for how long a program has been running. */
export function paneStatus(state: PaneState, now: number): PaneStatus {
  switch (state.phase) {
    case "starting":
      return { tone: "waiting", words: "starting its shell" };
    case "busy":
      return { tone: "active", words: `running ${durationWords((now - state.since) / 1000)}` };
    case "closed":
      return { tone: "idle", words: `closed: ${state.reason.replace(/\.$/, "")}` };
    case "idle":
      return idleStatus(state.exit, state.seconds);
  }
}

function idleStatus(exit: number | null, seconds: number | null): PaneStatus {
  if (exit === null) return { tone: "idle", words: "idle" };
  const took = seconds === null ? "" : ` · ${durationWords(seconds)}`;
  if (exit === 130) return { tone: "idle", words: `idle · stopped${took}` };
  return { tone: exit === 0 ? "idle" : "failed", words: `idle · exit ${exit}${took}` };
}

/** What the header says about Redis and the workers. */
export function systemStatus(
  redis: RedisView | null,
  queue: QueueView,
): { redis: PaneStatus; workers: PaneStatus } {
  return {
    redis: redisStatus(redis),
    workers:
      queue.workers.length === 0
        ? { tone: "idle", words: "no worker" }
        : { tone: "active", words: count(queue.workers.length, "worker") },
  };
}

function redisStatus(redis: RedisView | null): PaneStatus {
  if (redis === null) return { tone: "waiting", words: "Redis …" };
  return redis.up
    ? { tone: "active", words: redis.label }
    : { tone: "failed", words: "Redis is not running" };
}

/** The command a pane runs now, short enough for a sentence. */
export function runningCommand(state: PaneState): string | null {
  if (state.phase !== "busy") return null;
  const [line = ""] = state.command.trim().split("\n");
  return line.length > 60 ? `${line.slice(0, 57)}…` : line;
}
