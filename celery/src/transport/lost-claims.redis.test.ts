import { once } from "node:events";
import { afterEach, beforeEach, expect, test } from "vitest";
import { startRedisServer, type TestRedis } from "../../test/support/redis-server.ts";
import { claimAll, message, openTransportLab, type TransportLab } from "../../test/support/transport-lab.ts";
import { until } from "../../test/support/until.ts";
import { openBackend } from "../backend/open-backend.ts";
import { PARKED_PREFIX, reclaimingKey, UNACKED, UNACKED_INDEX, WORKERS } from "../redis/keys.ts";
import { ownClaimsScript } from "../redis/scripts/own-claims.ts";
import { reclaimScript } from "../redis/scripts/reclaim.ts";

let server: TestRedis;
let lab: TransportLab;

beforeEach(async () => {
  server = await startRedisServer();
  lab = await openTransportLab(server.url);
});

afterEach(async () => {
  await lab[Symbol.asyncDispose]();
  await server.stop();
});

async function takeAway(claimId: string): Promise<void> {
  await lab.redis.call("HDEL", UNACKED, claimId);
  await lab.redis.call("ZREM", UNACKED_INDEX, claimId);
}

test("given a claim that somebody took, when it is known to be lost, then no sign of life speaks of it any more", async () => {
  await lab.publish("a");
  const consumer = await lab.openConsumer({ heartbeatTtlMs: 600 });
  const [claim] = await claimAll(consumer, 1);
  const lost = once(consumer.events, "lost");
  await takeAway(claim?.id ?? "");
  expect(await lost).toEqual([[claim?.id]]);
  await lab.redis.call("CONFIG", "RESETSTAT");
  const calls = async (command: string): Promise<number> => {
    const info = String(await lab.redis.call("INFO", "commandstats"));
    return Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(info)?.[1] ?? 0);
  };
  await until(async () => (await calls("set")) >= 3); // one per sign of life
  expect(await calls("zscore")).toBe(0);
});

test("given results in another database, when the claim is lost while its chord is ended, then the chord is still to be ended", async () => {
  await lab.publish("a");
  await using backend = openBackend(`${server.url}/7`, {
    expiresSeconds: 60,
    connectTimeoutSeconds: 2,
  });
  const consumer = await lab.openConsumer({ backend });
  const id = (await claimAll(consumer, 1))[0]?.id ?? "";
  const part = { groupId: "g", taskId: "t", groupIndex: 0, member: '[1, "t", "SUCCESS", 1]', failed: false };
  const rescue = { queue: "celery", bodyStart: "", bodyEnd: "", envelopeEnd: "" };
  await backend.chords.announce([{ kind: "size", groupId: "g", size: 1 }]);
  const join = async (): Promise<readonly [object]> => {
    await takeAway(id);
    return [{ publish: [message("body")], flow: { ended: { groupId: "g", failed: false } } }];
  };
  expect(await consumer.finish(id, { flow: { parts: [{ ...part, rescue }], join } })).toBe("fenced");
  expect(await lab.transport.queueLength("celery")).toBe(0);
  expect((await backend.chords.read("g")).claim).toBe(backend.chords.token("g"));
  expect(await backend.chords.count(part)).toBe(true);
});

/** Claims of these ids, taken now. */
async function haveClaims(...ids: readonly string[]): Promise<void> {
  const now = Date.now() / 1000;
  await lab.redis.call("HSET", UNACKED, ...ids.flatMap((id) => [id, '[{}, "", "celery"]']));
  await lab.redis.call("ZADD", UNACKED_INDEX, ...ids.flatMap((id) => [now, id]));
}

test("given thousands of messages parked for later, when a worker looks for its claims, then it finds them on one page", async () => {
  const later = Date.now() / 1000 + 3600;
  const parked = Array.from({ length: 5000 }, (_, n) => [later, `${PARKED_PREFIX}${n}`]).flat();
  await lab.redis.call("ZADD", UNACKED_INDEX, ...parked);
  await haveClaims("ts1|other|1", "ts1|mine|1", "ts1|mine|2");

  const look = (offset: number, limit: number): Promise<unknown> =>
    lab.redis.run(ownClaimsScript, [UNACKED_INDEX], ["ts1|mine|", offset, limit]);

  expect(await look(0, 500)).toEqual([-1, "ts1|mine|1", "ts1|mine|2"]);
  expect(await look(0, 2)).toEqual([2, "ts1|mine|1", "ts1|mine|2"]);
  expect(await look(2, 2)).toEqual([-1]);
});

test("given a dead worker, when two others see it at once, then one of them gives back what it held, and the other when that one dies, too", async () => {
  await haveClaims("ts1|dead|1", "ts1|dead|2");
  await lab.redis.call("SADD", WORKERS, "dead");
  const keys = [UNACKED, UNACKED_INDEX, "no-heartbeat", WORKERS, reclaimingKey("dead")];
  const reclaim = (asker: string, offset: number): Promise<unknown> =>
    lab.redis.run(reclaimScript, keys, ["ts1|dead|", offset, 1, "last", "dead", asker, 60_000]);

  expect(await reclaim("first", 0)).toEqual([1, 0]);
  expect(await reclaim("second", 0)).toEqual([0, -1]);
  await lab.redis.call("DEL", reclaimingKey("dead"));
  expect(await reclaim("second", 0)).toEqual([1, 0]);
  expect(await reclaim("second", 0)).toEqual([0, -1]);
  expect(await lab.redis.call("SISMEMBER", WORKERS, "dead")).toBe(0);
  expect(await lab.transport.queueLength("celery")).toBe(2);
});
