import { once } from "node:events";
import { afterEach, beforeEach, expect, test } from "vitest";
import { startRedisServer, type TestRedis } from "../../test/support/redis-server.ts";
import { claimAll, message, openTransportLab, type TransportLab } from "../../test/support/transport-lab.ts";
import { until } from "../../test/support/until.ts";
import { openBackend } from "../backend/open-backend.ts";
import { UNACKED, UNACKED_INDEX } from "../redis/keys.ts";

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
