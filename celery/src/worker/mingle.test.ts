import { expect, test } from "vitest";
import { LamportClock } from "../runtime/lamport-clock.ts";
import { mingle } from "./mingle.ts";
import { Revokes } from "./revokes.ts";

async function mingled(answers: Readonly<Record<string, unknown>> | Error) {
  const said: string[] = [];
  const asked: unknown[] = [];
  const revokes = new Revokes({ clock: { monotonicMs: () => 0 } });
  revokes.add(["ours"]);
  const lamport = new LamportClock();
  const say = (_fields: object, text: string): void => void said.push(text);
  await mingle({
    nodeName: "w1@test",
    ask: (args) => {
      asked.push(args);
      return answers instanceof Error
        ? Promise.reject(answers)
        : Promise.resolve(new Map(Object.entries(answers)));
    },
    revokes,
    lamport,
    log: { debug: say, info: say, warn: say, error: say },
  });
  return { said, asked, revoked: revokes.ids(), clock: lamport.value };
}

test("given no neighbors, when a worker mingles, then it says so, and has told what it knows", async () => {
  const { said, asked } = await mingled({ "w1@test": null });

  expect(said).toEqual(["mingle: searching for neighbors", "mingle: all alone"]);
  expect(asked).toEqual([{ from_node: "w1@test", revoked: ["ours"] }]);
});

test("given neighbors of Celery 5.7 and before, when a worker mingles, then it learns their revoked ids and their clock", async () => {
  const { said, revoked, clock } = await mingled({
    "new@test": { clock: 40, revoked: ["a", "b"] },
    "old@test": { clock: 7, revoked: { c: 123.4 } },
  });

  expect(said).toEqual([
    "mingle: searching for neighbors",
    "mingle: sync with 2 nodes",
    "mingle: sync complete",
  ]);
  expect(revoked).toEqual(["ours", "a", "b", "c"]);
  expect(clock).toBeGreaterThan(40);
});

test("given a neighbor that answers nonsense, when a worker mingles, then it says so and hears the others", async () => {
  const { said, revoked } = await mingled({ "odd@test": { revoked: 5 }, "new@test": { revoked: ["a"] } });

  expect(said.some((line) => line.startsWith("mingle: sync with odd@test failed"))).toBe(true);
  expect(revoked).toEqual(["ours", "a"]);
});

test("given a broker that goes away, when a worker mingles, then it goes on without", async () => {
  const { said } = await mingled(new Error("gone"));

  expect(said).toEqual(["mingle: searching for neighbors", "mingle: the neighbors could not be asked"]);
});
