import { expect, test } from "vitest";
import { type Address, resolveAddress } from "./address.ts";
import type { SendOptions } from "./call-options.ts";
import { makeConf } from "./conf.ts";
import type { ConfInput } from "./conf-values.ts";
import { Broadcast, Exchange, Queue, selectQueues, Topology, workerDirectQueue } from "./queues.ts";

const media = new Exchange("media", "topic");
const SETTINGS: ConfInput = {
  task_queues: [
    "celery",
    new Queue("feeds", { exchange: media, routingKey: "feed.#" }),
    { name: "pair", exchange: "both", routing_key: "k" },
    new Broadcast("news"),
    new Queue("bare"),
  ],
};

function address(target: SendOptions, settings: ConfInput = SETTINGS): Address {
  return resolveAddress("tasks.add", target, new Topology(makeConf(settings)));
}

test("given queues in all the ways to write them, then each hangs on its exchange", () => {
  expect(new Topology(makeConf(SETTINGS)).declared).toEqual([
    { queue: "celery", exchange: "celery", type: "direct", routingKey: "celery" },
    { queue: "feeds", exchange: "media", type: "topic", routingKey: "feed.#" },
    { queue: "pair", exchange: "both", type: "direct", routingKey: "k" },
    { queue: "news", exchange: "news", type: "fanout", routingKey: "celery" },
    { queue: "bare", exchange: "celery", type: "direct", routingKey: "celery" },
  ]);
});

test("given queues by name as Celery's older style, then binding_key is the key, and the name if there is none", () => {
  const task_queues = {
    feeds: { exchange: "media", exchange_type: "topic", binding_key: "feed.#" },
    plain: { exchange: "plain" },
  } as const;
  expect(new Topology(makeConf({ task_queues })).declared).toEqual([
    { queue: "feeds", exchange: "media", type: "topic", routingKey: "feed.#" },
    { queue: "plain", exchange: "plain", type: "direct", routingKey: "plain" },
  ]);
});

test("given defaults of the settings, then a queue that says nothing has them", () => {
  const conf = makeConf({
    task_default_queue: "mine",
    task_default_exchange: "hub",
    task_default_exchange_type: "topic",
    task_default_routing_key: "all.#",
  });
  expect(new Topology(conf).byDefault).toEqual({
    queue: "mine",
    exchange: "hub",
    type: "topic",
    routingKey: "all.#",
  });
});

test.each<[SendOptions, string, string, string | undefined]>([
  [{}, "", "celery", undefined],
  [{ queue: "pair" }, "", "pair", undefined],
  [{ queue: "new" }, "", "new", undefined],
  [{ queue: "pair", routingKey: "ignored" }, "", "pair", undefined],
  [{ queue: "feeds" }, "media", "feed.#", "topic"],
  [{ queue: "feeds", routingKey: "feed.a" }, "media", "feed.a", "topic"],
  [{ exchange: "media", routingKey: "feed.b" }, "media", "feed.b", "topic"],
  [{ exchange: media, routingKey: "feed.b" }, "media", "feed.b", "topic"],
  [{ exchange: "both", routingKey: "k" }, "both", "k", "direct"],
  [{ exchange: "unknown", routingKey: "k" }, "unknown", "k", "direct"],
  [{ exchange: "unknown", exchangeType: "fanout", routingKey: "k" }, "unknown", "k", "fanout"],
  [{ queue: "news" }, "news", "celery", "fanout"],
  [{ exchange: "news" }, "news", "celery", "fanout"],
  [{ queue: "news", exchange: "news" }, "news", "celery", "fanout"],
  [{ queue: "pair", exchange: "both" }, "", "pair", undefined],
  [{ queue: new Queue("own", { exchange: media, routingKey: "x" }) }, "media", "x", "topic"],
])("given %j, then the message goes to exchange %j with key %j", (target, exchange, routingKey, type) => {
  const found = address(target);
  expect([found.exchange, found.routingKey, found.via?.type]).toEqual([exchange, routingKey, type]);
});

test("given an exchange that is known, then its queues are declared before; a broadcast has nothing to declare", () => {
  expect(address({ exchange: "media", routingKey: "feed.b" }).bindings.map(({ queue }) => queue)).toEqual([
    "feeds",
  ]);
  expect(address({ queue: "news" }).bindings).toEqual([]);
});

test("given an exchange and no key, when none goes without saying, then the error says what to do", () => {
  expect(() => address({ exchange: "both" })).toThrow(
    /exchange "both" without routingKey.*Give a routingKey/,
  );
});

test("given task_create_missing_queues off, when another queue is named, then the error lists those there are", () => {
  const settings = { ...SETTINGS, task_create_missing_queues: false };
  expect(() => address({ queue: "nwes" }, settings)).toThrow(
    /Queue "nwes" is missing from task_queues \(celery, feeds, pair, news, bare\)/,
  );
  expect(address({ queue: "pair" }, settings).routingKey).toBe("pair");
});

test("given -Q and -X, then a worker consumes what is left; an unknown queue is made up", () => {
  const names = (choice: Parameters<typeof selectQueues>[1]): readonly string[] =>
    selectQueues(makeConf(SETTINGS), choice).map(({ queue }) => queue);
  expect(names({})).toEqual(["celery", "feeds", "pair", "news", "bare"]);
  expect(names({ include: ["feeds", "new", "feeds"] })).toEqual(["feeds", "new"]);
  expect(names({ exclude: ["celery", "news"] })).toEqual(["feeds", "pair", "bare"]);
  expect(names({ include: ["a", "b"], exclude: ["b"] })).toEqual(["a"]);
});

test("given a worker's own queue, then it is Celery's", () => {
  expect(workerDirectQueue("w1@host")).toEqual({
    queue: "w1@host.dq2",
    exchange: "C.dq2",
    type: "direct",
    routingKey: "w1@host",
  });
});

test.each([
  [{ task_queues: [5] }, /^task_queues.*not a queue/],
  [{ task_queues: [{ name: "x", exchange_type: "headers" }] }, /^task_queues.*not a queue|direct/],
  [{ task_default_exchange_type: "headers" }, /not one of direct, topic, fanout/],
  [{ task_create_missing_queue_type: "quorum" }, /only classic queues exist on Redis/],
  [{ task_compression: "bzip2" }, /not supported; there are: gzip, zlib/],
])("given %j, then the error says what there is", (settings, message) => {
  expect(() => makeConf(settings as unknown as ConfInput)).toThrow(message);
});
