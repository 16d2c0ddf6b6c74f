import { expect, test } from "vitest";
import { redisUrl } from "../../test/support/redis-url.ts";
import { openTestBroker } from "../../test/support/test-broker.ts";
import { startTestWorker } from "../../test/support/test-worker.ts";
import { until } from "../../test/support/until.ts";
import { Celery } from "../app/celery.ts";
import type { TaskContext } from "../app/types.ts";
import { UNACKED, UNACKED_INDEX } from "../redis/keys.ts";

/** What a worker of Celery 5.7.0 wrote when it had taken `add(1, 2)`, sent with priority 5, from the queue `celery`. */
const TAG = "c1d5e598-34fd-4bff-9dff-337fb435df56";
const TASK_ID = "2beb706d-0ece-4bd7-90c8-7cda9acd1047";
const ENTRY = `[{"body": "W1sxLCAyXSwge30sIHsiY2FsbGJhY2tzIjogbnVsbCwgImVycmJhY2tzIjogbnVsbCwgImNoYWluIjogbnVsbCwgImNob3JkIjogbnVsbH1d", "content-encoding": "utf-8", "content-type": "application/json", "headers": {"lang": "py", "task": "add", "id": "${TASK_ID}", "shadow": null, "eta": null, "expires": null, "group": null, "group_index": null, "retries": 0, "timelimit": [null, null], "root_id": "${TASK_ID}", "parent_id": null, "argsrepr": "(1, 2)", "kwargsrepr": "{}", "origin": "gen509@host", "ignore_result": null, "replaced_task_nesting": 0, "stamped_headers": null, "stamps": {}}, "properties": {"correlation_id": "${TASK_ID}", "reply_to": "1d1d4086-ba26-35d3-96ed-2cde76b4ad57", "delivery_mode": 2, "delivery_info": {"exchange": "", "routing_key": "celery"}, "priority": 5, "body_encoding": "base64", "delivery_tag": "${TAG}"}}, "", "celery"]`;

test("given what a dead Python worker held, when visibility_timeout is over and only our workers are left, then it runs, once", async () => {
  await using broker = await openTestBroker(`${redisUrl()}/54`);
  const hold = async (id: string, seconds: number): Promise<void> => {
    await broker.redis.call("HSET", UNACKED, id, ENTRY);
    await broker.redis.call("ZADD", UNACKED_INDEX, Date.now() / 1000 - seconds, id);
  };
  await hold(TAG, 31);
  await hold("young", 1);
  const app = new Celery("worker-test", {
    broker: broker.url,
    backend: broker.url,
    broker_transport_options: { visibility_timeout: 30 },
  });
  const runs: unknown[] = [];
  app.task("add", { bind: true }, (task: TaskContext, a: number, b: number) => {
    runs.push(task.request.deliveryInfo);
    return a + b;
  });
  await using worker = await startTestWorker(app);

  expect(await broker.app.AsyncResult(TASK_ID).get({ timeout: 10 })).toBe(3);

  await until(async () => (await broker.unacked()) === 1);
  expect(runs).toMatchObject([{ redelivered: true }]);
  expect(await broker.redis.call("HKEYS", UNACKED)).toEqual(["young"]);
  expect(worker.records.map(({ text }) => text)).toContain(
    "gave back what a Python worker held for too long",
  );
  await worker.warm();
  await app.close();
});
