import { expect, test } from "vitest";
import { ByteRing } from "./byte-ring.ts";

const text = (bytes: Uint8Array | undefined): string | undefined =>
  bytes === undefined ? undefined : Buffer.from(bytes).toString();

test("given a stream, when a viewer asks from where it is, then it gets the rest, or nothing when that is gone", () => {
  const ring = new ByteRing(8);
  for (const part of ["abc", "def", "ghi", "jkl"]) ring.push(Buffer.from(part));

  expect(ring.total).toBe(12);
  expect(text(ring.since(12))).toBe("");
  expect(text(ring.since(10))).toBe("kl");
  expect(text(ring.since(3))).toBe("defghijkl");
  expect(ring.since(2)).toBeUndefined();
  expect(ring.since(13)).toBeUndefined();
});

test("given more than four gigabytes of output, when a viewer asks with 32 bits, then it is understood", () => {
  const ring = new ByteRing(8);
  const gigabyte = { length: 2 ** 30 } as Uint8Array;
  for (let index = 0; index < 4; index += 1) ring.push(gigabyte);
  ring.push(Buffer.from("tail-end"));

  expect(ring.total).toBe(2 ** 32 + 8);
  expect(text(ring.since(4))).toBe("-end");
});
