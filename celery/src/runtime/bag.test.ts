import { expect, test } from "vitest";
import { Bag } from "./bag.ts";

interface Thing {
  place: number;
  readonly name: string;
}

const things = (...names: readonly string[]): Thing[] => names.map((name) => ({ name, place: -1 }));
const namesIn = (bag: Bag<Thing>): string =>
  [...bag]
    .map(({ name }) => name)
    .toSorted()
    .join("");

test("given members, when some are taken out in any order, then the others are in there, each once", () => {
  const [a, b, c, d] = things("a", "b", "c", "d") as [Thing, Thing, Thing, Thing];
  const bag = new Bag<Thing>();
  for (const thing of [a, b, c, d]) bag.add(thing);
  bag.delete(b);
  bag.delete(d);
  expect(namesIn(bag)).toBe("ac");
  expect([a, b, c, d].map((thing) => bag.has(thing))).toEqual([true, false, true, false]);
  bag.add(b);
  bag.delete(a);
  expect(namesIn(bag)).toBe("bc");
  expect(bag.size).toBe(2);
});

test("given what was taken out or never in, when it is taken out again, then nothing changes", () => {
  const [a, b, c] = things("a", "b", "c") as [Thing, Thing, Thing];
  const bag = new Bag<Thing>();
  bag.add(a);
  bag.add(b);
  bag.delete(a);
  bag.delete(a);
  bag.delete(c);
  expect(namesIn(bag)).toBe("b");
});
