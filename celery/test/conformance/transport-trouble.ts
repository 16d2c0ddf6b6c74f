import { expect, test } from "vitest";
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

/** What holds when lines are cut, workers die, answers get lost and keys are not what they should be. */
export function describeTrouble(lab: () => TransportLab): void {
  test("when a worker is cut off, then another runs its messages, and what it finishes late is refused", async () => {
    const proxy = await lab().openProxy();
    await lab().publish("a", "b");
    await lab().transport.publish(message("low", { priority: 6 }));
    const lone = await lab().openConsumer({ url: proxy.url, heartbeatTtlMs: 600 });
    const claims = await claimAll(lone, 3);
    const lost: string[] = [];
    lone.events.on("lost", (ids) => lost.push(...ids));
    const other = await lab().openConsumer({ heartbeatTtlMs: 600 });

    proxy.freeze();
    const taken = await claimAll(other, 3);
    expect(taken.map(nameOf)).toEqual(["a", "b", "low"]);
    expect(taken.every(isRedelivered)).toBe(true);
    proxy.heal();
    proxy.cut();

    const late = { key: "late", payload: "{}", expiresSeconds: 10 };
    expect(await lone.finish(claims[0]?.id ?? "", { result: late })).toBe("fenced");
    expect(await lab().redis.call("EXISTS", "late")).toBe(0);
    await until(() => lost.length === 2);
    expect(lost.toSorted()).toEqual(claims.slice(1).map(({ id }) => id));
    expect(await lone.confirm(claims[1]?.id ?? "")).toBe("fenced");
    expect(await Promise.all(taken.map(({ id }) => other.ack(id)))).toEqual(["done", "done", "done"]);
  });

  test("when a worker only waits long, then its heartbeat keeps its claims", async () => {
    await lab().publish("a");
    const consumer = await lab().openConsumer({ heartbeatTtlMs: 300 });
    const other = await lab().openConsumer({ heartbeatTtlMs: 300 });
    const [claim] = await claimAll(consumer, 1);
    const claimedAt = Number(await lab().redis.call("ZSCORE", "unacked_index", claim?.id ?? ""));
    // Three lives of the heartbeat: long enough to have lost the claim without it.
    await until(async () => {
      const score = Number(await lab().redis.call("ZSCORE", "unacked_index", claim?.id ?? ""));
      return score > claimedAt + 0.9;
    });
    expect(await other.claim(1)).toEqual([]);
    expect(await consumer.ack(claim?.id ?? "")).toBe("done");
  });

  test("when a dead worker's claims are given back, then those of Python workers are left alone", async () => {
    const { redis } = lab();
    const old = Date.now() / 1000 - 100;
    await redis.call("SADD", "ts1:workers", "gone");
    await redis.call("HSET", "unacked", "ts1|gone|1", '[{"name": "ours"}, "", "celery"]');
    await redis.call("ZADD", "unacked_index", old, "ts1|gone|1");
    await redis.call("HSET", "unacked", "python-tag", '[{"name": "theirs"}, "", "celery"]');
    await redis.call("ZADD", "unacked_index", old, "python-tag");
    const consumer = await lab().openConsumer();
    expect((await claimAll(consumer, 1)).map(nameOf)).toEqual(["ours"]);
    expect(await redis.call("HEXISTS", "unacked", "python-tag")).toBe(1);
    await until(async () => (await redis.call("SISMEMBER", "ts1:workers", "gone")) === 0);
  });

  test("when the answer to a publish is lost, then the message is there once", async () => {
    const proxy = await lab().openProxy();
    const sender = lab().openTransport(proxy.url);
    await sender.publish(message("first"));
    proxy.dropReplies();
    const arrived = proxy.passed("second");
    const sent = sender.publish(message("second"));
    await arrived;
    await until(async () => (await lab().transport.queueLength("celery")) === 2);
    proxy.heal();
    proxy.cut();
    await sent;
    expect(await lab().transport.queueLength("celery")).toBe(2);
  });

  test("when the answer to a claim is lost, then the same messages are claimed, none twice", async () => {
    const proxy = await lab().openProxy();
    const consumer = await lab().openConsumer({ url: proxy.url });
    await lab().publish("first");
    await consumer.ack((await claimAll(consumer, 1))[0]?.id ?? ""); // the scripts are loaded now
    await lab().publish("a", "b", "c");
    proxy.dropReplies();
    const claiming = consumer.claim(2);
    await until(async () => (await lab().redis.call("HLEN", "unacked")) === 2);
    proxy.heal();
    proxy.cut();
    expect(await claiming).toEqual([]);
    expect((await claimAll(consumer, 3)).map(nameOf)).toEqual(["a", "b", "c"]);
    expect(await lab().redis.call("HLEN", "unacked")).toBe(3);
  });

  test("when the answer to an ack is lost, then it counts as done", async () => {
    const proxy = await lab().openProxy();
    await lab().publish("first", "a");
    const consumer = await lab().openConsumer({ url: proxy.url });
    const [first, claim] = await claimAll(consumer, 2);
    await consumer.ack(first?.id ?? ""); // the scripts are loaded now
    proxy.dropReplies();
    const acked = consumer.ack(claim?.id ?? "");
    await until(async () => (await lab().redis.call("HLEN", "unacked")) === 0);
    proxy.heal();
    proxy.cut();
    expect(await acked).toBe("done");
  });

  test("when the answer to a finish with a follow-up is lost, then the follow-up is there once", async () => {
    const proxy = await lab().openProxy();
    await lab().publish("first", "a");
    const consumer = await lab().openConsumer({ url: proxy.url });
    const [first, claim] = await claimAll(consumer, 2);
    await consumer.ack(first?.id ?? ""); // the scripts are loaded now
    proxy.dropReplies();
    const finished = consumer.finish(claim?.id ?? "", { publish: [message("next")] });
    const completed = consumer.complete({ publish: [message("more")] });
    await until(async () => (await lab().redis.call("HLEN", "unacked")) === 0);
    proxy.heal();
    proxy.cut();
    expect(await finished).toBe("done");
    await completed;
    expect((await claimAll(consumer, 2)).map(nameOf)).toEqual(["next", "more"]);
    expect(await consumer.claim(1)).toEqual([]);
  });

  test("when a queue's key is no list, then other queues flow, the sender is told, and the key stays", async () => {
    await lab().redis.call("SET", "broken", "text");
    await lab().publish("a");
    const consumer = await lab().openConsumer({ queues: ["broken", "celery"] });
    const [claim] = await consumer.claim(5);
    expect(nameOf(claim ?? { raw: "" })).toBe("a");
    expect(lab().logged).toContain("error: cannot take messages from a queue");
    const sent = lab().transport.publish(message("x", { queue: "broken" }));
    await expect(sent).rejects.toThrow(/queue "broken".*WRONGTYPE/);
    await expect(lab().transport.purge(["broken"])).rejects.toThrow(/WRONGTYPE/);
    expect(await lab().redis.call("GET", "broken")).toBe("text");
    const finished = consumer.finish(claim?.id ?? "", { publish: [message("x", { queue: "broken" })] });
    await expect(finished).rejects.toThrow(/WRONGTYPE/);
    expect(consumer.held.size).toBe(1);
  });

  test.each(["unacked", "unacked_index", "ts1:workers"])(
    "when the claim cannot be recorded in %s, then the message stays in its queue, and comes once it can",
    async (key) => {
      await lab().redis.call("SET", key, "text");
      await lab().publish("a");
      const consumer = await lab().openConsumer();
      expect(await consumer.claim(1)).toEqual([]);
      expect(await lab().transport.queueLength("celery")).toBe(1);
      expect(lab().logged).toContain("error: cannot take messages from a queue");
      await lab().redis.call("DEL", key);
      const [claim] = await claimAll(consumer, 1);
      expect(nameOf(claim ?? { raw: "" })).toBe("a");
      expect(await consumer.ack(claim?.id ?? "")).toBe("done");
      expect(await consumer.claim(1)).toEqual([]);
      expect(await lab().redis.call("HLEN", "unacked")).toBe(0);
    },
  );

  test("when a claim of ours is known to Redis only, then it is given back", async () => {
    const proxy = await lab().openProxy();
    const consumer = await lab().openConsumer({ url: proxy.url });
    await lab().publish("a");
    await claimAll(consumer, 1);
    const orphan = `ts1|${consumer.workerId}|orphan`;
    await lab().redis.call("HSET", "unacked", orphan, `[${envelope("orphan")}, "", "celery"]`);
    await lab().redis.call("ZADD", "unacked_index", Date.now() / 1000, orphan);
    proxy.cut();
    expect((await claimAll(consumer, 1)).map(nameOf)).toEqual(["orphan"]);
  });

  test("when connections are cut in mid-traffic, then every message is finished, and once", async () => {
    const names = Array.from({ length: 200 }, (_, index) => `m${index}`);
    const proxy = await lab().openProxy();
    const consumers = [
      await lab().openConsumer({ url: proxy.url }),
      await lab().openConsumer({ url: proxy.url }),
    ];
    const sender = lab().openTransport(proxy.url);
    const finished: string[] = [];
    const stop = new AbortController();
    const work = consumers.map((consumer) => drain(consumer, stop.signal, finished));
    // Not for ever: on a busy machine connecting may take longer than there is between two cuts.
    let cuts = 0;
    const cutting = setInterval(() => cuts++ < 30 && proxy.cut(), 150);

    await Promise.all(names.map((name) => sender.publish(message(name), { policy: PATIENT })));
    await until(() => finished.length >= names.length);

    clearInterval(cutting);
    stop.abort();
    await Promise.all(work);
    expect(finished.toSorted()).toEqual(names.toSorted());
    expect(await lab().redis.call("HLEN", "unacked")).toBe(0);
    expect(await lab().transport.queueLength("celery")).toBe(0);
  }, 60_000);
}

const PATIENT = { maxRetries: null, intervalStart: 0, intervalStep: 0.02, intervalMax: 0.1 } as const;

async function drain(consumer: Consumer, stop: AbortSignal, finished: string[]): Promise<void> {
  while (!stop.aborted) {
    let claims = await consumer.claim(7);
    if (claims.length === 0) claims = await consumer.claimNext(7, stop);
    await Promise.all(
      claims.map(async (claim) => {
        const result = { key: `r-${nameOf(claim)}`, payload: "{}", expiresSeconds: 60 };
        if ((await consumer.finish(claim.id, { result })) === "done") finished.push(nameOf(claim));
      }),
    );
  }
}
