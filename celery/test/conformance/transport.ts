import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { envelope, message, nameOf, openTransportLab, type TransportLab } from "../support/transport-lab.ts";
import { until } from "../support/until.ts";
import { describeEnds, describeLater } from "./transport-ends.ts";
import { describePython } from "./transport-python.ts";
import { describeTrouble } from "./transport-trouble.ts";
import { describeWaits } from "./transport-waits.ts";

/**
 * The promises of a transport, on whatever speaks Redis's protocol.
 *
 * @param url of an empty database, asked before each test.
 * @param tellsBlocked whether its INFO counts the clients that wait.
 */
export function describeTransport(name: string, url: () => string, tellsBlocked = true): void {
  describe(`given a transport over ${name}`, () => {
    let lab: TransportLab;

    beforeEach(async () => {
      lab = await openTransportLab(url());
    });
    afterEach(() => lab[Symbol.asyncDispose]());

    describeQueues(() => lab);
    describeEnds(() => lab);
    describeLater(() => lab);
    describeWaits(() => lab, tellsBlocked);
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
