import { expect, test } from "vitest";
import { seededRandom } from "../../test/support/random.ts";
import { redisUrl } from "../../test/support/redis-url.ts";
import type { TcpProxy } from "../../test/support/tcp-proxy.ts";
import { message, nameOf, openTransportLab, type TransportLab } from "../../test/support/transport-lab.ts";
import { until } from "../../test/support/until.ts";
import type { Consumer } from "./transport.ts";

const MESSAGES = 4000;
const WORKERS = 4;
const TTL_MS = 1000;

/** Every line disturbed in every way at random moments; the seed is in the test's name. */
test.each([1, 2, 3])(
  "given lines that are cut, deaf and frozen at random (seed %i), when thousands of messages pass, then each is finished once",
  async (seed) => {
    const lab = await openTransportLab(`${redisUrl()}/6`);
    const random = seededRandom(seed);
    const proxies = await Promise.all(Array.from({ length: WORKERS + 1 }, () => lab.openProxy()));
    const finished: string[] = [];
    const sent = new Set<string>();
    const stop = new AbortController();
    const workers = await Promise.all(
      proxies.slice(1).map(({ url }) => lab.openConsumer({ url, heartbeatTtlMs: TTL_MS })),
    );
    const working = workers.map((worker) => work(worker, stop.signal, finished));
    const trouble = disturb(proxies, random, stop.signal);

    await send(lab, proxies[0] as TcpProxy, sent);
    await until(() => new Set(finished).size >= sent.size, 120_000);
    stop.abort();
    await trouble;
    await Promise.all(working);

    expect(sent.size).toBe(MESSAGES);
    expect(finished.length).toBe(new Set(finished).size);
    expect(new Set(finished)).toEqual(sent);
    await until(async () => (await lab.redis.call("HLEN", "unacked")) === 0);
    expect(await lab.redis.call("ZCARD", "unacked_index")).toBe(0);
    expect(await lab.transport.queueLength("celery")).toBe(0);
    expect(await lab.redis.call("LLEN", "results")).toBe(MESSAGES);
    await lab[Symbol.asyncDispose]();
  },
);

async function send(lab: TransportLab, { url }: TcpProxy, sent: Set<string>): Promise<void> {
  const sender = lab.openTransport(url, { replyTimeoutMs: 500, connectTimeoutMs: 500 });
  const policy = { maxRetries: null, intervalStart: 0.01, intervalStep: 0.01, intervalMax: 0.2 };
  for (let at = 0; at < MESSAGES; at += 20) {
    const names = Array.from({ length: 20 }, (_, index) => `m${at + index}`);
    await Promise.all(names.map((name) => sender.publish(message(name), { policy })));
    for (const name of names) sent.add(name);
    await new Promise((resolve) => setTimeout(resolve, 20)); // long enough a run for many faults
  }
}

/** The follow-up message is the ledger: it is pushed in the same step as the ack, so it must be there exactly once. */
async function work(consumer: Consumer, stop: AbortSignal, finished: string[]): Promise<void> {
  while (!stop.aborted) {
    let claims = await consumer.claim(10);
    if (claims.length === 0) claims = await consumer.claimNext(10, stop);
    await Promise.all(
      claims.map(async (claim) => {
        const entry = { queue: "results", raw: nameOf(claim), priority: 0 };
        if ((await consumer.finish(claim.id, { publish: [entry] })) === "done") finished.push(nameOf(claim));
      }),
    );
  }
}

async function disturb(proxies: readonly TcpProxy[], random: () => number, stop: AbortSignal): Promise<void> {
  const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
  while (!stop.aborted) {
    const proxy = proxies[Math.floor(random() * proxies.length)] as TcpProxy;
    const kind = random();
    if (kind < 0.5) proxy.cut();
    else if (kind < 0.8) {
      proxy.dropReplies();
      await pause(20 + random() * 100);
      proxy.heal();
      proxy.cut(); // what was swallowed never comes: the connection is of no more use
    } else {
      proxy.freeze();
      await pause(random() * 2 * TTL_MS);
      proxy.heal();
      proxy.cut();
    }
    await pause(20 + random() * 80);
  }
  for (const proxy of proxies) proxy.heal();
}
