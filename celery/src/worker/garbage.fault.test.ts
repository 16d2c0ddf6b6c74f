import { expect, test, vi } from "vitest";
import { type FaultLab, openFaultLab } from "../../test/support/fault-lab.ts";
import { makeGarbage } from "../../test/support/garbage.ts";
import { seededRandom, testSeed } from "../../test/support/random.ts";
import { redisUrl } from "../../test/support/redis-url.ts";
import { until } from "../../test/support/until.ts";
import { PARKED_PREFIX, UNACKED } from "../redis/keys.ts";

vi.setConfig({ testTimeout: 600_000 });

const GARBAGE = 600;
const EIGHT_MB = 8 * 1024 * 1024;

/** What a sender would put into the queue, without putting it there. */
async function sampleMessage({ broker }: FaultLab): Promise<string> {
  await broker.app.sendTask("fault.add", [1, 2], { queue: "sample" });
  return String(await broker.redis.call("RPOP", "sample"));
}

/** No message waits, and the worker holds none but those whose ETA is years away: some garbage is as good as that. */
async function isDrained({ broker }: FaultLab): Promise<boolean> {
  const held = (await broker.redis.call("HKEYS", UNACKED)) as readonly string[];
  return held.every((id) => id.startsWith(PARKED_PREFIX)) && (await broker.leftovers()).waiting === 0;
}

test("given garbage of every kind between good messages, when a worker takes it, then the good ones run, the rest is put aside with a reason, and the worker lives", async () => {
  await using lab = await openFaultLab(`${redisUrl()}/66`);
  const random = seededRandom(testSeed());
  const sample = await sampleMessage(lab);
  const worker = await lab.startWorker(2);

  const good = [];
  for (let at = 0; at < GARBAGE; at += 20) {
    const garbage = Array.from({ length: 20 }, () => makeGarbage(sample, random));
    await lab.broker.redis.call("LPUSH", "celery", ...garbage);
    good.push(await lab.broker.app.sendTask("fault.add", [at, 1]));
  }

  const ends = await Promise.all(good.map((result) => result.get({ timeout: 120 })));
  expect(ends).toEqual(good.map((_, index) => index * 20 + 1));
  await until(() => isDrained(lab));
  const { dead } = await lab.broker.leftovers();
  expect(dead).toBeGreaterThan(GARBAGE / 3);
  const letters = (await lab.broker.redis.call("LRANGE", "ts1:dead:celery", 0, -1)) as readonly string[];
  expect(letters.filter((text) => (JSON.parse(text) as { reason: string }).reason === "")).toEqual([]);
  expect(Object.values(await lab.broker.app.control.ping({ timeout: 2 }))).toEqual([{ ok: "pong" }]);
  expect(worker.lines.filter((line) => line.includes("A fault in celery itself"))).toEqual([]);
});

test("given a message twice in the queue, when it is run, then both are, and neither is left", async () => {
  await using lab = await openFaultLab(`${redisUrl()}/66`);
  const [sent] = await lab.send("fault.late", 1, () => 1);
  const raw = String(await lab.broker.redis.call("LINDEX", "celery", 0));
  await lab.broker.redis.call("LPUSH", "celery", raw);

  await lab.startWorker(2);
  await lab.drained();

  expect(await sent?.result.get({ timeout: 60 })).toBe(sent?.n);
  expect((await lab.ledger()).begun.get(sent?.n ?? -1)).toBe(2);
  expect(await lab.broker.leftovers()).toMatchObject({ unacked: 0, unackedIndex: 0, dead: 0 });
});

test("given 8 MB in a message, when that is more than is allowed, then sender and worker say so; when it is allowed, then it goes there and back", async () => {
  await using lab = await openFaultLab(`${redisUrl()}/66`);
  const { app, redis } = lab.broker;
  const large = "x".repeat(EIGHT_MB);
  app.conf.broker_transport_options = { max_message_bytes: EIGHT_MB };
  await expect(app.sendTask("fault.add", [large, "y"])).rejects.toThrow(/max_message_bytes/);
  const sample = await sampleMessage(lab);
  await redis.call("LPUSH", "celery", sample.replace('"lang"', `"stuffing": "${large}", "lang"`));
  const worker = await lab.startWorker(1);
  await lab.drained();
  const letter = JSON.parse(String(await redis.call("LINDEX", "ts1:dead:celery", 0))) as { reason: string };
  expect(letter.reason).toMatch(/bytes/);
  expect(worker.lines.some((line) => line.length > 100_000)).toBe(false);
  worker.kill("SIGTERM");
  await worker.exited;

  app.conf.broker_transport_options = { max_message_bytes: 3 * EIGHT_MB };
  await lab.startWorker(1, { MAX_MESSAGE_BYTES: String(3 * EIGHT_MB) });
  const result = await app.sendTask("fault.add", [large, "y"]);
  expect(await result.get({ timeout: 120 })).toHaveLength(EIGHT_MB + 1);
});

test("given Redis that forgot who had claimed what, when running tasks end, then the worker goes on with the next ones", async () => {
  await using lab = await openFaultLab(`${redisUrl()}/66`);
  const worker = await lab.startWorker(2);
  const lost = await lab.send("fault.late", 2, () => 1500);
  await lab.begun(2);
  await lab.broker.redis.call("DEL", "unacked", "unacked_index");

  await worker.line(/given to another worker|taken it over/);
  const next = await lab.send("fault.late", 4, () => 1);

  expect(await Promise.all(next.map(({ result }) => result.get({ timeout: 60 })))).toEqual(
    next.map(({ n }) => n),
  );
  expect(await Promise.all(lost.map(({ result }) => result.state()))).toEqual(["PENDING", "PENDING"]);
});
