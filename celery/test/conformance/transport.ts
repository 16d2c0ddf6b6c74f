import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openSubscriber } from "../../src/redis/subscriber.ts";
import type { Consumer } from "../../src/transport/transport.ts";
import {
  claimAll,
  envelope,
  isRedelivered,
  message,
  nameOf,
  openTransportLab,
  type TransportLab,
} from "../support/transport-lab.ts";
import { until } from "../support/until.ts";

/** The promises of a transport, on whatever speaks Redis's protocol. @param url of an empty database, asked before each test. */
export function describeTransport(name: string, url: () => string): void {
  describe(`given a transport over ${name}`, () => {
    let lab: TransportLab;

    beforeEach(async () => {
      lab = await openTransportLab(url());
    });
    afterEach(() => lab[Symbol.asyncDispose]());

    describeQueues(() => lab);
    describeEnds(() => lab);
    describeLater(() => lab);
    describeTrouble(() => lab);
  });
}

function describeQueues(lab: () => TransportLab): void {
  test("when messages are published, then they are claimed as they are, oldest first", async () => {
    await lab().publish("a", "b", "ü");
    const consumer = await lab().openConsumer();

    const claims = await consumer.claim(10);

    expect(claims.map(({ raw }) => raw)).toEqual([envelope("a"), envelope("b"), envelope("ü")]);
    expect(new Set(claims.map(({ id }) => id))).toEqual(consumer.held);
    expect(await lab().transport.queueLength("celery")).toBe(0);
  });

  test("when a claim is made, then Redis has it under kombu's keys before anybody else", async () => {
    await lab().publish("a");
    const consumer = await lab().openConsumer();

    const [claim] = await consumer.claim(1);

    const entry = await lab().redis.call("HGET", "unacked", claim?.id ?? "");
    expect(JSON.parse(String(entry))).toEqual([JSON.parse(envelope("a")), "", "celery"]);
    const score = Number(await lab().redis.call("ZSCORE", "unacked_index", claim?.id ?? ""));
    expect(Math.abs(score - Date.now() / 1000)).toBeLessThan(5);
    expect(claim?.id).toMatch(/^ts1\|w1@test:[0-9a-f]{8}\|[0-9a-f-]{36}$/);
  });

  test("when there is less than asked for, then what there is, is claimed; and nothing of nothing", async () => {
    await lab().publish("a", "b", "c");
    const consumer = await lab().openConsumer();
    expect(await consumer.claim(0)).toEqual([]);
    expect((await consumer.claim(2)).map(nameOf)).toEqual(["a", "b"]);
    expect((await consumer.claim(2)).map(nameOf)).toEqual(["c"]);
    expect(await consumer.claim(2)).toEqual([]);
  });

  test("when messages have priorities, then the lower number goes first, across queues", async () => {
    for (const [name, queue, priority] of [
      ["late", "celery", 9],
      ["six", "other", 7],
      ["three-a", "celery", 3],
      ["three-b", "celery", 5],
      ["first", "other", 0],
    ] as const) {
      await lab().transport.publish(message(name, { queue, priority }));
    }
    const consumer = await lab().openConsumer({ queues: ["celery", "other"] });
    expect((await consumer.claim(10)).map(nameOf)).toEqual(["first", "three-a", "three-b", "six", "late"]);
  });

  test("when two queues are full, then neither waits for the other", async () => {
    for (const name of ["1", "2"]) {
      await lab().transport.publish(message(`a${name}`, { queue: "a" }));
      await lab().transport.publish(message(`b${name}`, { queue: "b" }));
    }
    const consumer = await lab().openConsumer({ queues: ["a", "b"] });
    const queues: string[] = [];
    for (let turn = 0; turn < 4; turn += 1) queues.push((await consumer.claim(1))[0]?.queue ?? "");
    expect(queues.slice(0, 2).toSorted()).toEqual(["a", "b"]);
    expect(queues.slice(2, 4).toSorted()).toEqual(["a", "b"]);
  });

  test.each([0, 6])(
    "when a message of priority %i comes while a worker waits, then it is woken",
    async (priority) => {
      const consumer = await lab().openConsumer();
      const wait = consumer.waitForWork(new AbortController().signal);
      const started = performance.now();
      const woken = wait.then(() => performance.now() - started);
      await lab().transport.publish(message("a", { priority }));
      expect(await woken).toBeLessThan(900);
      expect((await consumer.claim(1)).map(nameOf)).toEqual(["a"]);
    },
  );

  test("when a worker waits, then it takes nothing, and an abort ends the wait", async () => {
    const consumer = await lab().openConsumer();
    const stop = new AbortController();
    const wait = consumer.waitForWork(stop.signal);
    stop.abort();
    await wait;
    await lab().publish("a");
    await consumer.waitForWork(new AbortController().signal);
    expect(await lab().transport.queueLength("celery")).toBe(1);
  });

  test("when a queue is purged, then what waits is gone and what is claimed is not", async () => {
    await lab().publish("a", "b");
    await lab().transport.publish(message("c", { priority: 9 }));
    const consumer = await lab().openConsumer();
    const [claim] = await consumer.claim(1);
    expect(await lab().transport.purge(["celery", "nothing"])).toBe(2);
    expect(await lab().transport.queueLength("celery")).toBe(0);
    expect(await consumer.ack(claim?.id ?? "")).toBe("done");
  });

  test("when something is published or consumed, then the queue's binding is declared as by kombu", async () => {
    await lab().transport.publish(message("a", { queue: "q1" }));
    await lab().openConsumer({ queues: ["q2"] });
    expect(await lab().redis.call("SMEMBERS", "_kombu.binding.q1")).toEqual(["q1\x06\x16\x06\x16q1"]);
    await until(async () => (await lab().redis.call("SCARD", "_kombu.binding.q2")) === 1);
  });
}

function describeEnds(lab: () => TransportLab): void {
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
      outcomes.push(await consumer.releaseAfterChildLoss(claim?.id ?? "", "task-1", 2));
    }
    expect(outcomes).toEqual(["released", "released", "dead"]);
    expect(await lab().redis.call("LLEN", "ts1:dead:celery")).toBe(1);
    expect(await lab().redis.call("HEXISTS", "ts1:deliveries", "task-1")).toBe(0);
    expect(await consumer.releaseAfterChildLoss("ts1|other|1", "task-1", 2)).toBe("fenced");
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

function describeLater(lab: () => TransportLab): void {
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

function describeTrouble(lab: () => TransportLab): void {
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
    const cutting = setInterval(() => proxy.cut(), 150);

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
    const claims = await consumer.claim(7);
    if (claims.length === 0) await consumer.waitForWork(stop);
    await Promise.all(
      claims.map(async (claim) => {
        const result = { key: `r-${nameOf(claim)}`, payload: "{}", expiresSeconds: 60 };
        if ((await consumer.finish(claim.id, { result })) === "done") finished.push(nameOf(claim));
      }),
    );
  }
}
