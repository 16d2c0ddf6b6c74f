import { expect, test } from "vitest";
import { makeUuids } from "./uuid.ts";

test("given many UUIDs, then each is a random one of version 4, and all their digits vary", () => {
  const next = makeUuids();
  const ids = Array.from({ length: 5000 }, next);

  expect(new Set(ids).size).toBe(5000);
  for (const id of ids) {
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  }
  for (const place of [0, 7, 9, 15, 17, 20, 24, 35]) {
    expect(new Set(ids.map((id) => id[place])).size).toBe(16);
  }
  expect(new Set(ids.map((id) => id[19]))).toEqual(new Set(["8", "9", "a", "b"]));
});
