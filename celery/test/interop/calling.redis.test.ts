import { unzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { Celery } from "../../src/app/celery.ts";
import type { ApplyOptions, RequestInfo } from "../../src/app/types.ts";
import { openConnection, type RedisConnection } from "../../src/redis/connection.ts";
import { redisUrl } from "../support/redis-url.ts";
import { startTestWorker } from "../support/test-worker.ts";
import { proves } from "./compat.ts";
import { PythonClient, type PythonProcess, startPython } from "./python-celery.ts";

vi.setConfig({ testTimeout: 120_000 });

const url = `${redisUrl()}/58`;

let python: PythonClient;
let pythonWorker: PythonProcess;
let app: Celery;
let redis: RedisConnection;
const onClose: AsyncDisposable[] = [];
/** What our worker's task saw, by task id. */
const seen = new Map<string, RequestInfo>();

beforeAll(async () => {
  redis = openConnection(url);
  await redis.call("FLUSHDB");
  app = new Celery("calling", { broker: url, backend: url });
  app.task("calling.see", { bind: true }, (self) => void seen.set(self.request.id, self.request));
  const args = ["-m", "celery", "-A", "calling_app", "worker", "-l", "info", "-P", "solo", "-Q", "python"];
  [python, pythonWorker] = await Promise.all([
    PythonClient.open(url, "calling_client.py"),
    startPython(args, { REDIS_URL: url }),
  ]);
  onClose.push(await startTestWorker(app, { queues: ["ours"] }));
  await pythonWorker.line(/ready\./);
}, 360_000);

afterAll(async () => {
  for (const resource of onClose) await resource[Symbol.asyncDispose]();
  await app?.close();
  await python?.[Symbol.asyncDispose]();
  await pythonWorker?.[Symbol.asyncDispose]();
  await redis?.[Symbol.asyncDispose]();
}, 60_000);

/** A signature as it travels. */
const logIt = {
  task: "calling.log",
  args: [1],
  kwargs: {},
  options: {},
  subtask_type: null,
  immutable: false,
};

type Case = readonly [feature: string, ours: ApplyOptions, theirs: Readonly<Record<string, unknown>>];

const CASES: readonly Case[] = [
  ["arguments by position", {}, {}],
  [
    "keyword arguments",
    { kwargs: { z: "ü", list: [1, { a: null }] } },
    { kwargs: { z: "ü", list: [1, { a: null }] } },
  ],
  ["countdown and eta", { countdown: 60 }, { countdown: 60 }],
  ["countdown and eta", { eta: "2035-01-02T03:04:05+02:00" }, { eta: "2035-01-02T03:04:05+02:00" }],
  ["expires", { expires: 60 }, { expires: 60 }],
  ["expires", { expires: "2035-01-02T03:04:05+00:00" }, { expires: "2035-01-02T03:04:05+00:00" }],
  ["priority", { priority: 5 }, { priority: 5 }],
  ["shadow", { shadow: "another name" }, { shadow: "another name" }],
  ["ignoreResult", { ignoreResult: true }, { ignore_result: true }],
  [
    "time limits of a call",
    { timeLimit: 30, softTimeLimit: 10.5 },
    { time_limit: 30, soft_time_limit: 10.5 },
  ],
  [
    "headers",
    { headers: { tenant: "żółć", deep: { n: [1] } } },
    { headers: { tenant: "żółć", deep: { n: [1] } } },
  ],
  ["replyTo", { replyTo: "somebody" }, { reply_to: "somebody" }],
  [
    "link and linkError",
    { link: logIt, linkError: [logIt, logIt] },
    { link: logIt, link_error: [logIt, logIt] },
  ],
  ["compression", { compression: "gzip" }, { compression: "gzip" }],
  ["compression", { compression: "zlib", headers: { a: 1 } }, { compression: "zlib", headers: { a: 1 } }],
  ["serializer", { serializer: "json" }, { serializer: "json" }],
  ["argsRepr and kwargsRepr", { argsRepr: "(…)", kwargsRepr: "{…}" }, { argsrepr: "(…)", kwargsrepr: "{…}" }],
  [
    "place in a workflow",
    { groupId: "g", groupIndex: 3, rootId: "r", parentId: "p" },
    { group_id: "g", group_index: 3, root_id: "r", parent_id: "p" },
  ],
  [
    "place in a workflow",
    { chain: [logIt], chord: logIt, replacedTaskNesting: 2, retries: 1 },
    { chain: [logIt], chord: logIt, replaced_task_nesting: 2, retries: 1 },
  ],
  ["deliveryMode", { deliveryMode: 1 }, { delivery_mode: 1 }],
  [
    "retry and retryPolicy of the publish",
    { retry: true, retryPolicy: { maxRetries: 1 } },
    { retry: true, retry_policy: { max_retries: 1 } },
  ],
];

/** What must differ between two senders: who they are, when it was, and bytes of the compressor's choice. */
function comparable(raw: string): string {
  const uuid = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/.source;
  const compressed = /"compression": "application\/x-gzip"/.test(raw);
  return raw
    .replace(/"lang": "\w+"/, '"lang": "?"')
    .replace(/"origin": "gen\d+@[^"]*"/, '"origin": "?"')
    .replace(new RegExp(`"(reply_to|delivery_tag)": "${uuid}"`, "g"), '"$1": "?"')
    .replace(/"(eta|expires)": "20[^"]*\.\d{6}\+00:00"/g, '"$1": "?"')
    .replace(/"expiration": "\d+"/, '"expiration": "?"')
    .replace(/"body": "([^"]*)"/, (_whole, body: string) => {
      const bytes = Buffer.from(body, "base64");
      return `"body": ${(compressed ? unzipSync(bytes) : bytes).toString()}`;
    });
}

describe("the bytes of a message", () => {
  test.each(CASES)(
    "given %s, when Python and we send the same call, then the messages are the same",
    async (feature, ours, theirs) => {
      proves("Calling", feature, "ours → python");
      const common = { args: [1, "two"], queue: "waiting" };

      await python.ask({ command: "apply", task: "calling.see", task_id: "the-id", ...common, ...theirs });
      await app.sendTask("calling.see", common.args, { taskId: "the-id", queue: common.queue, ...ours });

      const list = "priority" in ours ? "waiting\x06\x163" : "waiting";
      const [fromPython, fromUs] = (await redis.call("RPOP", list, 2)) as [string, string];
      expect(comparable(fromUs)).toBe(comparable(fromPython));
    },
  );
});

const EVERYTHING: ApplyOptions = {
  kwargs: { key: "välue" },
  expires: "2035-01-02T03:04:05+00:00",
  eta: "2020-01-02T03:04:05+00:00",
  priority: 3,
  shadow: "another name",
  headers: { tenant: 7 },
  timeLimit: 30,
  softTimeLimit: 10,
  compression: "gzip",
  replyTo: "somebody",
  rootId: "the-root",
  parentId: "the-parent",
  groupId: "the-group",
  groupIndex: 1,
  argsRepr: "(hidden)",
};

test("given every option at once, when Python runs our call, then its request has them all", async () => {
  for (const [feature] of CASES) proves("Calling", feature, "ours → python");
  const result = await app.sendTask("calling.see", [1, 2], { ...EVERYTHING, queue: "python" });

  expect(await result.get({ timeout: 20 })).toMatchObject({
    args: [1, 2],
    kwargs: { key: "välue" },
    id: result.id,
    correlation_id: result.id,
    eta: EVERYTHING.eta,
    expires: EVERYTHING.expires,
    timelimit: [30, 10],
    shadow: "another name",
    headers: { tenant: 7 },
    reply_to: "somebody",
    priority: 3,
    root_id: "the-root",
    parent_id: "the-parent",
    group: "the-group",
    group_index: 1,
    argsrepr: "(hidden)",
    ignore_result: false,
  });
});

test("given every option at once, when we run Python's call, then our request has them all", async () => {
  for (const [feature] of CASES) proves("Calling", feature, "python → ours");
  const id = await python.ask<string>({
    command: "apply",
    task: "calling.see",
    args: [],
    queue: "ours",
    expires: EVERYTHING.expires,
    eta: EVERYTHING.eta,
    priority: 3,
    shadow: "another name",
    headers: { tenant: 7 },
    time_limit: 30,
    soft_time_limit: 10,
    compression: "gzip",
    root_id: "the-root",
    parent_id: "the-parent",
  });

  expect(await python.get(id)).toEqual({ value: null, state: "SUCCESS" });
  expect(seen.get(id)).toMatchObject({
    id,
    eta: EVERYTHING.eta,
    expires: EVERYTHING.expires,
    timeLimit: [30, 10],
    headers: { tenant: 7 },
    deliveryInfo: { exchange: "", routingKey: "ours", priority: 3 },
    rootId: "the-root",
    parentId: "the-parent",
  });
});

test("given task_compression, when Python reads our messages and we read its own, then both understand", async () => {
  proves("Calling", "task_compression", "ours → python");
  const compressing = new Celery("calling", { broker: url, backend: url, task_compression: "gzip" });
  const result = await compressing.sendTask("calling.see", ["x".repeat(5000)], { queue: "python" });

  expect(await result.get({ timeout: 20 })).toMatchObject({ args: ["x".repeat(5000)] });
  await compressing.close();
});
