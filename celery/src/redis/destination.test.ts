import { expect, test } from "vitest";
import { channelNames, declarations, deliveryArguments, topicPattern } from "./destination.ts";

/** Made with kombu 5.7.0's `TopicExchange.key_to_pattern`. */
test.each([
  ["feed.#", "^feed\\..*?$"],
  ["image.*.resize", "^image\\.[^\\.]+\\.resize$"],
  ["a-b_c.d e", "^a\\-b\\_c\\.d\\ e$"],
  ["*", "^[^\\.]+$"],
  ["#", "^.*?$"],
  ["plain", "^plain$"],
  ["żó.#", "^żó\\..*?$"],
  ["foo*.x", "^foo*\\.x$"],
  ["x+y.(z)", "^x\\+y\\.\\(z\\)$"],
])("given the key %s, then its pattern is kombu's", (key, pattern) => {
  expect(topicPattern(key)).toBe(pattern);
});

test("given a binding, then it is entered twice, the pattern only for a topic; a fanout's is nowhere", () => {
  const topic = { queue: "q", exchange: "x", type: "topic", routingKey: "a.#" } as const;
  expect(declarations(topic)).toEqual([
    { key: "_kombu.binding.x", member: "a.#\x06\x16^a\\..*?$\x06\x16q" },
    { key: "_kombu.binding_permanent.x", member: "a.#\x06\x16^a\\..*?$\x06\x16q" },
  ]);
  expect(declarations({ ...topic, type: "direct" })[0]?.member).toBe("a.#\x06\x16\x06\x16q");
  expect(declarations({ ...topic, type: "fanout" })).toEqual([]);
});

test.each([
  [{}, ["push", "q", "", "", "raw"]],
  [{ priority: 5 }, ["push", "q\x06\x163", "", "", "raw"]],
  [
    { via: { exchange: "x", type: "topic", routingKey: "k" }, priority: 9 },
    ["route", "_kombu.binding.x", "k", "\x06\x169", "raw"],
  ],
  [{ via: { exchange: "x", type: "fanout", routingKey: "k" } }, ["cast", "/3.x/k", "", "", "raw"]],
  [{ via: { exchange: "x", type: "fanout", routingKey: "" } }, ["cast", "/3.x", "", "", "raw"]],
] as const)("given %j, then the script is told %j", (changes, told) => {
  const channels = channelNames("redis://localhost/3");
  expect(deliveryArguments({ queue: "q", raw: "raw", priority: 0, ...changes }, channels)).toEqual(told);
});
