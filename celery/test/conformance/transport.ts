import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { envelope, message, nameOf, openTransportLab, type TransportLab } from "../support/transport-lab.ts";
import { until } from "../support/until.ts";
import { describeEnds, describeLater } from "./transport-ends.ts";
import { describePython } from "./transport-python.ts";
import { describeTrouble } from "./transport-trouble.ts";

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
    describePython(() => lab);
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

  test("when a queue is added and removed while a worker waits, then the wait ends for it and later it is left alone", async () => {
    await lab().transport.publish(message("a", { queue: "extra" }));
    const consumer = await lab().openConsumer();
    expect(await consumer.claim(10)).toEqual([]);
    const started = performance.now();
    const wait = consumer.waitForWork(new AbortController().signal);

    await consumer.addQueue("extra");

    await wait;
    expect(performance.now() - started).toBeLessThan(1400);
    expect(consumer.queues.toSorted()).toEqual(["celery", "extra"]);
    expect((await consumer.claim(10)).map(nameOf)).toEqual(["a"]);
    await consumer.removeQueue("extra");
    await lab().transport.publish(message("b", { queue: "extra" }));
    expect(await consumer.claim(10)).toEqual([]);
    expect(consumer.held.size).toBe(1);
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
