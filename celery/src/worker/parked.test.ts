import { expect, test } from "vitest";
import { aMessage } from "../../test/support/builders.ts";
import { Parked } from "./parked.ts";

const later = (id: string, eta = "2026-11-21T10:00:00+00:00") => aMessage({ id, eta });

test("given parked messages, when they are listed, then those still to come are there, soonest first", () => {
  const parked = new Parked();
  parked.add(later("b"), 200, 10);
  parked.add(later("a"), 100, 10);
  parked.add(later("past"), 50, 10);

  const list = parked.list(50_000, "w1@test");

  expect(list.map(({ request }) => request.id)).toEqual(["a", "b"]);
  expect(list[0]).toMatchObject({
    eta: "2026-11-21T10:00:00+00:00",
    request: { name: "tasks.add", args: [2, 3], hostname: "w1@test", timeStart: null, workerPid: null },
  });
});

test("given a parked message, when it is deleted, then it is known no more", () => {
  const parked = new Parked();
  parked.add(later("a"), 100, 10);

  expect(parked.delete("a")).toBe(true);
  expect(parked.delete("a")).toBe(false);
  expect(parked.list(0, "w1@test")).toEqual([]);
});

test("given more ids than are remembered, when another comes, then the oldest is forgotten", () => {
  const parked = new Parked({ maxIds: 2 });
  for (const id of ["a", "b", "c"]) parked.add(later(id), 100, 10);

  expect(["a", "b", "c"].map((id) => parked.has(id))).toEqual([false, true, true]);
});

test("given messages larger than the memory for them, when they are parked, then their ids are known and the oldest are not shown", () => {
  const parked = new Parked({ maxBytes: 160 });
  parked.add(later("huge"), 100, 11);
  for (let n = 0; n < 17; n += 1) parked.add(later(`m${n}`), 100, 10);

  const shown = parked.list(0, "w1@test").map(({ request }) => request.id);

  expect(parked.has("huge")).toBe(true);
  expect(shown).toHaveLength(16);
  expect(shown).not.toContain("huge");
  expect(shown).not.toContain("m0");
});
