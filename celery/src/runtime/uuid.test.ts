import { expect, test } from "vitest";
import { makeUuidFamily } from "./uuid.ts";

const VERSION_4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

test("given a family, when many UUIDs are made, then each is one of version 4, begins as all do, and varies in all other digits", () => {
  const family = makeUuidFamily();
  const ids = Array.from({ length: 5000 }, () => family.next());

  expect(new Set(ids).size).toBe(5000);
  for (const id of ids) {
    expect(id).toMatch(VERSION_4);
    expect(id.slice(0, 14)).toBe(family.prefix);
  }
  for (const place of [15, 16, 17, 20, 21, 22, 24, 30, 35]) {
    expect(new Set(ids.map((id) => id[place])).size).toBe(16);
  }
  expect(new Set(ids.map((id) => id[19]))).toEqual(new Set(["8", "9", "a", "b"]));
});

test("given many families, then they begin differently, in every digit", () => {
  const prefixes = Array.from({ length: 500 }, () => makeUuidFamily().prefix);

  expect(new Set(prefixes).size).toBe(500);
  for (const prefix of prefixes) expect(prefix).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-$/);
  for (const place of [0, 7, 9, 12]) expect(new Set(prefixes.map((prefix) => prefix[place])).size).toBe(16);
});
