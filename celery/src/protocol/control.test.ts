import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { decodeBroadcast } from "./broadcast.ts";
import {
  isAddressedTo,
  readControlReply,
  readControlRequest,
  writeControlReply,
  writeControlRequest,
} from "./control.ts";

interface Captured {
  pidbox: { cli: string[]; request: { raw: string; body: object }; reply: { raw: string; body: object } }[];
}
const captured = JSON.parse(
  readFileSync(new URL("../../test/fixtures/broadcasts.json", import.meta.url), "utf8"),
) as Captured;

describe("remote control as real Celery does it", () => {
  test.each(captured.pidbox)(
    "given the request of $cli, when it is read and written again, then nothing is lost",
    ({ request }) => {
      const broadcast = decodeBroadcast(request.raw);
      const read = broadcast && readControlRequest(broadcast);

      expect(read).toMatchObject({ method: "ping", reply: { exchange: "reply.celery.pidbox" } });
      expect(read && writeControlRequest(read)).toEqual(broadcast);
    },
  );

  test.each(captured.pidbox)(
    "given the reply to $cli, when it is read and written again, then nothing is lost",
    ({ reply }) => {
      const broadcast = decodeBroadcast(reply.raw);
      const read = broadcast && readControlReply(broadcast);

      expect(read).toMatchObject({ node: "w1@vm", answer: { ok: "pong" } });
      expect(read && writeControlReply(read)).toEqual(broadcast);
    },
  );
});

describe("who is meant", () => {
  const everyone = { destination: null, pattern: null, matcher: null };

  test.each([
    [everyone, true],
    [{ ...everyone, destination: [] }, true],
    [{ ...everyone, destination: ["w1@vm", "w2@vm"] }, true],
    [{ ...everyone, destination: ["w2@vm"] }, false],
    [{ ...everyone, pattern: "w?@*", matcher: "glob" }, true],
    [{ ...everyone, pattern: "w[2-9]@*", matcher: "glob" }, false],
    [{ ...everyone, pattern: "w[!2-9]@v.", matcher: "glob" }, false],
    [{ ...everyone, pattern: "w\\d@", matcher: "pcre" }, true],
    [{ ...everyone, pattern: "(", matcher: "pcre" }, false],
    [{ ...everyone, pattern: "w1@vm", matcher: "moon" }, false],
  ])("given %j, when w1@vm gets it, then it is meant: %s", (address, meant) => {
    expect(isAddressedTo(address, "w1@vm")).toBe(meant);
  });
});
