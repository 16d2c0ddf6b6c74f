import { expect, test } from "vitest";
import { heartbeatKey } from "../../src/redis/keys.ts";
import type { Claim, Consumer } from "../../src/transport/transport.ts";
import { claimAll, isRedelivered, message, nameOf, type TransportLab } from "../support/transport-lab.ts";
import { until } from "../support/until.ts";

const FOR_EVER = new AbortController().signal;

/** What holds when a worker waits for messages. @param tellsBlocked whether the server's INFO counts who waits. */
export function describeWaits(lab: () => TransportLab, tellsBlocked: boolean): void {
  test("when a queue is added and removed while a worker waits, then the wait ends for it and later it is left alone", async () => {
    await lab().transport.publish(message("a", { queue: "extra" }));
    const consumer = await lab().openConsumer();
    expect(await consumer.claim(10)).toEqual([]);
    const started = performance.now();
    const wait = consumer.claimNext(10, FOR_EVER);

    await consumer.addQueue("extra");

    const woken = await wait;
    expect(performance.now() - started).toBeLessThan(1400);
    expect(consumer.queues.toSorted()).toEqual(["celery", "extra"]);
    expect([...woken, ...(await consumer.claim(10))].map(nameOf)).toEqual(["a"]);
    const other = consumer.claimNext(10, FOR_EVER);
    await consumer.removeQueue("extra");
    expect(await other).toEqual([]);
    await lab().transport.publish(message("b", { queue: "extra" }));
    expect(await consumer.claim(10)).toEqual([]);
    expect(consumer.held.size).toBe(1);
  });

  test.each([0, 6])(
    "when a message of priority %i comes while a worker waits, then it has it at once",
    async (priority) => {
      const consumer = await lab().openConsumer();
      await isHeard(lab(), consumer);
      const { claims } = await waiting(lab(), consumer, 1, tellsBlocked);
      const started = performance.now();
      await lab().transport.publish(message("a", { priority }));
      expect((await claims).map(nameOf)).toEqual(["a"]);
      expect(performance.now() - started).toBeLessThan(900);
    },
  );

  test("when a wait is ended, then nothing is taken afterwards", async () => {
    const consumer = await lab().openConsumer();
    await isHeard(lab(), consumer);
    const { claims, stop } = await waiting(lab(), consumer, 5, tellsBlocked);
    stop();
    expect(await claims).toEqual([]);
    await lab().publish("a");
    expect(await lab().transport.queueLength("celery")).toBe(1);
    expect((await claimAll(consumer, 1)).map(nameOf)).toEqual(["a"]);
  });

  test("when two workers wait, then each message goes to one of them, and the other waits on", async () => {
    const consumers = [await lab().openConsumer(), await lab().openConsumer()];
    const got: string[] = [];
    const stop = new AbortController();
    const work = consumers.map(async (consumer) => {
      await isHeard(lab(), consumer);
      while (!stop.signal.aborted) got.push(...(await consumer.claimNext(1, stop.signal)).map(nameOf));
    });
    const names = Array.from({ length: 30 }, (_, index) => `m${index}`);
    for (const [index, name] of names.entries()) {
      await lab().publish(name);
      await until(() => got.length === index + 1);
    }
    stop.abort();
    await Promise.all(work);
    expect(got).toEqual(names);
  });

  test("when an urgent message has come on another list, then a worker that asked for one gets no second one", async () => {
    const consumer = await lab().openConsumer();
    await isHeard(lab(), consumer);
    const { claims } = await waiting(lab(), consumer, 1, tellsBlocked);
    await lab().transport.publish(message("low", { priority: 6 }));
    expect((await claims).map(nameOf)).toEqual(["low"]);
    await lab().publish("second");
    // The calls behind the other lists were answered by now: they lie before this one.
    expect(await lab().transport.queueLength("celery")).toBe(1);
    expect(consumer.held.size).toBe(1);
  });

  test("when the answer to a wait is lost with its line, then the message is found, and is nobody else's", async () => {
    const proxy = await lab().openProxy();
    const consumer = await lab().openConsumer({ url: proxy.url });
    await isHeard(lab(), consumer);
    const first = consumer.claimNext(1, FOR_EVER); // its lines are made now
    await lab().publish("before");
    await consumer.ack((await first)[0]?.id ?? "");
    const { claims } = await waiting(lab(), consumer, 3, tellsBlocked);
    proxy.dropReplies();
    await lab().publish("a");
    await until(async () => (await lab().redis.call("HLEN", "unacked")) === 1);
    proxy.heal();
    proxy.cut();
    expect(await claims).toEqual([]);
    const [claim] = await claimAll(consumer, 1);
    expect(nameOf(claim as Claim)).toBe("a");
    expect(isRedelivered(claim as Claim)).toBe(false);
    expect(await consumer.ack(claim?.id ?? "")).toBe("done");
    expect(await lab().redis.call("HLEN", "unacked")).toBe(0);
  });

  test("when an answer was lost and nobody asks for more, then what it had taken goes back", async () => {
    const proxy = await lab().openProxy();
    const consumer = await lab().openConsumer({ url: proxy.url });
    await isHeard(lab(), consumer);
    const first = consumer.claimNext(1, FOR_EVER); // its lines are made now
    await lab().publish("before");
    await consumer.ack((await first)[0]?.id ?? "");
    const { claims } = await waiting(lab(), consumer, 3, tellsBlocked);
    proxy.dropReplies();
    await lab().publish("a");
    await until(async () => (await lab().redis.call("HLEN", "unacked")) === 1);
    proxy.heal();
    proxy.cut();
    expect(await claims).toEqual([]);
    await until(async () => (await lab().transport.queueLength("celery")) === 1);
    expect(await lab().redis.call("HLEN", "unacked")).toBe(0);
  });

  test("when Redis refuses to give what is there, then it is asked again about once a second, and gives it when it can", async () => {
    const consumer = await lab().openConsumer();
    await lab().redis.call("SET", "unacked", "no hash");
    await lab().publish("a");
    expect(await consumer.claim(1)).toEqual([]);
    const started = performance.now();
    for (let round = 0; round < 2; round += 1) {
      expect(await consumer.claimNext(1, FOR_EVER)).toEqual([]);
      expect(await consumer.claim(1)).toEqual([]);
    }
    expect(performance.now() - started).toBeGreaterThan(1800);
    await lab().redis.call("DEL", "unacked");
    expect((await claimAll(consumer, 1)).map(nameOf)).toEqual(["a"]);
  });

  test("when a waiting worker has not been heard of for long, then it is given nothing", async () => {
    const proxy = await lab().openProxy();
    const frozen = await lab().openConsumer({ url: proxy.url, heartbeatTtlMs: 600 });
    await isHeard(lab(), frozen);
    const { claims, stop } = await waiting(lab(), frozen, 1, tellsBlocked);
    proxy.freeze();
    await until(async () => (await lab().redis.call("EXISTS", heartbeatKey(frozen.workerId))) === 0);
    await lab().publish("a");
    expect(await lab().redis.call("HLEN", "unacked")).toBe(0);
    const other = await lab().openConsumer();
    const started = performance.now();
    const [claim] = await claimAll(other, 1);
    expect(performance.now() - started).toBeLessThan(500);
    expect(await other.ack(claim?.id ?? "")).toBe("done");
    proxy.heal();
    proxy.cut();
    stop();
    expect(await claims).toEqual([]);
  });
}

/** Redis has its first sign of life. */
async function isHeard({ redis }: TransportLab, { workerId }: Consumer): Promise<void> {
  await until(async () => (await redis.call("EXISTS", heartbeatKey(workerId))) === 1);
}

/** As many lists as a queue has. */
const LISTS = 4;

/**
 * The only wait at this server, begun: all its lists are watched, where the server tells. Some of them still are from the consumer's last
 * wait.
 */
async function waiting(
  { redis }: TransportLab,
  consumer: Consumer,
  max: number,
  tellsBlocked: boolean,
): Promise<{ readonly claims: Promise<readonly Claim[]>; readonly stop: () => void }> {
  const blocked = async (): Promise<number> =>
    Number(/blocked_clients:(\d+)/.exec(String(await redis.call("INFO", "clients")))?.[1]);
  const abort = new AbortController();
  const claims = consumer.claimNext(max, abort.signal);
  if (tellsBlocked) await until(async () => (await blocked()) === LISTS);
  return { claims, stop: () => abort.abort() };
}
