import { EventEmitter } from "node:events";
import { expect, test } from "vitest";
import { advanceShutdown, type ShutdownPhase, type ShutdownSignal, watchShutdown } from "./shutdown.ts";

function after(...signals: readonly ShutdownSignal[]): { phase: ShutdownPhase; said: readonly string[] } {
  let phase: ShutdownPhase = { name: "running" };
  const said: string[] = [];
  for (const signal of signals) {
    const step = advanceShutdown(phase, signal);
    phase = step.phase;
    said.push(...step.say);
  }
  return { phase, said };
}

test("given a running worker, when Ctrl-C is pressed once, then it ends warmly and says what twice would do", () => {
  expect(after("SIGINT")).toEqual({
    phase: { name: "warm", hintGiven: true },
    said: [
      "worker: Hitting Ctrl+C again will initiate cold shutdown, terminating all running tasks!",
      "worker: Warm shutdown (MainProcess)",
    ],
  });
});

test("given a running worker, when Ctrl-C is pressed twice, then it ends coldly", () => {
  const { phase, said } = after("SIGINT", "SIGINT");

  expect(phase).toEqual({ name: "cold" });
  expect(said.at(-1)).toBe("worker: Hitting Ctrl+C again will terminate all running tasks!");
});

test.each([
  { signals: ["SIGTERM"], name: "warm" },
  { signals: ["SIGTERM", "SIGTERM"], name: "warm" },
  { signals: ["SIGTERM", "SIGINT"], name: "warm" },
  { signals: ["SIGTERM", "SIGINT", "SIGINT"], name: "cold" },
  { signals: ["SIGQUIT"], name: "cold" },
  { signals: ["SIGINT", "SIGQUIT"], name: "cold" },
  { signals: ["SIGHUP"], name: "cold" },
  { signals: ["SIGQUIT", "SIGTERM"], name: "cold" },
  { signals: ["SIGINT", "SIGINT", "SIGINT"], name: "hard" },
] as const)("given $signals, when they have arrived, then the shutdown is $name", ({ signals, name }) => {
  expect(after(...signals).phase.name).toBe(name);
});

test("given a watched process, when signals arrive, then each phase implies the ones before", () => {
  const self = new EventEmitter();
  const said: string[] = [];
  using shutdown = watchShutdown(self as unknown as NodeJS.Process, {
    say: (text) => void said.push(text),
    onSignal: (signal, how) => void said.push(`${signal}: ${how}`),
  });

  self.emit("SIGQUIT", "SIGQUIT");

  expect([shutdown.warm.aborted, shutdown.cold.aborted, shutdown.hard.aborted]).toEqual([true, true, false]);
  expect(said).toEqual([
    "SIGQUIT: Cold",
    "worker: Hitting Ctrl+C again will terminate all running tasks!",
    "worker: Cold shutdown (MainProcess)",
  ]);
});

test("given a watched process, when the watch is disposed, then no listener is left", () => {
  const self = new EventEmitter();

  watchShutdown(self as unknown as NodeJS.Process, { say: () => undefined })[Symbol.dispose]();

  expect(self.eventNames()).toEqual([]);
});

test("given REMAP_SIGTERM, when SIGTERM comes, then it means what SIGQUIT means", () => {
  const self = new EventEmitter();
  using shutdown = watchShutdown(self as unknown as NodeJS.Process, {
    say: () => undefined,
    sigtermIsSigquit: true,
  });

  self.emit("SIGTERM", "SIGTERM");

  expect([shutdown.warm.aborted, shutdown.cold.aborted]).toEqual([true, true]);
});

test("given remote control that asks for the end, when a signal follows, then it goes on from warm", () => {
  const self = new EventEmitter();
  const said: string[] = [];
  using shutdown = watchShutdown(self as unknown as NodeJS.Process, { say: (text) => void said.push(text) });

  shutdown.requestWarm();
  shutdown.requestWarm();
  expect([shutdown.warm.aborted, shutdown.cold.aborted, said]).toEqual([true, false, []]);
  self.emit("SIGQUIT", "SIGQUIT");

  expect(shutdown.cold.aborted).toBe(true);
});
