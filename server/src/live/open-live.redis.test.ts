import { spawn } from "node:child_process";
import { EventEmitter, once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { type EventDispatcher, openEventDispatcher } from "celery/events";
import { pino } from "pino";
import { beforeEach, expect, onTestFinished, test } from "vitest";
import { encodeBroadcast } from "../../../celery/src/protocol/broadcast.ts";
import { makeEvent } from "../../../celery/src/protocol/event.ts";
import { openConnection, type RedisConnection } from "../../../celery/src/redis/connection.ts";
import { freePort, startRedisServer } from "../../../celery/test/support/redis-server.ts";
import { redisUrl } from "../../../celery/test/support/redis-url.ts";
import { evaluate } from "../checks/evaluate.ts";
import type { Json } from "../checks/facts.ts";
import { parseExpression } from "../checks/parse.ts";
import type { FileView } from "../protocol/index.ts";
import type { FileSource, Live } from "./live.ts";
import { openLive } from "./open-live.ts";

const url = `${redisUrl()}/35`;
const log = pino({ level: "silent" });

let redis: RedisConnection;
beforeEach(async () => {
  redis = openConnection(url);
  onTestFinished(() => redis[Symbol.asyncDispose]() as Promise<void>);
  await redis.call("FLUSHDB");
});

/** A lesson of one file. */
function someFiles(): FileSource & { write(text: string): void } {
  const events: FileSource["events"] = new EventEmitter();
  let text = "export const add = 1;\n";
  const file = (path: string): FileView | undefined =>
    path === "tasks.ts" ? { path, text, hash: `hash of ${text}`, edited: false } : undefined;
  return {
    events,
    file,
    hashes: () => new Map([["tasks.ts", file("tasks.ts")!.hash]]),
    write: (next) => {
      text = next;
      events.emit("changed", file("tasks.ts")!);
    },
  };
}

async function aLive(broker = url): Promise<Live> {
  const live = openLive({
    redisUrl: broker,
    panes: () => undefined,
    steps: { states: {}, events: new EventEmitter() },
    log,
  });
  onTestFinished(() => live[Symbol.asyncDispose]());
  return live;
}

async function listening(): Promise<Live> {
  const live = await aLive();
  await once(live.events, "up");
  live.enter({ files: someFiles() });
  return live;
}

function dispatcher(name = "celery@elsewhere"): EventDispatcher {
  const events = openEventDispatcher(url, { hostname: name, taskEvents: true });
  onTestFinished(() => events[Symbol.asyncDispose]());
  return events;
}

/** Waits until an expression has a value, looking whenever something changed. */
async function becomes(live: Live, source: string, wanted: Json): Promise<void> {
  const expression = parseExpression(source);
  await expect.poll(() => evaluate(expression, live.facts()), { message: source }).toEqual(wanted);
}

const idle = { freq: 2, active: 0, processed: 0, loadavg: [], sw_ident: "", sw_ver: "", sw_sys: "" };
const ID = "11111111-1111-4111-8111-111111111111";
const description = {
  uuid: ID,
  name: "tasks.add",
  args: "(4, 4)",
  kwargs: "{}",
  root_id: ID,
  parent_id: null,
  retries: 0,
  eta: null,
  expires: null,
};
const stored = (status: string, result: unknown): string =>
  JSON.stringify({
    status,
    result,
    traceback: null,
    children: [],
    date_done: new Date().toISOString(),
    task_id: ID,
  });

test("given a task that is sent, run and answered, when it is heard of, then the facts tell its story", async () => {
  const live = await listening();
  const events = dispatcher();
  events.send("worker-online", idle);
  events.send("task-sent", { ...description, queue: "training", exchange: "", routing_key: "training" });
  await redis.call("LPUSH", "training", "a message");
  await becomes(live, "workers.online", 1);
  await becomes(live, 'queue("training").length', 1);
  await redis.call("DEL", "training");
  events.send("task-received", description);
  events.send("task-started", { uuid: ID });
  await becomes(live, 'task("tasks.add").state', "STARTED");
  expect(live.queueView().workers).toMatchObject([
    { hostname: "celery@elsewhere", active: 1, oldCode: false },
  ]);
  await redis.call("SET", `celery-task-meta-${ID}`, stored("SUCCESS", 8));
  await redis.call("PUBLISH", `celery-task-meta-${ID}`, stored("SUCCESS", 8));
  await becomes(live, 'task("tasks.add").result', 8);
  await becomes(live, 'queue("training").peak == 1 and queue("training").length == 0', true);
  await becomes(live, "results.count", 1);
  await becomes(live, `redis.exists("celery-task-meta-" + task("tasks.add").id)`, true);
  expect(live.queueView()).toMatchObject({ results: { success: 1, failure: 0, retry: 0 } });
  expect(live.seen()).toEqual({ taskIds: [ID], queues: ["celery", "training"] });
});

test("given a result whose notice was missed, when time passes, then it is found all the same", async () => {
  const live = await listening();
  dispatcher().send("task-received", description);
  await becomes(live, 'task("tasks.add").state', "RECEIVED");
  await redis.call(
    "SET",
    `celery-task-meta-${ID}`,
    stored("FAILURE", { exc_type: "ValueError", exc_message: ["bad"], exc_module: "builtins" }),
  );
  await becomes(live, 'task("tasks.add").error.message', "bad");
});

test("given a task of which only the result is heard, when it is counted, then it exists", async () => {
  const live = await listening();
  await redis.call("PUBLISH", `celery-task-meta-${ID}`, stored("SUCCESS", 8));
  await becomes(live, 'tasks().where(state == "SUCCESS" and result == 8).count', 1);
});

test("given a lesson that is reset, when facts are asked for, then all is forgotten but who is online", async () => {
  const live = await listening();
  const events = dispatcher();
  events.send("worker-online", idle);
  events.send("task-received", description);
  await redis.call("LPUSH", "celery", "a message");
  await becomes(live, 'workers.seen == 1 and tasks().count == 1 and queue("celery").peak == 1', true);
  await redis.call("DEL", "celery");
  live.reset();
  expect(live.facts()).toMatchObject({
    tasks: [],
    workers: { online: 1, seen: 1 },
    unacked: { count: null },
  });
  expect(live.facts().queue("celery")).toEqual({ length: null, peak: 0 });
  await live.refresh(AbortSignal.timeout(5000));
  expect(live.facts().queue("celery")).toEqual({ length: 0, peak: 0 });
});

test("given a task file that changes, when a worker was online before, then it runs old code until the file is put back", async () => {
  const live = await aLive();
  await once(live.events, "up");
  const files = someFiles();
  live.enter({ files });
  dispatcher().send("worker-online", idle);
  await becomes(live, 'workers.online == 1 and workers.oldCode == 0 and file("tasks.ts").loaded', true);
  files.write("export const multiply = 1;\n");
  await becomes(
    live,
    'workers.oldCode == 1 and not file("tasks.ts").loaded and file("tasks.ts").has("multiply")',
    true,
  );
  files.write("export const add = 1;\n");
  await becomes(live, 'workers.oldCode == 0 and file("tasks.ts").loaded', true);
});

test("given a worker of this machine that was killed, when it is looked at, then it is gone before it would be missed", async () => {
  const live = await listening();
  // Any process of this machine: its heartbeat is written by hand.
  const worker = spawn("sleep", ["60"], { stdio: "ignore" });
  onTestFinished(() => void worker.kill("SIGKILL"));
  const stamp = {
    hostname: `celery@${hostname()}`,
    pid: worker.pid!,
    clock: 1,
    utcoffset: 0,
    timestamp: Date.now() / 1000,
  };
  const beat = makeEvent("worker-heartbeat", idle, stamp);
  const address = {
    exchange: "celeryev",
    routingKey: "worker.heartbeat",
    deliveryMode: 1,
    deliveryTag: ID,
  } as const;
  await redis.call(
    "PUBLISH",
    "/35.celeryev/worker.heartbeat",
    encodeBroadcast({ headers: {}, body: beat }, address),
  );
  await becomes(live, "workers.online", 1);
  worker.kill("SIGKILL");
  await once(worker, "exit");
  const killed = performance.now();
  await becomes(live, "workers.online", 0);
  expect(performance.now() - killed).toBeLessThan(5000);
});

test("given a Redis that goes away and comes back, when it does, then both are told and observing goes on", async () => {
  const dir = await mkdtemp(join(tmpdir(), "live-"));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  const place = { port: await freePort(), dir };
  const first = await startRedisServer([], place);
  const live = await aLive(`${first.url}/0`);
  live.enter({ files: someFiles() });
  await once(live.events, "up");
  const down = once(live.events, "down");
  await first.stop();
  await down;
  await expect(live.refresh(AbortSignal.timeout(5000))).rejects.toThrow();

  const up = once(live.events, "up");
  const second = await startRedisServer([], place);
  onTestFinished(() => second.stop());
  await up;
  await live.refresh(AbortSignal.timeout(5000));
  expect(live.facts().unacked.count).toBe(0);
});
