import { expect, test } from "vitest";
import { ClaimIds, claimIdOf } from "./claim-ids.ts";
import { HeldTable, readHeld } from "./held-table.ts";

test("given numbers added and removed, when read from the buffer, then those that are left are there", () => {
  const table = new HeldTable(4);
  for (const number of [1, 2, 3]) table.add(number);
  table.remove(2);
  table.remove(99);
  expect(sorted(table)).toEqual([1, 3]);
  table.add(7);
  expect(sorted(table)).toEqual([1, 3, 7]);
});

test("given more numbers than fit, when added, then the table grows, says so, and keeps them all", () => {
  const table = new HeldTable(2);
  const before = table.buffer;
  expect([table.add(1), table.add(2), table.add(3)]).toEqual([false, false, true]);
  expect(table.buffer).not.toBe(before);
  expect(sorted(table)).toEqual([1, 2, 3]);
  table.remove(1);
  expect(table.add(4)).toBe(false);
  expect(sorted(table)).toEqual([2, 3, 4]);
});

function sorted(table: HeldTable): readonly number[] {
  return readHeld(table.buffer).toSorted((a, b) => a - b);
}

test("given claim ids, when made, then they sort in the order of making, and numbers name them", () => {
  const ids = new ClaimIds("w1@host:1");
  const made = Array.from({ length: 300 }, () => ids.at(ids.take(1).first));
  expect(made.toSorted()).toEqual(made);
  expect(made[0]).toMatch(/^ts1\|w1@host:1\|[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-8000-000000000001$/);
  expect(ids.numberOf(made[299] ?? "")).toBe(300);
  expect(claimIdOf(ids.prefix, 300)).toBe(made[299]);
  expect(ids.numberOf("ts1|other|1")).toBeUndefined();
});
