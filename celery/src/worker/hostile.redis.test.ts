import { readFileSync } from "node:fs";
import { afterEach, beforeEach, expect, test } from "vitest";
import { FORGED, makeHostile } from "../../test/support/hostile.ts";
import { seededRandom, testSeed } from "../../test/support/random.ts";
import { redisUrl } from "../../test/support/redis-url.ts";
import { openTestBroker, type TestBroker } from "../../test/support/test-broker.ts";
import { startTestWorker, type TestWorker } from "../../test/support/test-worker.ts";
import { until } from "../../test/support/until.ts";
import { Celery } from "../app/celery.ts";
import { makeCeleryLog } from "../cli/logging.ts";
import { PARKED_PREFIX, UNACKED } from "../redis/keys.ts";
import { systemClock } from "../runtime/clock.ts";

const url = `${redisUrl()}/45`;
/** Each round is followed by a good task that must run. */
const ROUNDS = 10;
const ROUND = 40;

const samples = (
  JSON.parse(readFileSync(new URL("../../test/fixtures/messages.json", import.meta.url), "utf8")) as {
    raw: string;
  }[]
).map(({ raw }) => raw);

let broker: TestBroker;
let app: Celery;
let worker: TestWorker;

beforeEach(async () => {
  broker = await openTestBroker(url);
  app = new Celery("hostile", { broker: url, backend: url });
  app.task("hostile.ok", (..._args: unknown[]) => "ran");
  app.task("hostile.good", (n: number) => n + 1);
  worker = await startTestWorker(app, { concurrency: 2 });
});

afterEach(async () => {
  await worker[Symbol.asyncDispose]();
  await app.close();
  await broker[Symbol.asyncDispose]();
});

/** What stands in a terminal. */
function written(): string {
  let all = "";
  const log = makeCeleryLog({
    level: "DEBUG",
    color: () => false,
    clock: systemClock,
    write: (text) => void (all += text),
  });
  for (const record of worker.records) log.record(record);
  return all;
}

/** Everything has been answered for; what waits for a time that is still to come, waits. */
async function settled(): Promise<void> {
  await until(async () => {
    const held = (await broker.redis.call("HKEYS", UNACKED)) as string[];
    const waiting = await broker.app.transport().queueLength("celery");
    return waiting === 0 && held.every((id) => id.startsWith(PARKED_PREFIX));
  });
}

test("given real messages that an enemy has changed, when a worker takes them, then each is answered for, good ones run, and its log cannot be forged", async () => {
  const random = seededRandom(testSeed());
  for (let round = 0; round < ROUNDS; round += 1) {
    const hostile = Array.from({ length: ROUND }, () => makeHostile(samples, "hostile.ok", random));
    await broker.redis.call("LPUSH", "celery", ...hostile);
    const good = await app.sendTask("hostile.good", [round]);
    expect(await good.get({ timeout: 10 })).toBe(round + 1);
  }
  await settled();

  const text = written();
  expect(text.split("\n").filter((line) => line.startsWith(FORGED))).toEqual([]);
  expect(/(?![\n\t])\p{Cc}/u.exec(text)).toBeNull();
  expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  const { dead } = await broker.leftovers();
  const ended = worker.events.filter(([type]) => /^task-(succeeded|failed|revoked|rejected)$/.test(type));
  const parked = await broker.unacked();
  expect(dead + ended.length + parked).toBeGreaterThanOrEqual(ROUNDS * (ROUND + 1));
}, 90_000);
