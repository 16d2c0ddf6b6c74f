import { expect, test } from "vitest";
import { aMessage } from "../../test/support/builders.ts";
import { Revokes } from "./revokes.ts";

function revokesAt(time: { ms: number }, limits: { maxIds?: number; expiresSeconds?: number } = {}): Revokes {
  return new Revokes({ clock: { monotonicMs: () => time.ms }, ...limits });
}

const { headers } = aMessage({ id: "a" });

test("given nothing revoked, when a message is looked up, then it may run", () => {
  const revokes = revokesAt({ ms: 0 });

  expect(revokes.isEmpty).toBe(true);
  expect(revokes.find(headers)).toBeUndefined();
});

test("given a revoked id, when its message is looked up, then it is revoked and no other is", () => {
  const revokes = revokesAt({ ms: 0 });
  revokes.add(["a"]);

  expect(revokes.isEmpty).toBe(false);
  expect(revokes.find(headers)).toEqual({ stamp: null });
  expect(revokes.find({ ...headers, id: "b" })).toBeUndefined();
});

test("given more ids than are kept, when one more comes, then the oldest is forgotten; one revoked again is young", () => {
  const revokes = revokesAt({ ms: 0 }, { maxIds: 2 });
  revokes.add(["a", "b"]);
  revokes.add(["a"]);

  revokes.add(["c"]);

  expect(revokes.ids()).toEqual(["a", "c"]);
});

test("given an id that has expired, when the ids are listed, then it is not among them", () => {
  const time = { ms: 0 };
  const revokes = revokesAt(time, { expiresSeconds: 10 });
  revokes.add(["a"]);
  time.ms = 6_000;
  revokes.add(["b"]);

  time.ms = 10_000;

  expect(revokes.ids()).toEqual(["b"]);
});

test.each([
  ["one value", "acme", true],
  ["a list with it", ["other", "acme"], true],
  ["another value", "globex", false],
  ["no text", 7, false],
])(
  "given a revoked stamp, when a message is stamped with %s, then it is revoked: %j → %j",
  (_what, stamp, isRevoked) => {
    const revokes = revokesAt({ ms: 0 });
    revokes.addStamps({ tenant: ["acme"] });

    const found = revokes.find({ ...headers, stampedHeaders: ["tenant"], stamps: { tenant: stamp } });

    expect(found).toEqual(isRevoked ? { stamp: { header: "tenant", value: "acme" } } : undefined);
  },
);

test("given a stamp that the message does not list among its stamped headers, then it does not count", () => {
  const revokes = revokesAt({ ms: 0 });
  revokes.addStamps({ tenant: ["acme"] });

  expect(revokes.find({ ...headers, stampedHeaders: null, stamps: { tenant: "acme" } })).toBeUndefined();
});
