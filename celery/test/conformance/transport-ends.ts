import { expect, test } from "vitest";
import { openSubscriber } from "../../src/redis/subscriber.ts";
import type { Consumer } from "../../src/transport/transport.ts";
import {
  claimAll,
  envelope,
  isRedelivered,
  message,
  nameOf,
  type TransportLab,
} from "../support/transport-lab.ts";
import { until } from "../support/until.ts";

/** How claims end: acked, finished, given back, put away, kept for later. */
export function describeEnds(lab: () => TransportLab): void {
  const result = {
    key: "celery-task-meta-1",
    payload: '{"status": "SUCCESS", "result": 5}',
    expiresSeconds: 60,
  };

  async function claimOne(consumer: Consumer): Promise<string> {
    await lab().publish("a");
    const [claim] = await claimAll(consumer, 1);
    return claim?.id ?? "";
  }

  test("when a claim is acked, then no trace is left, and a second ack is fenced", async () => {
    const consumer = await lab().openConsumer();
    const id = await claimOne(consumer);
    expect(await consumer.confirm(id)).toBe("done");
    expect(await consumer.ack(id)).toBe("done");
    expect(await consumer.confirm(id)).toBe("fenced");
    expect(await consumer.ack(id)).toBe("fenced");
    expect(consumer.held.size).toBe(0);
    expect((await lab().keys()).filter((key) => !key.startsWith("ts1:"))).toEqual([]);
  });

  test("when an end that has not left is taken back, then nothing has happened, and another end counts", async () => {
    const consumer = await lab().openConsumer();
    const id = await claimOne(consumer);
    const told: unknown[] = [];
    const ack = consumer.end(id, {}, (outcome) => told.push(outcome));

    expect(consumer.withdraw(ack)).toBe(true);
    expect(consumer.withdraw(ack)).toBe(false);
    expect(await consumer.finish(id, { result })).toBe("done");

    expect(told).toEqual([]);
    expect(await lab().redis.call("GET", result.key)).toBe(result.payload);
    expect(await lab().redis.call("HLEN", "unacked")).toBe(0);
  });

  test("when an end has left, then it cannot be taken back, and its outcome is told", async () => {
    const consumer = await lab().openConsumer();
    const id = await claimOne(consumer);
    const told: unknown[] = [];
    const first = consumer.end(id, { result }, (outcome) => told.push(outcome));
    await until(() => told.length > 0);

    expect(consumer.withdraw(first)).toBe(false);
    consumer.end(id, { result }, (outcome) => told.push(outcome));
    await until(() => told.length > 1);

    expect(told).toEqual(["done", "fenced"]);
  });

  test("when a task is finished, then result, notice, follow-up and ack are there together", async () => {
    const consumer = await lab().openConsumer();
    const id = await claimOne(consumer);
    await using subscriber = openSubscriber(lab().url);
    const notices: string[] = [];
    subscriber.events.on("message", (channel, text) => notices.push(`${channel} ${text}`));
    await subscriber.subscribe(result.key);

    expect(await consumer.finish(id, { result, publish: [message("next", { priority: 3 })] })).toBe("done");

    await until(() => notices.length > 0);
    expect(notices).toEqual([`${result.key} ${result.payload}`]);
    expect(await lab().redis.call("GET", result.key)).toBe(result.payload);
    expect(Number(await lab().redis.call("TTL", result.key))).toBeGreaterThan(50);
    expect(await lab().redis.call("LRANGE", "celery\x06\x163", 0, -1)).toEqual([envelope("next")]);
    expect(await lab().redis.call("HLEN", "unacked")).toBe(0);
  });

  test("when many tasks finish at once, then each has its own outcome", async () => {
    const names = Array.from({ length: 450 }, (_, index) => `m${index}`);
    await lab().publish(...names);
    const consumer = await lab().openConsumer();
    const claims = await claimAll(consumer, names.length);
    expect(claims.map(nameOf)).toEqual(names);
    await lab().redis.call("HDEL", "unacked", claims[7]?.id ?? "");

    const outcomes = await Promise.all(
      claims.map(({ id }, index) => consumer.finish(id, { result: { ...result, key: `r${index}` } })),
    );

    expect(outcomes.filter((outcome) => outcome === "fenced").length).toBe(1);
    expect(outcomes[7]).toBe("fenced");
    expect(await lab().redis.call("EXISTS", "r7")).toBe(0);
    expect(await lab().redis.call("EXISTS", "r8", "r449", "r0")).toBe(3);
  });

  test("when a success is stored already, then nothing overwrites it; other states are overwritten", async () => {
    const consumer = await lab().openConsumer();
    const failure = { ...result, payload: '{"status": "FAILURE", "result": null}' };
    await lab().redis.call("SET", result.key, '{"status": "STARTED", "result": {"status": "SUCCESS"}}');
    await consumer.finish(await claimOne(consumer), { result });
    expect(await lab().redis.call("GET", result.key)).toBe(result.payload);
    await consumer.finish(await claimOne(consumer), { result: failure });
    expect(await lab().redis.call("GET", result.key)).toBe(result.payload);
  });

  test("when a result is to be kept for ever, then it has no time to live", async () => {
    const consumer = await lab().openConsumer();
    await consumer.complete({ result: { ...result, expiresSeconds: null } });
    expect(await lab().redis.call("TTL", result.key)).toBe(-1);
  });

  test("when an early-acked task completes, then result and follow-up are there without a claim", async () => {
    const consumer = await lab().openConsumer();
    await consumer.ack(await claimOne(consumer));
    await consumer.complete({ result, publish: [message("again")] });
    expect(await lab().redis.call("GET", result.key)).toBe(result.payload);
    expect((await consumer.claim(5)).map(nameOf)).toEqual(["again"]);
  });

  test("when claims are released, then they lie at the head again, in order, in their lists, marked", async () => {
    await lab().publish("a", "b");
    await lab().transport.publish(message("low", { priority: 9 }));
    const consumer = await lab().openConsumer();
    const claims = await consumer.claim(3);
    await lab().publish("c");

    await consumer.release(claims.map(({ id }) => id));

    expect(await lab().redis.call("LLEN", "celery\x06\x169")).toBe(1);
    const again = await consumer.claim(4);
    expect(again.map(nameOf)).toEqual(["a", "b", "c", "low"]);
    expect(again.map(isRedelivered)).toEqual([true, true, false, true]);
    const ids = [...claims, ...again].map(({ id }) => id);
    expect(new Set(ids).size).toBe(7);
  });

  test("when a message was released twice, then it is marked once", async () => {
    const consumer = await lab().openConsumer();
    await consumer.release([await claimOne(consumer)]);
    await consumer.release((await consumer.claim(1)).map(({ id }) => id));
    const [claim] = await consumer.claim(1);
    expect(claim?.raw.match(/redelivered/g)).toEqual(["redelivered"]);
  });

  test("when a message outlives its child too often, then it becomes a dead letter", async () => {
    const consumer = await lab().openConsumer();
    await lab().publish("poison");
    const outcomes: string[] = [];
    for (let death = 0; death < 3; death += 1) {
      const [claim] = await claimAll(consumer, 1);
      outcomes.push(await consumer.releaseCounted(claim?.id ?? "", "task-1", 2));
    }
    expect(outcomes).toEqual(["released", "released", "over"]);
    const [claimId = ""] = consumer.held;
    expect(await consumer.releaseCounted(claimId, "task-1", 2)).toBe("over");
    const dead = { reason: "it died", taskId: "task-1" };
    expect(await consumer.finish(claimId, { result, publish: [message("next")], dead })).toBe("done");
    expect(await lab().redis.call("GET", result.key)).toBe(result.payload);
    expect((await consumer.claim(5)).map(nameOf)).toEqual(["next"]);
    expect(await lab().redis.call("LLEN", "ts1:dead:celery")).toBe(1);
    expect(await lab().redis.call("HEXISTS", "ts1:deliveries", "task-1")).toBe(0);
    expect(await consumer.releaseCounted("ts1|other|1", "task-1", 2)).toBe("fenced");
  });

  test.each(["{not json", '{"a": "quote \\" and ü"}', "", "x".repeat(100_000)])(
    "when a message that cannot be run is put away, then its bytes are kept with the reason",
    async (raw) => {
      await lab().transport.publish(message("", { raw }));
      const consumer = await lab().openConsumer();
      const [claim] = await claimAll(consumer, 1);
      expect(claim?.raw).toBe(raw);

      expect(await consumer.deadLetter(claim?.id ?? "", 'because of "this"')).toBe("done");

      const letters = (await lab().redis.call("LRANGE", "ts1:dead:celery", 0, -1)) as readonly string[];
      const letter = JSON.parse(letters[0] ?? "") as Record<string, unknown>;
      expect(letter).toMatchObject({ reason: 'because of "this"', queue: "celery", raw });
      expect(Math.abs(Number(letter["time"]) - Date.now() / 1000)).toBeLessThan(5);
      expect(consumer.held.size).toBe(0);
    },
  );

  test("when a queue has an awkward name, then its messages go out and come back all the same", async () => {
    const queue = 'my "queue", \\ ü]';
    await lab().transport.publish(message("a", { queue, priority: 3 }));
    const consumer = await lab().openConsumer({ queues: [queue] });
    const first = await claimAll(consumer, 1);
    await consumer.release(first.map(({ id }) => id));
    const again = await claimAll(consumer, 1);
    expect(again).toMatchObject([{ queue }]);
    await consumer.deadLetter(again[0]?.id ?? "", "no");
    expect(await lab().redis.call("LLEN", `ts1:dead:${queue}`)).toBe(1);
  });

  test("when a consumer is closed, then what it held is back, and it leaves nothing of itself", async () => {
    await lab().publish("a", "b");
    const consumer = await lab().openConsumer();
    await consumer.claim(2);
    await consumer[Symbol.asyncDispose]();
    await consumer[Symbol.asyncDispose]();
    expect(await lab().keys()).toEqual(["celery"]);
    const next = await lab().openConsumer();
    expect((await next.claim(2)).map(nameOf)).toEqual(["a", "b"]);
  });
}

/** Messages that are not due yet. */
export function describeLater(lab: () => TransportLab): void {
  test("when a message is parked, then it comes back when it is due, once, to the head", async () => {
    await lab().publish("later", "now");
    const consumers = [await lab().openConsumer(), await lab().openConsumer()];
    const [claim] = await (consumers[0] as Consumer).claim(1);
    const dueAt = Date.now() + 700;

    expect(await consumers[0]?.park(claim?.id ?? "", dueAt / 1000)).toBe("done");
    expect(consumers[0]?.held.size).toBe(0);
    const [other] = await claimAll(consumers[0] as Consumer, 1);
    expect(nameOf(other ?? { raw: "" })).toBe("now");

    const claimed = consumers.map((consumer) => claimAll(consumer, 1).catch(() => []));
    await lab().redis.call("LLEN", "celery");
    const winner = await Promise.race(claimed);
    expect(winner.map(nameOf)).toEqual(["later"]);
    expect(Date.now()).toBeGreaterThanOrEqual(dueAt);
    expect(Date.now() - dueAt).toBeLessThan(1500);
    expect(await lab().redis.call("ZCARD", "ts1:eta")).toBe(0);
    await lab().publish("end");
    expect((await Promise.all(claimed)).flat().map(nameOf).toSorted()).toEqual(["end", "later"]);
  });

  test("when several messages are due at once, then the one due first is at the head", async () => {
    await lab().publish("a", "b", "c");
    const consumer = await lab().openConsumer();
    const claims = await claimAll(consumer, 3);
    const now = Date.now() / 1000;
    const dueIn = { a: 0.5, b: 0.3, c: 0.4 } as const;
    await Promise.all(
      claims.map((claim) => consumer.park(claim.id, now + dueIn[nameOf(claim) as keyof typeof dueIn])),
    );
    expect((await claimAll(consumer, 3)).map(nameOf).toSorted()).toEqual(["a", "b", "c"]);
  });

  test("when a worker that parked a message is gone, then any other brings it back", async () => {
    await lab().publish("later");
    const first = await lab().openConsumer();
    const [claim] = await claimAll(first, 1);
    await first.park(claim?.id ?? "", Date.now() / 1000 + 0.5);
    await first[Symbol.asyncDispose]();
    const second = await lab().openConsumer();
    expect((await claimAll(second, 1)).map(nameOf)).toEqual(["later"]);
  });

  test("when a message is parked, then Python would read it, at its time", async () => {
    await lab().publish("later");
    const consumer = await lab().openConsumer();
    const [claim] = await claimAll(consumer, 1);
    const eta = Date.now() / 1000 + 1000;
    await consumer.park(claim?.id ?? "", eta);
    const [id = ""] = (await lab().redis.call("HKEYS", "unacked")) as readonly string[];
    expect(id).toMatch(/^ts1\|eta\|/);
    expect(Number(await lab().redis.call("ZSCORE", "unacked_index", id))).toBeCloseTo(eta, 3);
    const entry = JSON.parse(String(await lab().redis.call("HGET", "unacked", id))) as unknown;
    expect(entry).toEqual([JSON.parse(envelope("later")), "", "celery"]);
  });
}
