import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { redisUrl } from "../../test/support/redis-url.ts";
import { message, openTransportLab, type TransportLab } from "../../test/support/transport-lab.ts";
import { until } from "../../test/support/until.ts";
import { type Binding, declarations } from "./destination.ts";
import type { OutgoingMessage } from "./transport.ts";

const url = `${redisUrl()}/59`;
let lab: TransportLab;

beforeAll(async () => {
  lab = await openTransportLab(url);
});
afterAll(() => lab[Symbol.asyncDispose]());
beforeEach(() => lab.redis.call("FLUSHDB"));

const bound = (queue: string, exchange: string, routingKey: string, type: Binding["type"]): Binding => ({
  queue,
  exchange,
  type,
  routingKey,
});
const through = (
  name: string,
  exchange: string,
  routingKey: string,
  changes: Partial<OutgoingMessage> = {},
): OutgoingMessage => message(name, { via: { exchange, type: "direct", routingKey }, ...changes });
const waiting = (list: string): Promise<unknown> => lab.redis.call("LRANGE", list, 0, -1);

async function declare(...bindings: readonly Binding[]): Promise<void> {
  for (const { key, member } of bindings.flatMap(declarations)) await lab.redis.call("SADD", key, member);
}

/** The answers are those of kombu 5.7.0's `TopicExchange`. */
test.each([
  ["feed.#", "feed.a.b", true],
  ["feed.#", "feed", false],
  ["feed.#", "feed.", true],
  ["image.*.resize", "image.a.b.resize", false],
  ["image.*.resize", "image.big.resize", true],
  ["a.*", "a.b-c", true],
  ["*", "x.y", false],
  ["#", "x.y", true],
  ["a-b_c.#", "a-b_c.q", true],
  ["a-b_c.#", "axb_c.q", false],
  ["%.#", "%.q", true],
  ["x.*", "x.", false],
  ["żó.#", "żó.ł", true],
])(
  "given a topic bound by %s, when a message has the key %s, then that it fits is %s",
  async (pattern, key, fits) => {
    await declare(bound("q", "x", pattern, "topic"));

    const sent = lab.transport.publish(through("m", "x", key));

    if (fits) await sent;
    else await expect(sent).rejects.toThrow(/no queue is bound to the exchange "x" by a key that fits/);
    expect(await waiting("q")).toHaveLength(fits ? 1 : 0);
  },
);

test("given a binding as kombu 5.6 wrote it, when a message fits it, then it arrives", async () => {
  await lab.redis.call("SADD", "_kombu.binding.x", "a.*.c\x06\x16^a\\..*?[^\\.]\\.c$\x06\x16q");

  await lab.transport.publish(through("m", "x", "a.b.c"));

  expect(await waiting("q")).toHaveLength(1);
});

test("given bindings that the sender knows, when they are flushed meanwhile, then they are declared anew and nothing is lost", async () => {
  const bindings = [bound("q", "x", "a.#", "topic")];
  for (const name of ["first", "second"]) {
    await lab.redis.call("FLUSHDB");

    await lab.transport.publish(through(name, "x", "a.b", { bindings }));

    expect(await waiting("q")).toHaveLength(1);
  }
});

test("given two queues on one key and a priority, when a message is sent there, then both have it, in that bucket", async () => {
  await declare(
    bound("one", "pair", "k", "direct"),
    bound("two", "pair", "k", "direct"),
    bound("three", "pair", "x", "direct"),
  );

  await lab.transport.publish(through("m", "pair", "k", { priority: 4 }));

  expect(await waiting("one\x06\x163")).toHaveLength(1);
  expect(await waiting("two\x06\x163")).toHaveLength(1);
  expect(await lab.transport.queueLength("three")).toBe(0);
});

test("given messages of all kinds at once, when one fits nowhere, then only that one fails, and the others are in their order", async () => {
  await declare(bound("q", "x", "k", "direct"));

  const sent = await Promise.allSettled([
    lab.transport.publish(message("1", { queue: "a" })),
    lab.transport.publish(message("2 ü", { queue: "a" })),
    lab.transport.publish(through("3", "x", "k")),
    lab.transport.publish(through("4", "x", "nowhere")),
    lab.transport.publish(message("5", { queue: "b" })),
    lab.transport.publish(message("6", { queue: "a" })),
  ]);

  expect(sent.map(({ status }) => status)).toEqual([
    "fulfilled",
    "fulfilled",
    "fulfilled",
    "rejected",
    "fulfilled",
    "fulfilled",
  ]);
  const names = async (list: string): Promise<unknown> =>
    ((await waiting(list)) as string[]).map((raw) => (JSON.parse(raw) as { name: string }).name);
  expect(await names("a")).toEqual(["6", "2 ü", "1"]);
  expect(await names("q")).toEqual(["3"]);
  expect(await names("b")).toEqual(["5"]);
});

test("given thousands of messages at once, when they are sent, then all arrive in their order, large ones too", async () => {
  const texts = Array.from(
    { length: 3000 },
    (_, index) => `${index} ${"ż".repeat(index % 50 === 0 ? 30_000 : 3)}`,
  );

  await Promise.all(texts.map((text) => lab.transport.publish(message(text))));

  const raws = (await waiting("celery")) as string[];
  expect(raws.toReversed().map((raw) => (JSON.parse(raw) as { name: string }).name)).toEqual(texts);
});

test("given a follow-up that fits nowhere, when its task is finished, then the task is, and the follow-up is kept aside", async () => {
  await lab.publish("task");
  const consumer = await lab.openConsumer();
  const [claim] = await consumer.claim(1);

  const outcome = await consumer.finish(claim!.id, {
    publish: [through("lost", "nowhere", "k"), message("next", { queue: "steps" })],
  });

  expect(outcome).toBe("done");
  expect(await waiting("steps")).toHaveLength(1);
  const [letter] = (await waiting("ts1:dead:nowhere")) as string[];
  expect(JSON.parse(letter!)).toMatchObject({ reason: expect.stringMatching(/no queue is bound/) as string });
});

test("given two consumers of a fanout queue, when a message is broadcast, then each claims its own copy, and acks it", async () => {
  const news = bound("news", "news", "all", "fanout");
  const consumers = await Promise.all(
    ["w1@test", "w2@test"].map(async (nodeName) => {
      const log = { debug: ignore, info: ignore, warn: ignore, error: ignore };
      return lab.openTransport(url).openConsumer({ nodeName, queues: [news], log });
    }),
  );
  const listening = async (): Promise<number> => {
    const clients = (await lab.redis.call("CLIENT", "LIST", "TYPE", "pubsub")) as string;
    return clients.split("\n").filter((line) => /name=celery-broadcast.* psub=1/.test(line)).length;
  };
  await until(async () => (await listening()) === 2);

  await lab.transport.publish(
    message("hear", { via: { exchange: "news", type: "fanout", routingKey: "all" } }),
  );

  for (const consumer of consumers) {
    await until(
      async () => ((await waiting(`bcast.news.${consumer.workerId.split(":")[0]}`)) as string[]).length === 1,
    );
    const [claim] = await consumer.claim(5);
    expect(await consumer.ack(claim!.id)).toBe("done");
    await consumer[Symbol.asyncDispose]();
  }
  expect(await lab.redis.call("HLEN", "unacked")).toBe(0);
});

function ignore(): void {
  // nothing here looks at the log
}
