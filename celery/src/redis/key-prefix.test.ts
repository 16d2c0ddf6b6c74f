import { expect, test } from "vitest";
import { prefixArguments, stripReply } from "./key-prefix.ts";

test.each([
  ["GET k", "GET p:k"],
  ["lpush k v w", "lpush p:k v w"],
  ["DEL a b", "DEL p:a p:b"],
  ["MGET a b", "MGET p:a p:b"],
  ["BRPOP a b 1", "BRPOP p:a p:b 1"],
  ["BLMOVE a a RIGHT RIGHT 5", "BLMOVE p:a p:a RIGHT RIGHT 5"],
  ["PUBLISH channel text", "PUBLISH p:channel text"],
  ["PUBSUB NUMSUB a b", "PUBSUB NUMSUB p:a p:b"],
  ["SCAN 0 COUNT 10", "SCAN 0 COUNT 10 MATCH p:*"],
  ["SCAN 0 MATCH a* COUNT 10", "SCAN 0 MATCH p:a* COUNT 10"],
  ["KEYS *", "KEYS p:*"],
  ["PING", "PING"],
  ["CLIENT LIST", "CLIENT LIST"],
])("given %s, when a prefix is put before its keys, then it is %s", (command, expected) => {
  const [name = "", ...args] = command.split(" ");
  expect([name, ...prefixArguments("p:", name, args)].join(" ")).toBe(expected);
});

test("given a prefix with a star, when keys are scanned, then the star means itself", () => {
  expect(prefixArguments("a*", "SCAN", ["0"])).toEqual(["0", "MATCH", "a\\**"]);
});

test.each([
  ["BRPOP", ["p:q", "text"], ["q", "text"]],
  ["SCAN", ["7", ["p:a", "p:b"]], ["7", ["a", "b"]]],
  ["KEYS", ["p:a"], ["a"]],
  ["LRANGE", ["p:not a key"], ["p:not a key"]],
  ["BRPOP", null, null],
])(
  "given the reply of %s, when the prefix is taken off, then keys are as asked for",
  (name, reply, expected) => {
    expect(stripReply("p:", name, reply)).toEqual(expected);
  },
);
