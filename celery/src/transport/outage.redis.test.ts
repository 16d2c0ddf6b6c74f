import { mkdtemp, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { freePort, startRedisServer, type TestRedis } from "../../test/support/redis-server.ts";
import {
  claimAll,
  message,
  nameOf,
  openTransportLab,
  type TransportLab,
} from "../../test/support/transport-lab.ts";
import { until } from "../../test/support/until.ts";
import { OperationalError } from "../protocol/errors.ts";
import { heartbeatKey } from "../redis/keys.ts";
import { openTransport } from "./open-transport.ts";

let server: TestRedis;
let lab: TransportLab;
let dir: string;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "celery-test-outage-"));
  server = await startServer(await freePort());
  lab = await openTransportLab(server.url);
});

afterEach(async () => {
  server.process.kill("SIGCONT");
  await lab[Symbol.asyncDispose]();
  await server.stop();
  await rm(dir, { recursive: true, force: true });
});

/** With a journal, so that a restart on the same port finds what was there. */
function startServer(port: number): Promise<TestRedis> {
  return startRedisServer(["--appendonly", "yes", "--appendfsync", "always"], { port, dir });
}

test("given Redis killed and started again, when a worker holds claims, then it goes on with them, and nothing is lost", async () => {
  await lab.publish("a", "b", "c");
  const consumer = await lab.openConsumer();
  const told: string[] = [];
  consumer.events.on("disconnected", () => told.push("disconnected"));
  consumer.events.on("reconnecting", (delay, attempt) => told.push(`reconnecting ${delay} ${attempt}`));
  consumer.events.on("connected", () => told.push("connected"));
  const [first, second] = await claimAll(consumer, 2);

  await server.stop();
  const finished = consumer.finish(first?.id ?? "", { publish: [message("next")] });
  await until(() => told.includes("reconnecting 0.5 2"));
  server = await startServer(server.port);

  expect(await finished).toBe("done");
  expect(await consumer.ack(second?.id ?? "")).toBe("done");
  expect((await claimAll(consumer, 2)).map(nameOf)).toEqual(["c", "next"]);
  expect(told.slice(0, 3)).toEqual(["disconnected", "reconnecting 0.2 1", "reconnecting 0.5 2"]);
  expect(told.at(-1)).toBe("connected");
});

test("given Redis back after an outage, when messages wait, then a worker has them within 3 s", async () => {
  const consumer = await lab.openConsumer();
  await lab.publish("a");
  await server.stop();
  await new Promise((resolve) => consumer.events.once("reconnecting", resolve));
  server = await startServer(server.port);
  const back = performance.now();
  expect((await claimAll(consumer, 1)).map(nameOf)).toEqual(["a"]);
  expect(performance.now() - back).toBeLessThan(3000);
});

test("given Redis away, when a message is published, then the error names the place and the tries, soon", async () => {
  await server.stop();
  const started = performance.now();
  const sent = lab.transport.publish(message("a"));
  await expect(sent).rejects.toThrow(OperationalError);
  await expect(sent).rejects.toThrow(
    /queue "celery" after 4 tries: Cannot connect to Redis at redis:\/\/127\.0\.0\.1:\d+/,
  );
  expect(performance.now() - started).toBeLessThan(5000);
  server = await startServer(server.port);
  await lab.transport.publish(message("a"));
});

test("given Redis away, when a publish is not to be retried, then it fails at once", async () => {
  await server.stop();
  const started = performance.now();
  await expect(lab.transport.publish(message("a"), { retry: false })).rejects.toThrow(
    /"celery": Cannot connect/,
  );
  expect(performance.now() - started).toBeLessThan(500);
  server = await startServer(server.port);
});

test("given Redis away for a moment, when the retry policy lasts longer, then the publish succeeds", async () => {
  await server.stop();
  const policy = { maxRetries: null, intervalStart: 0.05, intervalStep: 0, intervalMax: 1 };
  const sent = lab.transport.publish(message("a"), { policy });
  server = await startServer(server.port);
  await sent;
  expect(await lab.transport.queueLength("celery")).toBe(1);
});

test("given a frozen Redis, when something is asked of it, then the answer is an error in bounded time", async () => {
  await using impatient = openTransport(server.url, { replyTimeoutMs: 300, connectTimeoutMs: 300 });
  await impatient.publish(message("a"));
  server.process.kill("SIGSTOP");
  await expect(impatient.queueLength("celery")).rejects.toThrow(/no answer for 0.3 seconds/);
  await expect(impatient.publish(message("b"), { retry: false })).rejects.toThrow(OperationalError);
  server.process.kill("SIGCONT");
  expect(await impatient.queueLength("celery")).toBeGreaterThan(0);
});

test("given a Redis frozen in mid-publish, when it thaws, then the retried message is there once", async () => {
  await using impatient = openTransport(server.url, { replyTimeoutMs: 300, connectTimeoutMs: 300 });
  await impatient.publish(message("first"));
  server.process.kill("SIGSTOP");
  const policy = { maxRetries: null, intervalStart: 0.1, intervalStep: 0, intervalMax: 1 };
  const sent = impatient.publish(message("second"), { policy });
  // The request lies in the frozen server's buffer, and is carried out when it thaws, beside the retries.
  await new Promise((resolve) => setTimeout(resolve, 1500));
  server.process.kill("SIGCONT");
  await sent;
  await until(async () => (await lab.transport.queueLength("celery")) >= 2);
  expect(await lab.transport.queueLength("celery")).toBe(2);
});

test("given Redis at its memory limit, when workers drain, then they can; senders are refused with the reason", async () => {
  const backlog = Array.from({ length: 50 }, (_, index) => `m${index}`);
  await lab.publish(...backlog);
  const consumer = await lab.openConsumer();
  await lab.redis.call("CONFIG", "SET", "maxmemory-policy", "noeviction");
  await lab.redis.call("CONFIG", "SET", "maxmemory", "1");

  await expect(lab.transport.publish(message("more"))).rejects.toThrow(/refused.*OOM/);
  await expect(lab.redis.call("SET", "x", "1")).rejects.toThrow(/OOM/);
  const claims = await claimAll(consumer, backlog.length);
  const result = { key: "r", payload: "{}", expiresSeconds: 60 };
  const outcomes = await Promise.all([
    ...claims.slice(0, 10).map(({ id }) => consumer.finish(id, { result })),
    ...claims.slice(10, 20).map(({ id }) => consumer.ack(id)),
    ...claims.slice(20, 30).map(({ id }) => consumer.deadLetter(id, "no")),
    ...claims.slice(30, 40).map(({ id }) => consumer.park(id, Date.now() / 1000 + 0.2)),
  ]);
  await consumer.release(claims.slice(40).map(({ id }) => id));

  expect(new Set(outcomes)).toEqual(new Set(["done"]));
  const again = await claimAll(consumer, 20);
  expect(again.map(nameOf).toSorted()).toEqual(backlog.slice(30).toSorted());
  await Promise.all(again.map(({ id }) => consumer.ack(id)));
  await lab.redis.call("CONFIG", "SET", "maxmemory", "0");
  expect(await lab.transport.queueLength("celery")).toBe(0);
  expect(await lab.redis.call("HLEN", "unacked")).toBe(0);
});

test("given Redis at its memory limit, when a worker has nothing in hand, then it is heard of all the same", async () => {
  const ttlMs = 600;
  const { workerId } = await lab.openConsumer({ heartbeatTtlMs: ttlMs });
  const heardUntil = async (): Promise<number> => Number(await lab.redis.call("GET", heartbeatKey(workerId)));
  const clients = async (): Promise<string> => String(await lab.redis.call("CLIENT", "LIST"));
  // From then on nobody but the heartbeat's thread says it.
  await until(async () => /name=celery-heartbeat .*cmd=(set|evalsha)/.test(await clients()));
  await lab.redis.call("CONFIG", "SET", "maxmemory-policy", "noeviction");
  await lab.redis.call("CONFIG", "SET", "maxmemory", "1");
  const then = await heardUntil();

  await until(async () => (await heardUntil()) > then + 2 * ttlMs);
  await lab.redis.call("CONFIG", "SET", "maxmemory", "0");
});

test("given scripts flushed from the server, when work goes on, then nobody notices", async () => {
  await lab.publish("a");
  const consumer = await lab.openConsumer();
  await lab.redis.call("SCRIPT", "FLUSH");
  const [claim] = await claimAll(consumer, 1);
  await lab.redis.call("SCRIPT", "FLUSH");
  expect(await consumer.ack(claim?.id ?? "")).toBe("done");
  await lab.publish("b");
});

test("given every connection killed by the server, when work goes on, then nothing is lost or doubled", async () => {
  const consumer = await lab.openConsumer();
  const names = Array.from({ length: 100 }, (_, index) => `m${index}`);
  const seen: string[] = [];
  const kill = (): Promise<unknown> => lab.redis.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
  for (const name of names) {
    const sent = lab.transport.publish(message(name));
    if (seen.length % 10 === 5) await kill();
    await sent;
    const [claim] = await claimAll(consumer, 1);
    if (seen.length % 10 === 8) await kill();
    expect(await consumer.ack(claim?.id ?? "")).toBe("done");
    seen.push(nameOf(claim ?? { raw: "" }));
  }
  expect(seen).toEqual(names);
  expect(await lab.redis.call("HLEN", "unacked")).toBe(0);
});

test("given Redis that never comes back, when a consumer is closed, then closing ends", async () => {
  await lab.publish("a");
  const consumer = await lab.openConsumer();
  const [claim] = await claimAll(consumer, 1);
  await server.stop();
  const finishing = consumer.finish(claim?.id ?? "", {});
  finishing.catch(() => undefined); // read below
  const started = performance.now();
  await consumer[Symbol.asyncDispose]();
  expect(performance.now() - started).toBeLessThan(7000);
  await expect(finishing).rejects.toThrow(OperationalError);
  server = await startServer(server.port);
}, 15_000);

test("given a claim, when Redis is watched, then it is recorded before it is popped", async () => {
  const monitor = connect(server.port, "127.0.0.1");
  let seen = "";
  monitor.on("data", (chunk) => (seen += String(chunk)));
  monitor.write("MONITOR\r\n");
  await until(() => seen.includes("+OK"));
  await lab.publish("a");
  const consumer = await lab.openConsumer();
  await claimAll(consumer, 1);
  await until(() => seen.includes('"LTRIM" "celery"'));
  monitor.destroy();
  const inLua = seen.split("\n").filter((line) => line.includes("lua]") && line.includes("unacked"));
  const order = ['"HSET" "unacked"', '"ZADD" "unacked_index"', '"LTRIM" "celery"'].map((text) =>
    seen.indexOf(text),
  );
  expect(inLua.length).toBeGreaterThan(0);
  expect(order).toEqual(order.toSorted((a, b) => a - b));
  expect(order[0]).toBeGreaterThan(0);
});

test("given an idle worker, when Redis counts its commands, inside scripts too, then there are at most three a second", async () => {
  const consumer = await lab.openConsumer({ heartbeatTtlMs: 10_000 });
  const stop = new AbortController();
  const idling = (async () => {
    while (!stop.signal.aborted) {
      await consumer.claim(1);
      await consumer.claimNext(1, stop.signal);
    }
  })();
  const counts = async (): Promise<ReadonlyMap<string, number>> => {
    const info = String(await lab.redis.call("INFO", "commandstats"));
    const all = [...info.matchAll(/cmdstat_([^:]+):calls=(\d+)/g)];
    return new Map(all.map(([, name = "", calls]) => [name, Number(calls)]));
  };
  const total = async (): Promise<number> => {
    const all = [...(await counts())].filter(([name]) => name !== "info");
    return all.reduce((sum, [, calls]) => sum + calls, 0);
  };
  const listeners = async (): Promise<number> =>
    String(await lab.redis.call("CLIENT", "LIST")).split("cmd=blmove").length - 1;
  await until(async () => (await listeners()) === 4); // settled: all of its lists are watched
  const before = await total();
  const seconds = 10;
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  const rate = ((await total()) - before) / seconds;
  stop.abort();
  await idling;
  expect(rate).toBeLessThanOrEqual(3);
  expect(rate).toBeGreaterThan(0.3);
}, 40_000);
