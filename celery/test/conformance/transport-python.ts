import { expect, test } from "vitest";
import { claimAll, isRedelivered, message, nameOf, type TransportLab } from "../support/transport-lab.ts";
import { until } from "../support/until.ts";

/** What becomes of the messages that a Python worker held when none is left to give them back. */
export function describePython(lab: () => TransportLab): void {
  test("when a Python worker held messages for too long, then they come back once, to their lists, the oldest first", async () => {
    await hold(lab(), "old", 200, entry("old"));
    await hold(lab(), "older", 300, entry("older"));
    await hold(lab(), "urgent-last", 400, entry("low", { priority: 7 }));
    await hold(lab(), "young", 50, entry("young"));
    await hold(lab(), "ts1|eta|parked", 400, entry("parked"));
    await lab().publish("new");
    const consumer = await lab().openConsumer({ visibilityTimeoutMs: 100_000 });
    await until(async () => (await lab().transport.queueLength("celery")) === 4);

    const claims = await claimAll(consumer, 4);

    expect(claims.map(nameOf)).toEqual(["older", "old", "new", "low"]);
    expect(claims.map(isRedelivered)).toEqual([true, true, false, true]);
    for (const { id } of claims) await consumer.ack(id);
    expect(await left(lab())).toEqual(["ts1|eta|parked", "young"]);
  });

  test("when a message came back, then nothing but its mark is different, and it is not given back a second time", async () => {
    const body =
      '"headers": {"stamps": {}, "list": [], "big": 12345678901234567890, "text": "\\u00fc \\", \\""}';
    const info = '"delivery_info": {"exchange": "", "routing_key": "celery"';
    await hold(lab(), "tag", 4000, `[{${body}, "properties": {${info}}}}, "", "celery"]`);
    const [one, other] = [await lab().openConsumer(), await lab().openConsumer()];
    await until(async () => (await lab().transport.queueLength("celery")) === 1);
    const claims = [...(await one.claim(5)), ...(await other.claim(5))];
    expect(claims.map(({ raw }) => raw.replace('"redelivered": true, ', ""))).toEqual([
      `{${body}, "properties": {${info}}}}`,
    ]);
    expect(isRedelivered(claims[0] as { raw: string })).toBe(true);
    expect(await left(lab())).toEqual([claims[0]?.id]);
  });

  test("when what a Python worker held came by an exchange, then it goes to every queue that is bound to it", async () => {
    await lab().redis.call(
      "SADD",
      "_kombu.binding.feed",
      "feed.#\x06\x16^feed\\..*?$\x06\x16celery",
      "feed.x\x06\x16\x06\x16second",
      "food.#\x06\x16^food\\..*?$\x06\x16third",
    );
    await hold(lab(), "tag", 4000, entry("fed", { exchange: "feed", routingKey: "feed.x" }));
    const consumer = await lab().openConsumer({ queues: ["celery", "second", "third"] });
    expect((await claimAll(consumer, 2)).map(nameOf)).toEqual(["fed", "fed"]);
    expect(await consumer.claim(1)).toEqual([]);
    expect(await lab().redis.call("HEXISTS", "unacked", "tag")).toBe(0);
  });

  test("when entries are garbage, then they are put aside with their bytes, and a good one behind them comes back", async () => {
    const garbage = [
      "",
      "no JSON",
      '["text", "", "celery"]',
      '[{"a": 1}, 2, "celery"]',
      "[{}]",
      "{}",
      "\xff[",
    ];
    for (const [i, value] of garbage.entries()) await hold(lab(), `garbage-${i}`, 9000 - i, value);
    await hold(lab(), "unbound", 8000, entry("lost", { exchange: "nowhere" }));
    await lab().redis.call("ZADD", "unacked_index", 1, "note-without-message");
    await hold(lab(), "good", 7000, entry("good"));
    const consumer = await lab().openConsumer();

    expect((await claimAll(consumer, 1)).map(nameOf)).toEqual(["good"]);

    const letters = (await lab().redis.call("LRANGE", "ts1:dead:unacked", 0, -1)) as readonly string[];
    const raws = letters.map((letter) => (JSON.parse(letter) as { raw: string }).raw);
    expect(raws.toSorted()).toEqual(garbage.toSorted());
    expect(await lab().redis.call("LLEN", "ts1:dead:nowhere")).toBe(1);
    expect(await left(lab())).toEqual([...consumer.held]);
  });

  test("when a list refuses what comes back, then it stays where it is, and the others come back", async () => {
    await lab().redis.call("SET", "odd", "no list");
    await hold(lab(), "refused", 9000, entry("refused", { routingKey: "odd" }));
    await hold(lab(), "good", 8000, entry("good"));
    const consumer = await lab().openConsumer();
    expect((await claimAll(consumer, 1)).map(nameOf)).toEqual(["good"]);
    expect(await left(lab())).toEqual(["refused", ...consumer.held]);
    const score = Number(await lab().redis.call("ZSCORE", "unacked_index", "refused"));
    expect(Math.abs(score - Date.now() / 1000)).toBeLessThan(60);
  });

  test("when there is more than one look can take, and entries of ours lie before it, then all comes back", async () => {
    const entries = Array.from({ length: 250 }, (_, i) => ({ id: i < 120 ? `ts1|x|${i}` : `tag-${i}`, i }));
    await lab().redis.pipeline(
      entries.flatMap(({ id, i }) => [
        ["HSET", "unacked", id, entry(`m${i}`)] as const,
        ["ZADD", "unacked_index", i, id] as const,
      ]),
    );
    const consumer = await lab().openConsumer();
    const names = (await claimAll(consumer, 130)).map(nameOf);
    expect(new Set(names).size).toBe(130);
    expect((await left(lab())).length).toBe(250);
  });
}

interface Held {
  readonly exchange?: string;
  readonly routingKey?: string;
  readonly priority?: number;
}

/** As kombu writes it. @see kombu 5.7.0 transport/redis.py, `QoS.append` */
function entry(name: string, { exchange = "", routingKey = "celery", priority = 0 }: Held = {}): string {
  const { raw } = message(name);
  const payload = raw.replace('"properties": {', `"properties": {"priority": ${priority}, `);
  return `[${payload}, "${exchange}", "${routingKey}"]`;
}

async function hold({ redis }: TransportLab, tag: string, ageSeconds: number, value: string): Promise<void> {
  await redis.call("HSET", "unacked", tag, value);
  await redis.call("ZADD", "unacked_index", Date.now() / 1000 - ageSeconds, tag);
}

/** Ids that both of kombu's keys have, in order. */
async function left({ redis }: TransportLab): Promise<readonly string[]> {
  const ids = (await redis.call("ZRANGE", "unacked_index", 0, -1)) as readonly string[];
  const held = (await redis.call("HKEYS", "unacked")) as readonly string[];
  expect(held.toSorted()).toEqual(ids.toSorted());
  return ids;
}
