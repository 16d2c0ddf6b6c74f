import { expect, test } from "vitest";
import { type StopDeps, stopForeground } from "./stop-foreground.ts";

const PATIENCE = { warmMs: 10_000, coldMs: 5000, interactiveMs: 1000 };

/** A program that ends at the nth request, or never. */
function aProgram(endsAt: number, readsKeys = false): { deps: StopDeps; asked: string[] } {
  const asked: string[] = [];
  const deps: StopDeps = {
    interrupt: () => void asked.push("Ctrl-C"),
    signal: async (name) => void asked.push(name),
    readsKeys: async () => readsKeys,
    idleWithin: async (ms) => {
      asked.push(`${ms} ms`);
      return asked.filter((entry) => !entry.endsWith("ms")).length >= endsAt;
    },
  };
  return { deps, asked };
}

test("given a worker that finishes its tasks, when it is stopped, then one Ctrl-C is all it gets", async () => {
  const { deps, asked } = aProgram(1);

  expect(await stopForeground(deps, PATIENCE)).toBe(true);
  expect(asked).toEqual(["Ctrl-C", "10000 ms"]);
});

test("given a worker that does not come to an end, when it is stopped, then it is asked again and then killed", async () => {
  const { deps, asked } = aProgram(3);

  expect(await stopForeground(deps, PATIENCE)).toBe(true);
  expect(asked).toEqual(["Ctrl-C", "10000 ms", "Ctrl-C", "5000 ms", "SIGKILL", "5000 ms"]);
});

test("given a program that reads single keys, when it is stopped, then it is not waited for as for a worker", async () => {
  const { deps, asked } = aProgram(2, true);

  expect(await stopForeground(deps, PATIENCE)).toBe(true);
  expect(asked).toEqual(["Ctrl-C", "1000 ms", "SIGTERM", "1000 ms"]);
});

test("given a prompt that never comes back, when all was tried, then that is said", async () => {
  expect(await stopForeground(aProgram(99).deps, PATIENCE)).toBe(false);
});
